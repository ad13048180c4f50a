"""Tests of the wire: against the emulator where it can, against raw sockets where it must."""
