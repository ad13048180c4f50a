// The page at /. It reads and acts by the calls under /_emulator/ alone.
//
// Everything that is shown was sent by strangers: `h` makes elements with text in them, and nothing here makes
// HTML from text. The address after # says what is shown, so that Back, reloading and links work:
// #requests?find=ann&item=12

const CALLS = '/_emulator/'
const MOST_REQUESTS = 500 // as many as the emulator keeps
const REFRESH_MS = 700
const $ = (id) => document.getElementById(id)

// ---------------------------------------------------------------- elements

/** An element with attributes, and children that are elements or texts. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value)
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value))
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== undefined))
  return element
}

const mono = (text) => h('span', { class: 'mono' }, String(text))

const badge = (text, kind = '') => h('span', { class: `badge ${kind}` }, String(text))

function link(text, view, query = {}) {
  return h('a', { href: addressOf(view, query) }, String(text))
}

/** Names and values; what has no value is left out. */
function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '')
  return h('dl', {}, known.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value instanceof Node || Array.isArray(value) ? value : String(value))]))
}

const titled = (title, ...content) => (content.flat().length ? [h('h3', {}, title), ...content] : [])

const json = (value) => h('pre', { tabindex: 0 }, JSON.stringify(value, null, 2))

/** A value of JSON for people; nothing for an empty one. */
function plain(value) {
  if (value === null || (typeof value === 'object' && Object.keys(value).length === 0)) return null
  if (Array.isArray(value)) return lines(value.map((item) => linked(String(item))))
  return typeof value === 'object' ? json(value) : linked(String(value))
}

const lines = (nodes) => nodes.map((node) => h('div', {}, node))

/** Seconds since 1970 as local date and time. */
function moment(seconds, withDate = true) {
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) return String(seconds)
  const two = (number) => String(number).padStart(2, '0')
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  const text = withDate ? `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}` : time
  return h('time', { datetime: date.toISOString() }, text)
}

const KNOWN = /(\bASIA[A-Z2-7]{16}\b|\b[a-z]{2}(?:-[a-z]+)+-\d:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\barn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]*[\w+=@/-])/

/** A sentence in which keys, ids and roles lead to what they are. */
function linked(sentence) {
  return sentence.split(KNOWN).map((part, index) => {
    if (index % 2 === 0) return part
    if (part.startsWith('ASIA')) return link(part, 'sessions', { find: part, item: part })
    if (part.startsWith('arn:')) return link(part, 'roles', { find: part, item: part })
    const isPool = sentence.includes(`pool ${part}`) || state.pools.has(part)
    return link(part, isPool ? 'pools' : 'identities', { find: part, item: part })
  })
}

// ---------------------------------------------------------------- calls

/** Make a control call. A refusal becomes an Error with its text. */
async function call(method, name, content) {
  const options = { method, cache: 'no-store' }
  if (content !== undefined) options.body = JSON.stringify(content)
  const answer = await fetch(CALLS + name, options)
  const said = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Error(said.error || `the emulator answered ${answer.status}`)
  return said
}

const query = (members) =>
  new URLSearchParams(Object.entries(members).filter(([, value]) => value !== '' && value !== undefined && value !== null)).toString()

function say(text) {
  $('said').textContent = text
  clearTimeout(say.timer)
  say.timer = setTimeout(() => ($('said').textContent = ''), 4000)
}

// ---------------------------------------------------------------- state and address

const state = {
  view: 'requests',
  find: '',
  owner: '',
  item: '',
  records: [], // the newest first
  paused: false,
  onlyErrors: false,
  items: [],
  next: null,
  total: null,
  loaded: '', // the view and query that `items` belong to
  pools: new Map(),
  settings: { clock_offset: 0, time_passed: 0 },
}

function addressOf(view, members = {}) {
  const text = query(members)
  return `#${view}${text ? `?${text}` : ''}`
}

function go(changes) {
  const { view, find, owner, item } = { ...state, ...changes }
  location.hash = addressOf(view, { find, owner, item })
}

