"""Tests of the wire: with the emulator, and with raw sockets for answers that the emulator cannot give."""
