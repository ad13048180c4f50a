"""Placeholder docstring; see below."""