function readAddress() {
  const [view, text = ''] = location.hash.slice(1).split('?')
  const members = new URLSearchParams(text)
  const before = state.view
  state.view = Object.hasOwn(VIEWS, view) ? view : 'requests'
  state.find = members.get('find') || ''
  state.owner = members.get('owner') || ''
  state.item = members.get('item') || ''
  if ($('find').value.trim() !== state.find) $('find').value = state.find
  show()
  if (before !== state.view) window.scrollTo(0, 0)
}

// ---------------------------------------------------------------- the views

const isError = (record) => record.status === null || record.status >= 400

function statusBadge(record) {
  if (record.status === null) return badge('dropped', 'odd')
  return badge(record.status, isError(record) ? 'bad' : 'good')
}

/** The one thing about a request that tells most: its error, its key, or its last decision. */
function gist(record) {
  if (record.code || record.message) return [record.code, record.message].filter(Boolean).join(': ')
  const last = (kind) => record.facts.filter((fact) => fact.kind === kind).pop()
  return (last('issued') || last('decided') || last('holds') || { fact: '' }).fact
}

const KINDS = {
  holds: ['✓', 'Holds'],
  fails: ['–', 'Does not hold'],
  decided: ['→', 'Decided'],
  issued: ['◆', 'Issued'],
  refused: ['✕', 'Refused'],
  answered: ['✓', 'Answered'],
}

function step(kind, sentence) {
  const [sign, word] = KINDS[kind] || ['·', kind]
  return h('li', { class: Object.hasOwn(KINDS, kind) ? kind : '' },
    h('span', { class: 'mark', 'aria-hidden': 'true' }, sign),
    h('span', { class: 'what' }, h('span', { class: 'hidden' }, `${word}: `), linked(sentence)))
}

function ending(record) {
  if (record.status === null) return step('refused', 'the connection was closed without an answer')
  if (!isError(record)) return step('answered', `the answer is ${record.status}`)
  return step('refused', `${record.status} ${record.code}${record.message ? `: ${record.message}` : ''}`)
}

function keyButton(key) {
  const answer = h('div', { role: 'status' })
  const ask = async () => {
    try {
      answer.replaceChildren(facts(Object.entries(await call('POST', 'whose-key', { access_key_id: key })).map(([name, value]) => [name.replaceAll('_', ' '), plain(value)])))
    } catch (error) {
      answer.replaceChildren(h('p', { class: 'problem' }, error.message))
    }
  }
  return [h('div', { class: 'buttons' }, h('button', { type: 'button', click: ask }, 'Whose key is it?')), answer]
}

