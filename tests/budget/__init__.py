"""Tests of the budgets that a fleet keeps."""
