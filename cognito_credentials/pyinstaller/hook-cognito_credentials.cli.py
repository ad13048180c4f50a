"""An app with our command line in it has all commands, which are imported by their names as they are used."""

# ruff: noqa: N999  (PyInstaller finds hooks by such names)
from PyInstaller.utils.hooks import collect_submodules

hiddenimports = collect_submodules("cognito_credentials.cli")
