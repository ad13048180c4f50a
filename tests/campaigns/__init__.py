"""Long random checks, one command each. The tests run a short version of each."""
