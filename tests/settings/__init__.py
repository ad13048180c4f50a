"""Tests of what is remembered; `contract.py` is what every store must pass."""
