"""
The refresh policy. Only here do logins, exchange and cache meet.

    refresher.py         credentials: from memory, from the store, or new; one thread, then one process, asks
    exchanger.py         logins -> credentials; recovers once when the service refuses an identity or a login
    identification.py    the identity id, and an OpenID token
    identities.py        principal -> identity id: remembered, replaced, announced
    owners.py            whether the logins belong to somebody else since the last look
    policy.py            fresh, stale, ending, expired; refresh moments and back-off, as pure functions
    held.py              a record in this process's memory
    backoff.py           failures, and until when nobody asks again
    notices.py           warnings, at most one in five minutes
"""
