"""
The ways in which a person signs in. Each ends with verified tokens of the issuer.

    browser.py          a browser here, or elsewhere by copying addresses (authorization code with PKCE)
    authorization.py    one authorization request: the address to open -> the answer that counts -> tokens
    callback.py         the server on this machine that the issuer sends the browser to, and its pages
    peer.py             whether a connection to that server comes from a browser of the same user
    device.py           a code that is typed in on another device (RFC 8628)
    prompted.py         a person answers the questions of `password.py` at a terminal, or at an app's prompt
    password.py         user name and password or code at a user pool: step by step, to tokens or a question
    refresh_token.py    a refresh token that was given elsewhere -> tokens
    srp.py              a password -> its proof, without sending it
    prompt.py           what the person is shown and asked; on the terminal, secrets are not shown
"""
