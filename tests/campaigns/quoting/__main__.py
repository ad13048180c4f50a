"""
Writes 500 names into ``credential_process`` lines and has every reader at hand run them.

    python -m tests.campaigns.quoting [NAMES] [SEED]

Readers: `shlex`, bash and dash; botocore; and where they are installed the SDKs for Go (Debian's
golang-github-aws-aws-sdk-go-dev and -v2-dev, with golang-go), Ruby (ruby-aws-sdk-core) and JavaScript (npm).
Each has to hand over the same words. Exits with 1 if one does not, or if a part of a name was run.
"""

from __future__ import annotations

import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from cognito_credentials.errors import shell_word

HERE = Path(__file__).parent
SPECIAL = (
    *("a$(touch P)", "a`touch P`", "a;touch P", "$HOME", "${x}", "~", "~root", "*", "?", "{a,b}", "!x"),
    *("a!b", "(a)", "a#b", "#a", "a #b", "a ;b", "%PATH%", "%s", "a,b", "é", "日本語", "^a", "a=b", "="),
    *("@x", "a:b", "a/b", "+a", "a.b", "a_b", "--", "$", "a$", "$$", "&&", "||", "a|b", "a&b", "a>b"),
    *("a<b", "a b", "a  b", "it's", "''", 'a"b', '"', "a\\b", "\\", "a\\", "[a]", "a\tb"),
)
ALPHABET = "ab1 $`;|&<>(){}[]*?!#~%^=@:,.+-_/\\'\"éß"
CREDENTIALS = {
    "Version": 1,
    "AccessKeyId": "AKIAAAAAAAAAAAAAAAAA",
    "SecretAccessKey": "x",
    "SessionToken": "y",
    "Expiration": "2036-01-01T00:00:00Z",
}
RECORDER = f"""#!/bin/sh
printf '%s\\0' "$0" "$@" >>"$SEEN"
echo >>"$SEEN"
printf '%s' '{json.dumps(CREDENTIALS)}'
"""
FOLDERS = ("plain", "with space", "it's", "a$(touch P)", "Ünï", "a#b ;c")

Reader = Callable[[list[str], dict[str, str]], None]


def names(count: int, seed: int) -> list[str]:
    """Return names of all kinds."""
    rng = random.Random(seed)
    made = list(SPECIAL)
    while len(made) < count:
        name = "".join(rng.choice(ALPHABET) for _ in range(rng.randint(1, 12))).strip()
        made += [name] if name else []
    return made[:count]


def readers(place: Path, *, is_slow: bool = True) -> dict[str, Reader]:
    """
    Return every reader that can be used here; each takes the lines, and the environment.

    Args:
        is_slow: Whether those are made ready that take long: Ruby's, Go's and JavaScript's.
    """

    def shell(program: str) -> Reader:
        return lambda lines, environ: _run([program, "-c", "\n".join(lines)], "", environ)

    def by_profile(*argv: str) -> Reader:
        return lambda lines, environ: _run(list(argv), "".join(f"p{n}\n" for n in range(len(lines))), environ)

    def split(lines: list[str], environ: dict[str, str]) -> None:
        for line in lines:
            _run(shlex.split(line), "", environ)

    found: dict[str, Reader] = {"shlex": split}
    found |= {program: shell(program) for program in ("bash", "dash") if shutil.which(program)}
    found["botocore"] = by_profile(sys.executable, str(HERE / "with_botocore.py"))
    if not is_slow:
        return found
    if shutil.which("ruby") and _succeeds(["ruby", "-e", "require 'aws-sdk-core'"]):
        found["ruby"] = by_profile("ruby", str(HERE / "ruby.rb"))
    for name in ("go_v1", "go_v2"):
        environ = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(place / "gocache")}
        build = ["go", "build", "-o", str(place / name), str(HERE / f"{name}.go")]
        if shutil.which("go") and _succeeds(build, {**os.environ, **environ}):
            found[name] = by_profile(str(place / name))
    if shutil.which("npm"):
        shutil.copy(HERE / "javascript.mjs", place)
        install = ["npm", "install", "--silent", "--prefix", str(place), "@aws-sdk/credential-providers@3"]
        if _succeeds(install):
            found["javascript"] = by_profile("node", str(place / "javascript.mjs"))
    return found


def wrong(reader: Reader, words: list[list[str]], place: Path) -> list[list[str]]:
    """Have *reader* run a line of each of *words*; return those that it did not hand over as they are."""
    seen, lines = place / "seen", [" ".join(map(shell_word, line)) for line in words]
    config = place / "config"
    config.write_text(
        "".join(f"[profile p{n}]\ncredential_process = {line}\n" for n, line in enumerate(lines))
    )
    seen.write_bytes(b"")
    environ = {"PATH": os.environ["PATH"], "HOME": str(place), "LANG": "C.UTF-8", "SEEN": str(seen)}
    environ |= {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    reader(lines, {**environ, "AWS_SDK_LOAD_CONFIG": "1", "AWS_EC2_METADATA_DISABLED": "true"})
    given = {tuple(text.decode().split("\0")[:-1]) for text in seen.read_bytes().split(b"\n")}
    # A word more than once is no difference: Ruby's SDK runs each line twice.
    return [line for line in words if tuple(line) not in given]


def prepare(place: Path) -> list[str]:
    """Make the program that is run, in folders of all kinds."""
    programs = []
    for folder in FOLDERS:
        program = place / folder / "cognito-credentials"
        program.parent.mkdir()
        program.write_text(RECORDER)
        program.chmod(0o755)
        programs.append(str(program))
    return programs


def words_of(names: list[str], programs: list[str]) -> list[list[str]]:
    """Return the words of a line for each name."""
    return [
        [programs[n % len(programs)], "credential-process", "--profile", name] for n, name in enumerate(names)
    ]


def _run(argv: list[str], text: str, environ: dict[str, str]) -> None:
    subprocess.run(
        argv, input=text, text=True, env=environ, cwd=environ["HOME"], capture_output=True, check=False
    )


def _succeeds(argv: list[str], environ: dict[str, str] | None = None) -> bool:
    return subprocess.run(argv, env=environ, capture_output=True, check=False).returncode == 0


def main(argv: list[str]) -> int:
    """Run the campaign; return the exit code."""
    count, seed = (*map(int, argv), *(500, 1)[len(argv) :])
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        words = words_of(names(count, seed), prepare(place))
        is_good = True
        for name, reader in readers(place).items():
            failed = wrong(reader, words, place)
            is_good &= not failed
            print(f"{name}: {len(words) - len(failed)} of {len(words)} with the same words", failed[:5] or "")
        was_run = (place / "P").exists()
        print("a part of a name was run" if was_run else "no part of a name was run")
    return int(not is_good or was_run)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
