"""
The values that requests may have, and the names that AWS forms.

- ``shapes``: botocore's service models in, functions that check requests out
- ``members``: JSON of a control call in, its checked members out
- ``pagination``: the entries of a list in, one page and its token out
- ``names``: ids, ARNs, partitions and host names
"""
