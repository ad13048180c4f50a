"""
The exchange with Cognito Identity and STS: logins -> identity id -> temporary credentials.

    flows.py             which calls, in which order (enhanced flow, basic flow, OpenID token)
    client.py            one method for each operation: arguments -> checked answer, or `Failure`
    calls.py             one call and its one repetition; parameters -> answer, or `Failure`
    botocore_client.py   settings -> botocore's client, unsigned and isolated
    transport.py         a prepared request -> an answer, within limits of size, time and host
    deadline.py          a time limit for a whole exchange
    silence.py           keeps our calls out of botocore's wire log
    failures.py          an exception -> `Failure`: our error, and the action that may help
    table.py             the rows of failures.py; facts.py has the values that their texts name
    actions.py           `Action` and `Failure`
    http.py              requests of sign-in to issuers and back ends, by the same transport
    interruption.py      Ctrl-C without the frames that hold a secret

Nothing is remembered here. `refresh/` decides what is kept and when to ask again.
"""
