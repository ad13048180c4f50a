"""
One identity pool, as programs use it.

    pool.py          arguments -> IdentityPool: the public methods; announces changed identities
    async_pool.py    the same -> AsyncIdentityPool: the same methods as coroutines
    flights.py       calls that threads make for tasks -> what the tasks get
    configured.py    profile and environment -> the pool that they name, or None: for an SDK's chain
    parts.py         settings and logins -> store, wire and policy, joined for one user; opens the store
    logins.py        settings -> the login sources that they name
    linking.py       parts and logins -> parts: guest to user, one more login, one login less
    signing_in.py    parts -> a person is signed in to the pool's login source, or out of it
    status.py        parts -> what is known offline, for people and programs
"""
