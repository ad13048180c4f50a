"""What an installed wheel must be, checked where there is no checkout: `.ci/run` copies this file away."""

# ruff: noqa: INP001  (a script, and no package)
from __future__ import annotations

import sys
from importlib.metadata import distribution
from pathlib import Path

import cognito_credentials

home = Path(cognito_credentials.__file__).parent
if "site-packages" not in home.parts:
    sys.exit(f"this is not the wheel: {home}")

names = [getattr(cognito_credentials, name).__name__ for name in cognito_credentials.__all__]
if names != cognito_credentials.__all__:
    sys.exit(f"not every public name leads to its thing: {names}")

wheel = distribution("cognito-credentials")
files = [str(file) for file in wheel.files or ()]
package = [name for name in files if name.startswith("cognito_credentials/") and not name.endswith(".pyc")]
others = {name.split("/")[0] for name in files} - {"cognito_credentials", ".."}
if others != {f"cognito_credentials-{wheel.version}.dist-info"}:
    sys.exit(f"the wheel has more in it than the package: {others}")
if "cognito_credentials/py.typed" not in package:
    sys.exit("the wheel has no py.typed: its types would not be seen")
console = ("console/console.html", "console/console.css", "console/console.js", "console/icon.svg")
pages = {f"cognito_credentials/emulator/{name}" for name in (*console, "pages/style.css")}
if missing := pages - set(package):
    sys.exit(f"the wheel lacks files of the emulator's pages: {missing}")
texts = {"cognito_credentials/cli/errors.md"}  # what `help E-…` prints
if missing := texts - set(package):
    sys.exit(f"the wheel lacks a text: {missing}")
if stray := [
    name for name in package if not name.endswith((".py", "py.typed")) and name not in pages | texts
]:
    sys.exit(f"the wheel has files that nobody asked for: {stray}")
if not any(name.endswith("licenses/LICENSE") for name in files):
    sys.exit("the wheel has no licence")
if cognito_credentials.__version__ != wheel.version:
    sys.exit("the version is not that of the distribution")
sys.stdout.write(f"{len(package)} files, {len(names)} public names, types, licence: in order\n")
