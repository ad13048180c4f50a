"""
Measured figures, each with the bar that it must hold: ``python -m tests.benchmarks [--quick] [PART …]``.

    startup.py     seconds: a whole ``credential-process`` command, and importing the package
    requests.py    requests: first credentials, later ones, cached ones
    crowds.py      requests and errors: 200 processes at once, in order and in an outage
    threads.py     refreshes and torn credentials: 64 threads over 20 generations
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
