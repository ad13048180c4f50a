"""
The sign-in as it is kept: in files, or in an app's own place.

    sign_in.py          one sign-in: its tokens when they are needed, a new sign-in, the end
    replacing.py        a new sign-in -> stored in place of the one before, whole or not at all
    stored_tokens.py    the stored refresh token -> new tokens; a rotated one is stored
    account.py          the account file: who is signed in, without a secret
    stores.py           the secret store: the keyring, a plain file if the user chose that, or the app's text
    keyring_store.py    a file that is sealed with a key in the keyring
    keyring_child.py    the process that speaks to the keyring
    place.py            where one sign-in is kept; its files' names, their directory, and its lock
    own_place.py        the same in an app's store: what is loaded, saved, and not yet saved
    own_text.py         the text that the app keeps: written, and checked when it comes back
    own_store.py        how an app's store is asked: in a thread, with time limits
"""