const VIEWS = {
  requests: {
    title: 'Requests',
    empty: 'No request has come yet.\nPrograms find the emulator through AWS_ENDPOINT_URL_COGNITO_IDENTITY and AWS_ENDPOINT_URL_STS.',
    key: (record) => String(record.number),
    row: (record) => ({
      name: record.name,
      side: [statusBadge(record), ' ', moment(record.at, false)],
      more: gist(record) || '\u00a0',
    }),
    name: (record) => record.name,
    detail: (record) => {
      const keys = [...new Set(record.facts.filter((fact) => fact.kind === 'issued').flatMap((fact) => fact.fact.match(/\bASIA[A-Z2-7]{16}\b/g) || []))]
      return [
        isError(record) ? h('p', { class: 'said' }, gist(record) || 'No answer was sent.') : null,
        h('p', { class: 'faint' }, statusBadge(record), ' at ', moment(record.at), ` in ${record.milliseconds} ms, request ${record.number}`),
        titled('What was asked', Object.keys(record.request).length ? facts(Object.entries(record.request).map(([name, value]) => [name, Array.isArray(value) ? lines(value.map(String)) : linked(String(value))])) : []),
        h('h3', {}, 'What was checked and decided'),
        h('ol', { class: 'steps' }, record.facts.map((fact) => step(fact.kind, fact.fact)), ending(record)),
        keys.flatMap(keyButton),
      ]
    },
  },
  pools: {
    title: 'Identity pools',
    empty: 'There is no identity pool. The operation CreateIdentityPool makes one, and so does a seed.',
    key: (pool) => pool.id,
    row: (pool) => ({ name: pool.name || pool.id, side: [count(pool.identities, 'identity', 'identities')], more: pool.id }),
    name: (pool) => pool.name || pool.id,
    detail: (pool) => {
      const settings = pool.settings
      const providers = Object.keys(settings.SupportedLoginProviders || {})
        .map((name) => [name, settings.SupportedLoginProviders[name]])
        .concat((settings.CognitoIdentityProviders || []).map((entry) => [entry.ProviderName, entry.ClientId]))
        .concat((settings.OpenIdConnectProviderARNs || []).map((arn) => [arn.split(':oidc-provider/')[1] || arn, 'app']))
      return [
        facts([
          ['Id', mono(pool.id)],
          ['Identities', link(`${number(pool.identities)}, show them`, 'identities', { owner: pool.id })],
          ['Guests', settings.AllowUnauthenticatedIdentities ? 'allowed' : 'not allowed'],
          ['Basic flow', settings.AllowClassicFlow === false ? 'not allowed' : 'allowed'],
          ['Developers', settings.DeveloperProviderName],
        ]),
        titled('Roles', facts(Object.entries(pool.roles).map(([use, arn]) => [use, linked(arn)]))),
        providers.length ? titled('Login providers', facts(providers.map(([provider, audience]) => [provider, [mono(audience), ' ', h('button', { type: 'button', 'aria-label': `Login token of ${provider}`, click: () => openToken({ provider, audience }) }, 'Token')]]))) : [],
        Object.keys(pool.role_mappings).length ? titled('Role mappings', json(pool.role_mappings)) : [],
        titled('All settings', json(settings)),
      ]
    },
  },
  identities: {
    title: 'Identities',
    empty: 'There is no identity. GetId makes one.',
    owner: 'pool',
    key: (identity) => identity.id,
    row: (identity) => ({
      name: identity.id,
      mono: true,
      side: [identity.enabled ? (identity.authenticated ? badge('user', 'good') : badge('guest')) : badge('disabled', 'odd')],
      more: identity.logins.map((login) => `${login.subject} at ${login.provider}`).join(', ') || 'no logins',
    }),
    name: (identity) => identity.id,
    detail: (identity) => [
      facts([
        ['State', identity.enabled ? (identity.authenticated ? 'authenticated' : 'a guest') : 'disabled: merged into another, or without logins'],
        ['Pool', link(identity.pool, 'pools', { find: identity.pool, item: identity.pool })],
        ['Made', moment(identity.created)],
        ['Changed', moment(identity.modified)],
        ['Requests', link('show those that name it', 'requests', { find: identity.id })],
        ['Keys', link('show those of it', 'sessions', { find: identity.id })],
      ]),
      titled('Logins', identity.logins.length ? facts(identity.logins.map((login) => [login.provider, [mono(login.subject), login.developer ? ' (developer) ' : ' ', login.developer ? '' : h('button', { type: 'button', 'aria-label': `Login token for ${login.subject}`, click: () => openToken({ provider: login.provider, subject: login.subject }) }, 'Token')]])) : h('p', { class: 'faint' }, 'None: it is a guest.')),
    ],
  },
  roles: {
    title: 'Roles',
    empty: 'No role was described, and no pool uses one.',
    key: (role) => role.arn,
    row: (role) => ({
      name: role.arn.split('/').pop(),
      side: [role.deleted ? badge('deleted', 'odd') : role.trust_policy ? badge('described', 'good') : badge('trusts its pools')],
      more: role.arn,
    }),
    name: (role) => role.arn.split('/').pop(),
    detail: (role) => [
      facts([
        ['ARN', mono(role.arn)],
        ['Longest session', role.max_session_seconds ? `${role.max_session_seconds} seconds` : null],
        ['Sessions', link('show those of it', 'sessions', { find: role.arn.split('/').pop() })],
      ]),
      role.uses.length ? titled('Pools that use it', facts(role.uses.map((use) => [use.as, link(use.pool, 'pools', { find: use.pool, item: use.pool })]))) : [],
      role.trust_policy ? titled('Trust policy', json(role.trust_policy)) : titled('Trust policy', h('p', {}, 'Nobody described it: it trusts the users of the pools that use it.')),
    ],
  },
  sessions: {
    title: 'Sessions',
    empty: 'No key was issued since the start.',
    key: (session) => session.access_key_id,
    row: (session) => ({
      name: session.access_key_id,
      mono: true,
      side: [session.expires_at <= now() ? badge('expired', 'odd') : badge('valid', 'good')],
      more: session.arn,
    }),
    name: (session) => session.access_key_id,
    detail: (session) => [
      facts([
        ['Session', mono(session.arn)],
        ['Role', session.role_arn ? linked(session.role_arn) : null],
        ['Identity', session.identity_id ? link(session.identity_id, 'identities', { find: session.identity_id, item: session.identity_id }) : null],
        ['Pool', session.pool_id ? link(session.pool_id, 'pools', { find: session.pool_id, item: session.pool_id }) : null],
        ['Ends', [moment(session.expires_at), session.expires_at <= now() ? ' (expired)' : '']],
        ['Limited', session.limited ? 'by the session policies of guests' : null],
        ['Requests', link('show those that name it', 'requests', { find: session.access_key_id })],
      ]),
      keyButton(session.access_key_id),
      session.policy ? titled('Session policy', h('pre', { tabindex: 0 }, session.policy)) : [],
      session.tags && Object.keys(session.tags).length ? titled('Session tags', facts(Object.entries(session.tags))) : [],
    ],
  },
  'user-pools': {
    title: 'User pools',
    empty: 'No user pool was described. A seed does, and PUT /_emulator/user-pools.',
    key: (pool) => pool.id,
    row: (pool) => ({ name: pool.id, mono: true, side: [count(pool.users, 'user', 'users')], more: pool.clients.map((client) => client.id).join(', ') }),
    name: (pool) => pool.id,
    detail: (pool) => [
      facts([
        ['Issuer', mono(pool.issuer_url)],
        ['Users', link(`${number(pool.users)}, show them`, 'users', { owner: pool.id })],
        ['MFA', pool.mfa],
        ['Devices', pool.devices],
        ['Refresh tokens', pool.rotate_refresh_tokens ? 'rotate' : 'stay the same'],
        ['Signing up', pool.sign_up ? 'everybody may' : 'nobody may'],
        ['Groups', Object.keys(pool.groups || {}).join(', ')],
      ]),
      titled('App clients', pool.clients.length ? facts(pool.clients.map((client) => [client.id, lines([client.secret ? 'with a secret' : 'without a secret', ...client.callback_urls.map(mono)])])) : h('p', { class: 'faint' }, 'None.')),
      titled('All settings', json(Object.fromEntries(Object.entries(pool).filter(([name]) => name !== 'clients')))),
    ],
  },
  users: {
    title: 'Users',
    empty: 'No user pool has a user.',
    owner: 'user_pool',
    key: (user) => `${user.user_pool}/${user.sub}`,
    row: (user) => ({
      name: user.name,
      side: [user.enabled === false ? badge('disabled', 'odd') : badge(user.status || 'CONFIRMED', user.status === 'CONFIRMED' ? 'good' : 'odd')],
      more: [user.user_pool, ...(user.groups || [])].join(' · '),
    }),
    name: (user) => user.name,
    detail: (user) => [
      facts([
        ['Sub', mono(user.sub)],
        ['User pool', link(user.user_pool, 'user-pools', { find: user.user_pool, item: user.user_pool })],
        ['State', user.enabled === false ? 'disabled' : user.status],
        ['Groups', (user.groups || []).join(', ')],
        ['Second factors', (user.mfa || []).join(', ')],
        ['Codes', link('show those sent', 'codes', { find: user.name })],
        ['Identities', link('find by sub', 'identities', { find: user.sub })],
      ]),
      user.attributes && Object.keys(user.attributes).length ? titled('Attributes', facts(Object.entries(user.attributes))) : [],
    ],
  },
  codes: {
    title: 'Codes',
    empty: 'No code was sent. Codes by SMS and e-mail appear here, and none is really sent.',
    load: async () => {
      const codes = await call('GET', 'codes')
      const found = codes.filter((code) => JSON.stringify(Object.values(code)).toLowerCase().includes(state.find.toLowerCase()))
      return { items: found.reverse(), next: null, total: found.length }
    },
    key: (code) => `${code.sent_at} ${code.username} ${code.purpose}`,
    row: (code) => ({ name: `${code.code} for ${code.username}`, side: [badge(code.medium), ' ', moment(code.sent_at, false)], more: `${code.purpose} ${code.destination}` }),
    name: (code) => `Code for ${code.username}`,
    detail: (code) => [
      h('p', { class: 'code' }, code.code),
      facts([
        ['By', code.medium],
        ['To', code.destination],
        ['For', code.purpose],
        ['User', code.username],
        ['User pool', link(code.user_pool_id, 'user-pools', { find: code.user_pool_id, item: code.user_pool_id })],
        ['Sent', moment(code.sent_at)],
      ]),
      h('div', { class: 'buttons' }, h('button', { type: 'button', click: () => copy(code.code) }, 'Copy the code')),
    ],
  },
}

