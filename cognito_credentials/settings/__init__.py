"""
Settings: which pool, which flow, who, where to remember. Validated once, then frozen.

    settings.py      Settings; argument before environment before profile
    lookup.py        setting name -> value and its origin
    resolution.py    settings that depend on each other or on the machine
    checks.py        value -> checked value, or the error that says what it must look like
    aws_config.py    the AWS config file -> profiles; which profile is meant
    endpoints.py     configured endpoint of a service; what an endpoint must look like
"""
