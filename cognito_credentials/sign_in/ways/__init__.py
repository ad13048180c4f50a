"""
The ways in which a person signs in: each leads to the tokens of an issuer.

    browser.py          authorization code with PKCE; surroundings.py tells whether a browser can be opened
    callback.py         the loopback end of it; pages.py is what the browser shows, peer.py who connects
    authorization.py    the address that the browser opens, and the answer that comes back
    device.py           the device authorization grant (RFC 8628)
    password.py         a user pool's challenges; typed.py reads the answers, srp.py proves passwords
    interaction.py      what a person is shown and asked; unseen.py reads what is not echoed
"""