const count = (value, one, many) => `${number(value)} ${value === 1 ? one : many}`

const number = (value) => Number(value || 0).toLocaleString('en')

// ---------------------------------------------------------------- showing

function visible() {
  if (state.view !== 'requests') return state.items
  const wanted = state.find.toLowerCase()
  return state.records.filter((record) => {
    if (state.onlyErrors && !isError(record)) return false
    return !wanted || JSON.stringify([record.name, record.code, record.message, record.request, record.facts]).toLowerCase().includes(wanted)
  })
}

function show() {
  const view = VIEWS[state.view]
  for (const anchor of $('views').querySelectorAll('a')) {
    if (anchor.dataset.view === state.view) anchor.setAttribute('aria-current', 'page')
    else anchor.removeAttribute('aria-current')
  }
  document.title = `${view.title} – Cognito emulator`
  $('title').textContent = view.title
  $('only-errors').hidden = $('pause').hidden = state.view !== 'requests'
  $('narrowed').hidden = !state.owner
  $('narrowed-to').textContent = `Only those of ${state.owner}`
  if (state.view === 'requests') {
    state.loaded = ''
    showRows()
  } else load()
}

function showRows() {
  const view = VIEWS[state.view]
  const items = visible()
  const rows = $('rows')
  const old = new Map([...rows.children].map((row) => [row.dataset.key, row]))
  const wanted = items.map((item) => {
    const key = `${state.view} ${view.key(item)}`
    const text = JSON.stringify(item)
    const known = old.get(key)
    if (known && known.dataset.text === text) return known
    const { name, mono: isMono, side, more } = view.row(item)
    const button = h('button', { type: 'button', class: 'row', click: () => go({ item: view.key(item) }) },
      h('span', { class: isMono ? 'name mono' : 'name' }, name), h('span', { class: 'side' }, side), h('span', { class: 'more' }, more))
    const row = h('li', {}, button)
    row.dataset.key = key
    row.dataset.text = text
    if (known) known.replaceWith(row)
    return row
  })
  // Rows that stay are not touched: the focus would leave them.
  const stays = new Set(wanted)
  for (const row of [...rows.children]) if (!stays.has(row)) row.remove()
  wanted.forEach((row, index) => {
    if (rows.children[index] !== row) rows.insertBefore(row, rows.children[index] || null)
  })
  items.forEach((item, index) => {
    const button = wanted[index].firstChild
    if (view.key(item) === state.item) button.setAttribute('aria-current', 'true')
    else button.removeAttribute('aria-current')
  })
  $('empty').hidden = items.length > 0
  $('empty').textContent = state.find || state.owner || state.onlyErrors ? 'Nothing is found.' : view.empty
  $('more').hidden = state.view === 'requests' || state.next === null
  const total = state.view === 'requests' ? null : state.total
  $('count').textContent = total === null ? (items.length ? number(items.length) : '') : number(total)
  showDetail(items)
}

