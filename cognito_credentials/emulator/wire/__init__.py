"""
HTTP requests in, HTTP answers out.

- ``server``: a listening socket and the service in, a thread that answers requests out
- ``application``: one request in, one answer out; it uses all the files below
- ``routes``: a request that calls no operation in, its answer out: the function of its path
- ``managed_login``: the routes of user pools for signing in: their pages and their endpoints for programs
- ``own_account``: the pages of user pools for signing up and for forgotten passwords
- ``issuer``: the routes of the emulator's own issuer: its pages and its endpoints for programs
- ``sign_in``: what the routes for signing in share: pages, forms that only they can send, answers of OAuth
- ``rules``: a request in, out whether its route may answer this web page, by this name of the emulator
- ``reading``: headers and body in, the operation that is called out
- ``hosts``: the name in a Host or Origin header in, out whether the emulator is called by it
- ``signatures``: a signed request in, its caller out
- ``updates``: an update of a pool in, out whether another update of the pool is under way
- ``sweeping``: deletes the identities of deleted pools, in slices
- ``throttle``: an operation and a region in, out whether the quota admits another call
- ``answers``: results and errors in, AWS JSON or STS's XML out
- ``sending``: an answer in, ASGI messages out, at once or slowly
- ``discovery``: a path in, the OpenID configuration or the key set of an issuer out
- ``control``: a call under ``/_emulator/`` in, its answer out
- ``history``: a request and its trail in, the records of the last requests out
- ``events``: a connection in, the records out as they come
- ``console``: the page of a browser at ``/``, and its files
- ``listing``: which page of a list is wanted in, the things that the emulator has out
- ``faults``: the faults that tests plan in, the fault for a request out
- ``issuing``: what tests ask for in, login tokens, SAML responses and decisions about sessions out
- ``certificates``: a host name in, files with a self-signed certificate and its key out
- ``log``: one request in, one line of the log out

A call of an AWS operation is a request of ``/``, and is answered first. Every other request has a route of
starlette, in ``routes.make_router``. A new route goes there: one line with its path, function, methods and
rule, above the mount that takes all other paths. If several routes are about one thing, its file has a
function that returns their list, and ``make_router`` names that function.
"""
