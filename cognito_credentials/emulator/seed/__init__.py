"""
A TOML file in, what a new emulator holds out.

- ``file``: the format of the file; reads it and plants its tables
- ``entry``: one table; its members are taken out by kind, and mistakes name their place
- ``pool``: a ``[[pools]]`` table in, an identity pool with its roles out
- ``tables``: the same for all other tables
"""