function showDetail(items) {
  const view = VIEWS[state.view]
  const item = items.find((candidate) => view.key(candidate) === state.item) || (state.view === 'requests' ? state.records.find((record) => String(record.number) === state.item) : undefined)
  document.body.classList.toggle('selected', Boolean(state.item))
  const shown = `${state.view} ${state.item} ${JSON.stringify(item)}`
  const before = $('detail').dataset.shown || ''
  if (shown === before) return
  $('detail').dataset.shown = shown
  $('detail-title').textContent = item ? view.name(item) : state.item ? 'It is not in the list' : 'Nothing is selected'
  const body = item ? view.detail(item) : [h('p', { class: 'faint' }, state.item ? 'It may be gone, or on a later page.' : 'Select an entry to see what it is.')]
  $('detail-body').replaceChildren(...body.flat(9).filter((child) => child !== null && child !== undefined))
  $('detail').scrollTop = 0
  // A person who selected something finds it next, also with a screen reader.
  if (item && !before.startsWith(`${state.view} ${state.item} `) && showDetail.asked) {
    $('detail').focus({ preventScroll: true })
    if (getComputedStyle($('back')).display !== 'none') window.scrollTo(0, 0)
  }
}

// ---------------------------------------------------------------- loading

function membersOf(view) {
  return { find: state.find, [view.owner || 'owner']: view.owner ? state.owner : '' }
}

