"""
The state of the emulator, in SQLite.

- ``state``: the SQLite database, in memory or in a file, and its transactions
- ``pools``: identity pools
- ``identities``: identities and the logins that are linked to them
- ``listing``: all of these in pages, for people who look
- ``user_pools``: user pools, their app clients and their users
- ``sign_ins``: what signing in leaves: devices, grants with refresh tokens, and sessions
"""
