"""Tests of one identity pool, as programs use it."""
