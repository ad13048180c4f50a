"""
Where a sign-in is remembered between processes.

    sign_in.py          one sign-in: refreshed under a lock, rotated, ended
    account.py          who is signed in: a file without a secret
    kept.py             what is remembered of a sign-in; kept_secret.py is its secret half
    replacing.py        a new sign-in in place of the one before
    elsewhere.py        other sign-ins on this machine
    place.py            the directory, verified like the cache's
    stores.py           which store: keyring_store.py (with keyring_child.py) or file_store.py
"""