/** Read the current list again, as many entries as are shown. */
async function load(again = false) {
  const name = state.view
  const view = VIEWS[name]
  const wanted = `${name} ${state.find} ${state.owner}`
  const isSame = state.loaded === wanted
  if (isSame && !again) return showRows()
  const limit = isSame ? Math.min(Math.max(state.items.length, 50), 500) : 50
  try {
    const page = view.load ? await view.load() : await call('GET', `${name}?${query({ ...membersOf(view), limit })}`)
    if (wanted !== `${state.view} ${state.find} ${state.owner}`) return
    // What was loaded beyond one page stays as it is.
    const rest = isSame && page.items.length === limit ? state.items.slice(limit) : []
    Object.assign(state, { items: [...page.items, ...rest], next: rest.length ? state.next : page.next, total: page.total, loaded: wanted })
    if (name === 'pools') rememberPools(page.items)
    showRows()
  } catch (error) {
    say(error.message)
  }
}

async function loadMore() {
  const name = state.view
  const first = state.items.length
  try {
    const page = await call('GET', `${name}?${query({ ...membersOf(VIEWS[name]), after: state.next })}`)
    if (name !== state.view) return
    const known = new Set(state.items.map(VIEWS[name].key))
    state.items.push(...page.items.filter((item) => !known.has(VIEWS[name].key(item))))
    state.next = page.next
    showRows()
    $('rows').children[first]?.firstChild.focus()
  } catch (error) {
    say(error.message)
  }
}

function rememberPools(pools) {
  for (const pool of pools) state.pools.set(pool.id, pool)
  const names = new Set(['accounts.google.com'])
  for (const { settings } of state.pools.values()) {
    Object.keys(settings.SupportedLoginProviders || {}).forEach((name) => names.add(name))
    ;(settings.CognitoIdentityProviders || []).forEach((entry) => names.add(entry.ProviderName))
    ;(settings.OpenIdConnectProviderARNs || []).forEach((arn) => names.add(arn.split(':oidc-provider/')[1]))
  }
  $('providers').replaceChildren(...[...names].filter(Boolean).map((name) => h('option', { value: name })))
}

/** Something happened: read what is shown again, but not at every request. */
function refresh() {
  if (refresh.timer) return
  refresh.timer = setTimeout(() => {
    refresh.timer = null
    if (document.hidden) return
    readClock()
    if (state.view !== 'requests') load(true)
  }, REFRESH_MS)
}

// ---------------------------------------------------------------- events

