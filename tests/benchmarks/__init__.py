"""
The figures of the design, each beside its bar: ``python -m tests.benchmarks [--quick] [PART …]``.

    startup.py     what starting the command costs
    requests.py    how many requests credentials cost
    crowds.py      200 processes at once, well and in an outage
    threads.py     64 threads over 20 generations
    outages.py     botocore in an outage, beside its own classes
    signing.py     what signing one request costs, beside botocore's and awscrt's
    campaigns.py   kills, mutations, and two days of use
    figures.py, conditions.py   a figure and its bar; the machine that it was measured on

Times are ratios within one run, of interleaved repetitions. What is counted, not timed, is tested as well:
`test_figures.py` here, in short, and `tests/processes`.
"""
