"""
The exchange: logins become an identity, and an identity becomes temporary credentials, over the wire.

    flows.py             which calls, in which order (enhanced flow, basic flow, OpenID token)
    client.py            one method for each operation
    calls.py             one call, and what becomes of its failure
    botocore_client.py   botocore's own client, made for our use alone
    transport.py         one request: how much is read, from whom, for how long
    deadline.py          an end to all of it together
    silence.py           botocore's wire log says nothing about our calls
    failures.py          what an error means; table.py has the rows, facts.py what they name

It remembers nothing: what is kept, and when to ask again, is decided in `refresh/`.
"""
