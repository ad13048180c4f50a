"""
The refresh policy: fresh, stale, expired -> return, refresh, wait, back off. Logins, exchange and cache meet
only here.

    refresher.py     a request for credentials or an identity id -> memory, thread, disk, back-off, lock,
                     exchange -> the answer; rejected credentials, a failed refresh, a change of users
    exchanger.py     login sources -> new credentials; what happens when the service refuses identity or login
    identities.py    principal -> identity id: remembered, replaced, announced
    owners.py        login sources -> whether another person has signed in since the last look
    policy.py        times -> fresh, stale, ending or expired; when to refresh, how long to back off
    held.py          a credentials record -> how fresh it is now; `Memory`: what a process holds of one user
    memories.py      a user -> the user's `Memory`; of so many users, those who were asked for last
    backoff.py       a failure -> until when nobody asks again, in this process and on this machine
"""
