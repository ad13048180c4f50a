"""
Programs that list a bucket once for each line that they read, and print ``> ok``, or ``>`` and an error.

They are long-lived, in one process with one client, so that a renewal in between is the client's own. None
knows of this package: credentials, region and address come from the environment.
"""
