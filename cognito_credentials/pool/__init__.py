"""
One identity pool, as programs use it.

    pool.py          IdentityPool: the public methods; announces changed identities
    parts.py         settings and logins -> wire, store and policy, joined
    logins.py        settings -> the login sources that they name
    linking.py       guest to user, one more login, one login less
    signing_in.py    sign a person in to what the logins name, and out again
    status.py        what is known offline, for people and programs
"""
