"""
Measured figures, each with the bar that it must hold: ``python -m tests.benchmarks [--quick] [PART …]``.

    hits.py        seconds: whole commands on a cache hit, and importing the package
    installed.py   seconds: a cache hit of the package as pip, uv and pipx install it
    cold.py        seconds: a guest's first credentials by a whole command, also on a twentieth of a core
    node.py        the AWS SDK for JavaScript in Node.js, which npm installs: the yardstick of cold.py
    quota.py       a twentieth of a core
    process.py     whole processes, timed in turns
    requests.py    requests: first credentials, later ones, cached ones
    crowds.py      requests, errors, waits: 200 processes at once, cold, at the refresh moment, in an outage
    threads.py     refreshes and torn credentials: 64 threads over 20 generations
    users.py       CPU, memory and requests: one more user of a process, thousands of users (users_client.py)
    tasks.py       requests, standstill, reads: 1,000 tasks of an event loop at once (tasks_client.py)
    outages.py     requests and errors: botocore in an outage with our credentials, and with its own classes
    signing.py     seconds: signing one request, beside botocore's credentials and awscrt's
    campaigns.py   losses: kills, mutated records, two days of use
    emulator.py    the emulator beside moto_server; a command of its own
    figures.py     a figure, its bar, and the line that shows both
    conditions.py  the machine that the figures were measured on
    machine.py     a home, the emulator and one identity pool to measure on

Times are ratios within one run, of interleaved repetitions, since machines differ. `test_figures.py` runs the
parts that count, in short.
"""
