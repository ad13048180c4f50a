"""
The refresh policy. Only here do logins, exchange and cache meet.

    refresher.py         credentials: from memory, from the store, or new; one thread, then one process, asks
    exchanger.py         logins -> credentials; recovers once when the service refuses an identity or a login
    identification.py    the identity id, and an OpenID token
    identities.py        principal -> identity id: remembered, replaced, announced
    owners.py            whether another person has signed in since the last look
    policy.py            fresh, stale, ending, expired; refresh moments and back-offs: numbers and arithmetic
    held.py              credentials in this process's memory, and the warnings it has given
    backoff.py           failures, and until when nobody asks again
"""
