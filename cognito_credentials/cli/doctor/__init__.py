"""
``doctor``: looks for what is wrong with a profile and its surroundings, and says what to do.

    check.py       what a check is, and what it finds; running all of them
    setup.py       what the checks look at: environment, config, settings, pool; each read once
    checks.py      all checks, in order
    settled.py     config files and the profile: which pool is meant, and whether its settings are right

A check is a function from a `Setup` to what it found. It writes nothing that lasts, makes no identity, and
shows no secret: whoever asks for help pastes the report where everybody reads it.
"""
