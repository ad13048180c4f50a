"""
An app made by PyInstaller signs in and renews its credentials: `check_frozen.py PYTHON WORK`.

PYTHON is that of an environment with PyInstaller and the installed wheel with its login extra, and nothing of
the checkout. The app is one folder (`--onedir`); `--onefile` packs the same files. It meets the emulator
twice, an hour apart: libfaketime moves the clock of the app, and the emulator moves its own.

Runs with a Python that has this package with its test extra.
"""

# ruff: noqa: INP001, T201  (a script, and no package)
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cognito_credentials
from cognito_credentials.emulator import Emulator

APP = Path(__file__).parent / "frozen_app.py"
USER_POOL = "us-east-1_Ab1Cd2Ef3"
CLIENT_ID = "4ab1cd2ef3"
PASSWORD = "Correct-horse-7"  # noqa: S105  (of a user who is made up here)
HOUR = 3600


def hold(claim: bool, otherwise: str) -> None:
    """Stop where *claim* is wrong."""
    if not claim:
        sys.exit(otherwise)


def build(python: str, work: Path) -> Path:
    """Make the app; return its program."""
    folders = ("--distpath", "dist", "--workpath", "build", "--specpath", ".")
    freeze = (python, "-m", "PyInstaller", "--noconfirm", "--onedir", "--name", "app", *folders, str(APP))
    done = subprocess.run(freeze, cwd=work, check=False, capture_output=True, text=True)
    hold(done.returncode == 0, f"PyInstaller: {done.stderr[-3000:]}")
    return work / "dist/app" / ("app.exe" if os.name == "nt" else "app")


class App:
    """The app as it runs."""

    def __init__(self, program: Path, environ: dict[str, str], *, later: int = 0) -> None:
        """Start it with its clock *later* seconds ahead."""
        clock = ["faketime", "-f", f"+{later}s"] if later else []
        self.process = subprocess.Popen(
            [*clock, program], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        hold(self.line() == cognito_credentials.__version__, "the app does not know the version")

    def line(self) -> str:
        """Return the next line that it prints."""
        line = self.process.stdout.readline() if self.process.stdout else ""
        hold(bool(line), "the app ended")
        return line.rstrip("\n")

    def says(self, word: str) -> str:
        """Give it a word; return its answer."""
        if self.process.stdin:
            self.process.stdin.write(word + "\n")
            self.process.stdin.flush()
        return self.line()

    def end(self) -> None:
        """End its input, and wait."""
        self.process.communicate(timeout=60)
        hold(self.process.returncode == 0, f"the app ended with {self.process.returncode}")


def environment(emulator: Emulator, home: Path, store: str) -> dict[str, str]:
    """Return what the app is started with: nothing of this process's Python."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
    services = ("COGNITO_IDENTITY", "COGNITO_IDENTITY_PROVIDER", "STS")
    provider = {"ProviderName": f"cognito-idp.us-east-1.amazonaws.com/{USER_POOL}", "ClientId": CLIENT_ID}
    return {
        **kept,
        "HOME": str(home),
        "AWS_EC2_METADATA_DISABLED": "true",
        "APP_USER_POOL": USER_POOL,
        "APP_CLIENT_ID": CLIENT_ID,
        "APP_STORE": store,
        "APP_POOL": emulator.create_pool(CognitoIdentityProviders=[provider]),
        **{f"AWS_ENDPOINT_URL_{name}": emulator.url for name in services},
    }


def check(program: Path, emulator: Emulator, home: Path) -> None:
    """Sign in, be found again an hour later, and have other credentials then."""
    home.mkdir()
    emulator.create_user_pool(
        id=USER_POOL, clients=[{"id": CLIENT_ID}], users=[{"name": "ann", "password": PASSWORD}]
    )
    environ = environment(emulator, home, "file")
    first = App(program, environ)
    out = first.says("who")
    hold("LoginRequiredError" in out or "CredentialRetrievalError" in out, f"nobody is signed in: {out}")
    hello = first.says(f"in {PASSWORD}")
    hold(hello.startswith("hello, ann"), hello)
    before = first.says("who").split()
    hold(len(before) == 3 and "assumed-role" in before[1], f"no credentials: {before}")
    hold(first.says("who").split() == before, "credentials that are fresh were not kept")
    first.end()

    emulator.settings(clock_offset=HOUR + 60)
    second = App(program, environ, later=HOUR + 60)
    after = second.says("who").split()
    second.end()
    hold(after[:1] == before[:1], f"the identity did not stay: {before}, then {after}")
    hold(len(after) == 3 and after[2] != before[2], f"not renewed: {before}, then {after}")
    emulator.settings(clock_offset=0)
    print(f"signed in as {before[0]}; other credentials an hour later")

    keyring = App(program, environment(emulator, home, "keyring"))
    said = keyring.says(f"in {PASSWORD}")
    keyring.end()
    hold(said.startswith(("hello, ann", "error: CacheError: the keyring cannot be used")), said)
    print(f"with the keyring: {said[:80]}")

    status = ["status", "--identity-pool-id", environ["APP_POOL"]]
    for words in (["--version"], ["demo", "--help"], ["help", "E-NO-POOL"], status):
        done = subprocess.run(
            [program, *words], env=environ, check=False, capture_output=True, text=True, timeout=60
        )
        hold(done.returncode == 0, f"{words}: {done.returncode} {done.stdout}{done.stderr}")
    print("the command line runs in it")


def main() -> None:
    """Build the app, and use it."""
    python, work = sys.argv[1], Path(sys.argv[2])
    work.mkdir(parents=True, exist_ok=True)
    hold(shutil.which("faketime") is not None, "there is no faketime, which moves the app's clock")
    program = build(python, work)
    folder = program.parent / "_internal"
    bundles = [place for place in ("botocore", "certifi") if (folder / place / "cacert.pem").is_file()]
    hold(bool(bundles), "the app has no certificates for https")
    with Emulator() as emulator:
        check(program, emulator, work / "home")


if __name__ == "__main__":
    main()
