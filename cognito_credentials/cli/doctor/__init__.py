"""
``doctor``: looks for what is wrong with a profile and its surroundings, and says what to do.

    check.py       what a check is, and what it finds; running all of them
    setup.py       what the checks look at: environment, config, settings, pool; each read once
    checks.py      all checks, in order
    reaching.py    the ways to the services: name, proxy, TLS
    asking.py      login sources and keyring, asked
    asked_pool.py  clock, pool, role: what the service's answers tell
    details.py     --pool-details: pool and roles, with the developer's credentials
    chosen_role.py pool, role mapping, claims -> the role, and why
    settled.py     config files and the profile: which pool is meant, what wins over it, its settings
    process.py     the ``credential_process`` line
    surroundings.py  what is left over in the environment; versions
    kept.py        the cache directory, its locks, its records
    logins.py      login sources and the sign-in, as far as nobody has to be asked
    exposure.py    path -> whether others can change that file
    ports.py       address of this machine -> whether somebody listens there

A check is a function from a `Setup` to what it found. It writes nothing that lasts, makes no identity, and
shows no secret: whoever asks for help pastes the report where everybody reads it.
"""
