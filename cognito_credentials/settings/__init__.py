"""
Settings of an identity pool, checked once and then frozen.

    load.py          arguments, environment, profile -> Settings, or the error that names the place to correct
    settings.py      Settings and ConfiguredLogins, the values; principal -> cache keys
    checks.py        value of one setting -> checked value, or the error that says what it must look like
    aws_config.py    AWS config file -> profiles; name asked for, environment -> the profile in effect
    endpoints.py     service, environment, profile -> its configured endpoint; endpoint -> checked endpoint
"""
