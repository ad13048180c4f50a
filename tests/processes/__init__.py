"""Many real processes of one machine, with the emulator over HTTP."""
