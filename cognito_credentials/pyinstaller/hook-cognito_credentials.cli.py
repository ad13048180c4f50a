"""
An app with our command line in it has all commands, which are imported by their names as they are used.

It also has the text that ``help E-…`` prints.
"""

# ruff: noqa: N999  (PyInstaller finds hooks by such names)
from PyInstaller.utils.hooks import collect_data_files, collect_submodules

hiddenimports = collect_submodules("cognito_credentials.cli")
datas = collect_data_files("cognito_credentials.cli", includes=["*.md"])