function listen() {
  const source = new EventSource(`${CALLS}events`)
  let waiting = []
  let drawing = false
  const draw = () => {
    drawing = false
    if (state.paused) return
    state.records = [...waiting, ...state.records].sort((one, other) => other.number - one.number).slice(0, MOST_REQUESTS)
    waiting = []
    if (state.view === 'requests') showRows()
    else refresh()
  }
  const later = () => {
    if (!drawing) requestAnimationFrame(draw)
    drawing = true
  }
  source.addEventListener('open', () => live(true))
  source.addEventListener('error', () => live(false))
  const add = (records) => {
    const known = new Set([...waiting, ...state.records].map((record) => record.number))
    waiting = [...waiting, ...records.filter((record) => !known.has(record.number))].slice(-MOST_REQUESTS)
    later()
  }
  source.addEventListener('request', (event) => {
    add([JSON.parse(event.data)])
    refresh()
  })
  // The stream leaves records out rather than fall behind. The history still has most of them.
  let catchingUp = null
  source.addEventListener('missed', () => {
    catchingUp ??= setTimeout(async () => {
      catchingUp = null
      add(await call('GET', `history?last=${MOST_REQUESTS}`).catch(() => []))
    }, REFRESH_MS)
  })
  source.addEventListener('reset', () => {
    state.records = []
    waiting = []
    state.loaded = ''
    later()
    readClock()
    refresh()
  })
  listen.draw = later
}

function live(isOn) {
  $('live').textContent = isOn ? 'live' : 'not connected'
  $('live').classList.toggle('on', isOn)
}

// ---------------------------------------------------------------- the clock

const now = () => Date.now() / 1000 + state.settings.clock_offset + state.settings.time_passed

async function readClock() {
  try {
    state.settings = await call('GET', 'settings')
  } catch {
    return // the pill says that there is no connection
  }
  showClock()
}

function showClock() {
  $('clock').replaceChildren(moment(now()))
  const moved = state.settings.time_passed + state.settings.clock_offset
  $('moved').textContent = moved ? `moved by ${moved > 0 ? '+' : ''}${number(moved)} s` : ''
}

// ---------------------------------------------------------------- dialogs

function field(dialog, name) {
  return dialog.querySelector(`[name="${name}"]`)
}

function open(id) {
  const dialog = $(id)
  problem(dialog, '')
  dialog.showModal()
}

function problem(dialog, text) {
  dialog.querySelector('.problem').textContent = text
}

/** Do what the form of a dialog asks for, and show there what is wrong. */
function whenSent(id, act) {
  const dialog = $(id)
  dialog.querySelector('form').addEventListener('submit', async (event) => {
    event.preventDefault()
    problem(dialog, '')
    try {
      await act(dialog)
    } catch (error) {
      problem(dialog, error.message)
    }
  })
}

function openToken(values = {}) {
  const dialog = $('token')
  for (const [name, value] of Object.entries(values)) field(dialog, name).value = value
  dialog.querySelector('.result').hidden = true
  open('token')
}

whenSent('token', async (dialog) => {
  const text = field(dialog, 'claims').value.trim()
  let claims = {}
  if (text) {
    try {
      claims = JSON.parse(text)
    } catch (error) {
      throw new Error(`claims: this is not JSON: ${error.message}`)
    }
  }
  const { token } = await call('POST', 'login-token', {
    provider: field(dialog, 'provider').value.trim(),
    subject: field(dialog, 'subject').value || null,
    audience: field(dialog, 'audience').value || null,
    expires_in: field(dialog, 'expires_in').value === '' ? null : Number(field(dialog, 'expires_in').value),
    claims,
  })
  dialog.querySelector('.result').hidden = false
  $('made-token').value = token
  $('made-token').select()
  $('made-token').scrollIntoView({ block: 'nearest' })
})

