"""
What a request may be, and the names that AWS gives.

- ``shapes``: botocore's service model in, a check of each operation's requests out
- ``violations``: the text of what such a check finds
- ``members``: JSON in, its members, checked against a table of kinds, out
- ``names``: the account, regions and partitions, ids, ARNs, host names
"""
