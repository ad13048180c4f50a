"""
The exchange with Cognito Identity and STS: logins -> identity id -> temporary credentials.

    flows.py             which calls, in which order (enhanced flow, basic flow, OpenID token)
    client.py            one method for each operation: arguments -> checked answer, or `Failure`
    calls.py             one call and its one repetition; parameters -> answer, or `Failure`
    service.py           operation and parameters -> the answer's members, after up to three attempts
    endpoints.py         service, region, FIPS, dual stack -> URL
    requests.py          parameters -> headers and body; status, headers and body -> members, or `Refusal`
    retries.py           which failed request is sent again, and when
    transport.py         one request -> its answer, within limits of size, time and host
    connections.py       host, proxy, TLS -> an open connection
    secured.py           TLS on a connection, in steps that no fork cuts through
    proxies.py           URL -> its proxy, as botocore finds it
    mocked.py            whether moto pretends to be AWS here
    tls.py               settings -> CA bundle; CA bundle -> TLS context
    faults.py            what can go wrong before there is an answer
    deadline.py          a time limit for a whole exchange
    failures.py          an exception -> `Failure`: our error, and the action that may help
    redaction.py         the words of a service -> the same without the secrets that were sent
    table.py             the rows of failures.py; facts.py has the values that their texts name
    actions.py           `Action` and `Failure`
    http.py              requests of sign-in to issuers and back ends, by the same transport
    interruption.py      Ctrl-C without the frames that hold a secret

Nothing is remembered here. `refresh/` decides what is kept and when to ask again.
"""
