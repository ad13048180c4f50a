"""Tests of the settings; `loading.py` has what they share."""
