"""
The state of the emulator, in SQLite.

- ``state``: the SQLite database, in memory or in a file, and its transactions
- ``pools``: identity pools
- ``identities``: identities and the logins that are linked to them
"""
