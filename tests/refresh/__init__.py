"""Tests of the refresh policy."""
