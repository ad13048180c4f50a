"""
HTTP: requests in, calls of operations out; their results in, answers out.

- ``server``: one socket and one thread, which run the ASGI application
- ``application``: a request in, an answer out; decides which of the files below has it
- ``reading``: headers and body in, the operation that they call out
- ``signatures``: a signed request in, its caller out
- ``updates``: which pools have an update under way
- ``throttle``: an operation and a region in, whether its quota has room out
- ``answers``: results and errors in, the bytes of AWS JSON or of STS's XML out
- ``sending``: an answer in, ASGI messages out, at once or slowly
- ``discovery``: a path in, the document of an issuer out
- ``control``: the calls under ``/_emulator/``
- ``faults``: the misbehaviour that tests plan
- ``issuing``: login tokens and SAML responses for tests, and what a session may do
- ``certificates``: files with a certificate for ``--tls``
- ``log``: one line for each request, written without waiting for its reader
"""
