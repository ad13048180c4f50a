"""Real processes against the emulator over HTTP: what is promised for a whole machine."""
