"""
A TOML file in, the content of a new state out.

- ``file``: the whole file; describes its format
- ``pool``: a ``[[pools]]`` table in, an identity pool with its roles out
- ``tables``: each other table in, rows of the state out
- ``entry``: one table in, its members out, each checked for its kind
"""
