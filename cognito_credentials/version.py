"""The version: the distribution (pyproject.toml), ``--version`` and the user agent read it here."""

__version__ = "0.2.0"
