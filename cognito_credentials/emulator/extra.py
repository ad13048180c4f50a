"""The error for a missing extra, with the command that installs it."""

from __future__ import annotations

from cognito_credentials.extras import install_command


class MissingExtraError(ImportError):
    """
    A library that the emulator needs is not installed.

    Attributes:
        library: The name of the module that could not be imported.
        install: The command that installs it.
    """

    def __init__(self, library: str | None, extra: str = "emulator") -> None:
        self.library = library or "a library"
        self.install = install_command(extra)
        what = "SAML in the emulator" if "saml" in extra else "the emulator"
        super().__init__(f"{what} needs {self.library}; run: {self.install}", name=library)