async function showPlanned() {
  const planned = await call('GET', 'faults')
  $('planned').replaceChildren(
    ...(planned.length ? planned.map((fault) => h('li', {}, h('span', { class: 'mono' }, Object.entries(fault).map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`).join(', ')))) : [h('li', { class: 'faint' }, 'Nothing.')]),
  )
  return planned
}

whenSent('fault', async (dialog) => {
  const what = field(dialog, 'what').value
  const fault = { operation: field(dialog, 'operation').value, times: Number(field(dialog, 'times').value) }
  if (what === 'code') fault.code = field(dialog, 'code').value
  else if (what === 'drop') fault.drop = true
  else if (what === 'drop-after') fault.drop = 'after'
  else fault[what] = Number(field(dialog, what).value)
  await call('PUT', 'faults', [...(await call('GET', 'faults')), fault])
  await showPlanned()
  say('The fault is planned.')
})

async function openFault() {
  const choices = field($('fault'), 'operation')
  open('fault')
  try {
    if (!choices.options.length) {
      choices.replaceChildren(...['*', ...(await call('GET', 'operations'))].map((name) => h('option', { value: name }, name === '*' ? 'Any operation' : name)))
    }
    await showPlanned()
  } catch (error) {
    problem($('fault'), error.message)
  }
}

whenSent('time', async (dialog) => {
  state.settings = await call('PUT', 'settings', { time_passed: Number(field(dialog, 'time_passed').value) })
  showClock()
  dialog.close()
  say('The clock is moved.')
})

whenSent('reset', async (dialog) => {
  await call('POST', 'reset')
  dialog.close()
  go({ item: '', find: '', owner: '' })
  say('The emulator is reset.')
})

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    say('Copied.')
  } catch {
    say('The browser does not copy here. Select the text, and copy it.')
  }
}

// ---------------------------------------------------------------- start

const OPEN = {
  token: openToken,
  fault: openFault,
  time: () => {
    field($('time'), 'time_passed').value = state.settings.time_passed
    open('time')
  },
  reset: () => open('reset'),
}

for (const button of document.querySelectorAll('[data-opens]')) button.addEventListener('click', () => OPEN[button.dataset.opens]())
for (const button of document.querySelectorAll('[data-closes]')) button.addEventListener('click', () => button.closest('dialog').close())
for (const button of document.querySelectorAll('[data-copies]')) button.addEventListener('click', () => copy($(button.dataset.copies).value))
for (const button of document.querySelectorAll('[data-seconds]')) {
  button.addEventListener('click', () => {
    const input = field($('time'), 'time_passed')
    input.value = Number(input.value) + Number(button.dataset.seconds)
  })
}

field($('fault'), 'what').addEventListener('change', (event) => {
  for (const label of $('fault').querySelectorAll('[data-for]')) label.hidden = label.dataset.for !== event.target.value
})
$('no-faults').addEventListener('click', async () => {
  try {
    await call('PUT', 'faults', [])
    await showPlanned()
  } catch (error) {
    problem($('fault'), error.message)
  }
})

$('views').append(...Object.entries(VIEWS).map(([name, view]) => {
  const anchor = link(view.title, name)
  anchor.dataset.view = name
  return h('li', {}, anchor)
}))
$('find').addEventListener('input', () => {
  clearTimeout($('find').timer)
  $('find').timer = setTimeout(() => go({ find: $('find').value.trim(), item: '' }), 250)
})
$('search').addEventListener('submit', (event) => event.preventDefault())
$('errors').addEventListener('change', () => {
  state.onlyErrors = $('errors').checked
  showRows()
})
$('pause').addEventListener('click', () => {
  state.paused = !state.paused
  $('pause').setAttribute('aria-pressed', String(state.paused))
  if (!state.paused) listen.draw()
})
$('widen').addEventListener('click', () => go({ owner: '' }))
$('more').addEventListener('click', loadMore)
$('back').addEventListener('click', () => {
  const item = state.item
  go({ item: '' })
  setTimeout(() => [...$('rows').children].find((row) => row.dataset.key === `${state.view} ${item}`)?.firstChild.focus())
})
$('rows').addEventListener('keydown', (event) => {
  const row = event.target.closest('li')
  const next = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling }[event.key]
  if (!next) return
  event.preventDefault()
  next.firstChild.focus()
})
document.addEventListener('visibilitychange', () => document.hidden || refresh())
window.addEventListener('hashchange', () => {
  showDetail.asked = true
  readAddress()
})

readAddress()
listen()
readClock()
setInterval(showClock, 1000)
call('GET', 'pools').then((page) => rememberPools(page.items), () => {})
