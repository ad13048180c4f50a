"""
The sign-in on disk.

    sign_in.py          one sign-in: an ID token when one is needed, a new sign-in, the end
    replacing.py        a new sign-in -> stored in place of the one before, whole or not at all
    stored_tokens.py    the stored refresh token -> new tokens; a rotated one is stored
    account.py          the account file: who is signed in, without a secret
    stores.py           the secret store: the keyring, or a plain file where the user chose that
    keyring_store.py    a file that is sealed with a key in the keyring
    keyring_child.py    the process that speaks to the keyring
    place.py            the files' names, the directory, and the lock of one sign-in
"""
