"""Long runs, one command each; the test suite runs a short version of every one."""
