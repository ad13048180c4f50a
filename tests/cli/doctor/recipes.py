"""
How to break a healthy home, and what `doctor` has to find: a row for each cause.

To add a recipe, add a row; `test_recipes.py` runs them all.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cognito_credentials.cli.doctor.surroundings import TESTED
from cognito_credentials.digest import sha256
from tests.cli.doctor.conftest import Home, closed_port, jwt

KEYS = "aws_access_key_id = AKIAAAAAAAAAAAAAAAAA\naws_secret_access_key = CANARY-secret\n"


class Recipe(NamedTuple):
    """One cause, and the one finding that it has to have."""

    title: str
    """Of the test: what is wrong."""
    spoil: Callable[[Home], object]
    """Breaks the home."""
    name: str
    """Of the check that finds it."""
    status: str
    what: str
    """A part of what the finding says; ``{home}`` and ``{pool}`` are replaced."""
    fix: str
    """A part of what it says to do; likewise."""
    offline: bool = True
    """Whether it is found without asking anybody; otherwise only without --offline."""
    kind: str = "guest"
    """Which healthy home it breaks: one of `conftest.KINDS`."""


def options(*argv: str) -> Callable[[Home], object]:
    """Run `doctor` with other options than ``--profile guest``."""
    return lambda home: home.options.__setitem__(slice(None), argv)


def line(text: str) -> Callable[[Home], object]:
    """Write another ``credential_process``; ``OWN`` stands for what ``configure`` has written."""
    return lambda home: home.edit(
        f"credential_process = {home.line}", f"credential_process = {text}".replace("OWN", home.line)
    )


def dead(*variables: str) -> Callable[[Home], object]:
    """Set variables to an address of this machine where nothing listens."""
    return lambda home: home.set(**dict.fromkeys(variables, f"http://127.0.0.1:{closed_port()}"))


def other_installation(home: Home) -> None:
    """Have the line run a copy of the script in another environment."""
    script = home.write("old/bin/cognito-credentials.py", "")
    home.edit(home.line, f"{sys.executable} -E {script} credential-process --profile guest")


def on_path(home: Home) -> None:
    """Have the line name a program that only the shell's PATH leads to."""
    (home.path / "bin").mkdir()
    (home.path / "bin" / "cognito-credentials").symlink_to(
        Path(sys.executable).with_name("cognito-credentials")
    )
    home.set(PATH=f"{home.path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    home.edit(home.line, "cognito-credentials credential-process --profile guest")


def record(home: Home, kind: str) -> Any:
    """Return the path of the home's only record of *kind*."""
    (found,) = home.cache.glob(f"{kind}-v2-*.txt")
    return found


def damage(home: Home) -> None:
    """Lose the end of the identity's record, as a disk may."""
    path = record(home, "identity")
    path.write_bytes(path.read_bytes()[:100])


def of_a_later_version(home: Home) -> None:
    """Write the identity's record as a later version might, with another number and another field."""
    path = record(home, "identity")
    body = path.read_bytes().partition(b"sha256 ")[0].replace(b" 2 ", b" 3 ", 1) + b"more x\n"
    path.write_bytes(body + b"sha256 " + sha256(body).hexdigest().encode() + b"\n")


def full_disk(home: Home) -> None:
    """Let the file system of the cache have no space left."""
    real = os.statvfs

    def statvfs(path: Any) -> Any:
        found = real(path)
        return os.statvfs_result((*found[:3], 0, 0, *found[5:]))

    home.monkeypatch.setattr(os, "statvfs", statvfs)


def refuse(home: Home, path: Path, mode: int) -> None:
    """Let the system refuse an access to *path*; nobody else can keep root from it."""
    real = os.access

    def access(asked: Any, wanted: int) -> bool:
        return real(asked, wanted) and not (str(asked) == str(path) and wanted & mode)

    home.monkeypatch.setattr(os, "access", access)


def cannot_open(home: Home) -> None:
    """Let the disk fail where the cache is."""
    real = os.open

    def opens(path: Any, *arguments: Any, **options: Any) -> int:
        if path == str(home.cache):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(path, *arguments, **options)

    home.monkeypatch.setattr(os, "open", opens)


def of_another_user(home: Home) -> None:
    """Let a record be another user's, as after a command with ``sudo``."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another user")
    os.chown(record(home, "credentials"), 12345, -1)


def no_locks(home: Home) -> None:
    """Let the file system refuse locks, as a network file system may."""

    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    home.monkeypatch.setattr(fcntl, "flock", flock)


def locks_that_do_not_exclude(home: Home) -> None:
    """Let the file system grant every lock, as a mount with ``nolock`` does."""
    home.monkeypatch.setattr(fcntl, "flock", lambda *_: None)


def token(**claims: object) -> Callable[[Home], object]:
    """Write a login token with other claims."""
    return lambda home: home.token_file.write_text(jwt(**claims))


RECIPES = (
    # Config files and the profile
    Recipe(
        "the config file has a section twice",
        lambda home: home.add("[profile guest]\n"),
        *("config", "error"),
        "{home}/.aws/config has [profile guest] more than once: lines 1 and ",
        "Join them into one",
    ),
    Recipe(
        "the config file has a line without an equals sign",
        lambda home: home.add("what is this\n"),
        *("config", "error"),
        "{home}/.aws/config, line ",
        "Correct it there",
    ),
    Recipe(
        "the credentials file is malformed",
        lambda home: home.write(".aws/credentials", "aws_access_key_id = x\n"),
        *("config", "error"),
        "{home}/.aws/credentials, line 1 is malformed",
        "Correct it there",
    ),
    Recipe(
        "a credentials file that cannot be read",
        lambda home: refuse(home, home.write(".aws/credentials", f"[other]\n{KEYS}"), os.R_OK),
        *("config", "warning"),
        "{home}/.aws/credentials cannot be read, so programs take it for absent",
        "Correct its permissions",
    ),
    Recipe(
        "the profile does not exist",
        options("--profile", "gest"),
        *("profile", "error"),
        "profile 'gest' does not exist",
        "Did you mean 'guest'?",
    ),
    Recipe(
        "AWS_PROFILE names a profile that does not exist",
        lambda home: (options()(home), home.set(AWS_PROFILE="gest")),
        *("profile", "error"),
        "profile 'gest' (from AWS_PROFILE) does not exist",
        "Did you mean 'guest'?",
    ),
    Recipe(
        "boto3 and other SDKs mean different profiles",
        lambda home: (options()(home), home.set(AWS_DEFAULT_PROFILE="guest", AWS_PROFILE="other")),
        *("profile", "warning"),
        "AWS_DEFAULT_PROFILE is 'guest' and AWS_PROFILE is 'other': boto3 uses the first",
        "Unset AWS_DEFAULT_PROFILE",
    ),
    Recipe(
        "AWS_PROFILE without a name",
        lambda home: home.set(AWS_PROFILE=""),
        *("profile", "warning"),
        "AWS_PROFILE is set to nothing: boto3 and the AWS CLI look for a profile without a name",
        "Unset it",
    ),
    Recipe(
        "the section of the profile lacks the word profile",
        lambda home: home.edit("[profile guest]", "[guest]"),
        *("profile", "error"),
        "found [guest]",
        "In this file it must be [profile guest]",
    ),
    Recipe(
        "the profile has no pool",
        lambda home: home.edit(f"cognito_identity_pool_id = {home.pool_id}\n", ""),
        *("settings", "error"),
        "no identity pool is configured",
        "Set AWS_COGNITO_IDENTITY_POOL_ID, cognito_identity_pool_id in profile 'guest'",
    ),
    Recipe(
        "another profile has the pool",
        options(),
        *("settings", "error"),
        "no identity pool is configured",
        "Profile 'guest' has one: choose it with --profile guest",
    ),
    Recipe(
        "the key of the pool is misspelt",
        lambda home: home.edit("cognito_identity_pool_id", "cognito_identity_poolid"),
        *("spelling", "error"),
        "cognito_identity_poolid in profile 'guest' is not a setting",
        "Did you mean cognito_identity_pool_id?",
    ),
    Recipe(
        "the key of the pool lacks its prefix",
        lambda home: home.edit("cognito_identity_pool_id", "identity_pool_id"),
        *("spelling", "error"),
        "identity_pool_id in profile 'guest' is not a setting",
        "Write cognito_identity_pool_id",
    ),
    Recipe(
        "a key is none",
        lambda home: home.add("cognito_colour = blue\n"),
        *("spelling", "warning"),
        "cognito_colour in profile 'guest' is not a setting",
        "Remove it",
    ),
    Recipe(
        "credential_process is misspelt",
        lambda home: home.edit("credential_process", "credential_proces"),
        *("spelling", "error"),
        "credential_proces in profile 'guest' is not a setting: SDKs run nothing",
        "Write credential_process",
    ),
    Recipe(
        "the id of the pool is malformed",
        lambda home: home.edit(home.pool_id, "us-east-1_Ab1Cd2Ef3"),
        *("settings", "error"),
        "identity_pool_id from profile 'guest'",
        "identity pool",
    ),
    Recipe(
        "the id of the pool is cut off",
        lambda home: home.edit(home.pool_id, home.pool_id[:-1]),
        *("settings", "error"),
        "identity_pool_id from profile 'guest' has 35 characters after its region, and a pool's has 36",
        "Copy the whole id",
    ),
    Recipe(
        "the id of the identity lacks its region",
        lambda home: (
            home.add("cognito_identity_id = 7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3\n"),
            home.secrets.append("7c0d5b1e"),
        ),
        *("settings", "error"),
        "identity_id from profile 'guest' is not REGION:GUID: '…a9f3'",
        "Write its region before it",
    ),
    Recipe(
        "the id of the identity is in upper case",
        lambda home: (
            home.add("cognito_identity_id = US-EAST-1:7C0D5B1E-62F0-4A0A-9D53-0C1DE4B2A9F3\n"),
            home.secrets.append("7C0D5B1E"),
        ),
        *("settings", "error"),
        "identity_id from profile 'guest' is not REGION:GUID all in lower case",
        "Write 'us-east-1:…a9f3'",
    ),
    Recipe(
        "a login source is malformed",
        lambda home: home.add("cognito_logins =\n  login.example.com = fil:/token\n"),
        *("settings", "error"),
        "logins from profile 'guest'",
        "Write file:PATH",
    ),
    Recipe(
        "a comment is part of a value",
        lambda home: home.add("cognito_flow = enhanced # the default\n"),
        *("settings", "error"),
        "flow from profile 'guest'",
        "a comment has a line of its own",
    ),
    Recipe(
        "the services section of the profile does not exist",
        lambda home: (home.unset("AWS_ENDPOINT_URL_COGNITO_IDENTITY"), home.add("services = local\n")),
        *("settings", "error"),
        "services from profile 'guest' names a section that does not exist: 'local'",
        "Add [services local] to the AWS config file",
    ),
    Recipe(
        "another pool in the environment",
        lambda home: home.set(AWS_COGNITO_IDENTITY_POOL_ID="us-east-1:00000000-1111-2222-3333-444444444444"),
        *("variables", "warning"),
        "AWS_COGNITO_IDENTITY_POOL_ID is set and wins over cognito_identity_pool_id of profile 'guest'",
        "Unset AWS_COGNITO_IDENTITY_POOL_ID",
    ),
    Recipe(
        "a variable is misspelt",
        lambda home: home.set(AWS_COGNITO_CACHEDIR="/tmp/x"),
        *("variables", "warning"),
        "AWS_COGNITO_CACHEDIR is set, which is not a setting",
        "Did you mean AWS_COGNITO_CACHE_DIR?",
    ),
    Recipe(
        "a config file that everybody can write",
        lambda home: home.set(AWS_CONFIG_FILE=str(home.in_open_folder(home.config))),
        *("config", "error"),
        "/config (mode 666), and have programs run as you",
        "Run: chmod 600 /tmp/",
    ),
    Recipe(
        "a name that not every SDK finds",
        lambda home: (
            home.edit("[profile guest]", "[profile 'a guest']"),
            home.edit(home.line, home.line.replace("--profile guest", "--profile a\\ guest")),
            options("--profile", "a guest")(home),
        ),
        *("profile", "warning"),
        "not every SDK finds a profile of the name 'a guest'",
        "Rename it",
    ),
    # What wins over the pool
    Recipe(
        "keys in the environment",
        lambda home: home.set(
            AWS_ACCESS_KEY_ID="AKIAAAAAAAAAAAAAAAAA", AWS_SECRET_ACCESS_KEY="CANARY-secret"
        ),
        *("precedence", "warning"),
        "AWS_ACCESS_KEY_ID is set: programs that are not told a profile use that key",
        "Unset it",
    ),
    Recipe(
        "half a key in the environment",
        lambda home: home.set(AWS_ACCESS_KEY_ID="AKIACANARYCANARYCANA"),
        *("precedence", "warning"),
        "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY: boto3 and the AWS CLI fail on that",
        "Unset it",
    ),
    Recipe(
        "keys in the credentials file",
        lambda home: home.write(".aws/credentials", f"[guest]\n{KEYS}"),
        *("precedence", "warning"),
        "profile 'guest' has keys in {home}/.aws/credentials: boto3, the AWS CLI and other SDKs use those",
        "Remove them there",
    ),
    Recipe(
        "a role of a web identity in the environment",
        lambda home: home.set(AWS_WEB_IDENTITY_TOKEN_FILE="/token", AWS_ROLE_ARN="arn:aws:iam::1:role/x"),
        *("precedence", "warning"),
        "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are set",
        "Unset both",
    ),
    Recipe(
        "a single sign-on in the profile",
        lambda home: home.add("sso_session = corp\n"),
        *("precedence", "warning"),
        "profile 'guest' has sso_session: SDKs use that and not the identity pool",
        "Remove it",
    ),
    Recipe(
        "a role in the profile",
        lambda home: home.add("role_arn = arn:aws:iam::123456789012:role/x\nsource_profile = other\n"),
        *("precedence", "warning"),
        "profile 'guest' has role_arn: SDKs use that",
        "Remove it",
    ),
    Recipe(
        "credential_process of another program",
        line("/opt/other credential-process --x"),
        *("precedence", "warning"),
        "credential_process of profile 'guest' runs another program",
        "Run 'cognito-credentials configure --profile guest'",
    ),
    Recipe(
        "a region of the profile that is none",
        lambda home: home.edit("region = us-east-1", "region = us-est-1"),
        *("region", "warning"),
        "profile 'guest' has the region 'us-est-1', which is none",
        "Write us-west-1 or us-east-1",
    ),
    Recipe(
        "a region in the environment that is none",
        lambda home: home.set(AWS_REGION="virginia"),
        *("region", "warning"),
        "AWS_REGION is 'virginia', which is no region",
        "us-east-1",
    ),
    # credential_process
    Recipe(
        "no credential_process",
        lambda home: home.edit(f"credential_process = {home.line}", ""),
        *("credential_process", "warning"),
        "profile 'guest' has no credential_process: the AWS CLI and other SDKs do not use it",
        "Run 'cognito-credentials configure --profile guest'",
    ),
    Recipe(
        "a program of credential_process that is gone",
        line("/nowhere/cognito-credentials credential-process --profile guest"),
        *("credential_process", "error"),
        "runs /nowhere/cognito-credentials, which is not there",
        "Run 'cognito-credentials configure --profile guest'",
    ),
    Recipe(
        "a variable that only a shell sets, before credential_process",
        line("TOKEN=CANARY-token cognito-credentials credential-process --profile guest"),
        *("credential_process", "error"),
        "runs TOKEN=…, which is not there",
        "Run 'cognito-credentials configure --profile guest'",
    ),
    Recipe(
        "credential_process for another profile",
        line("OWN-2"),
        *("credential_process", "error"),
        "gives the credentials of profile 'guest-2', which does not exist",
        "Run 'cognito-credentials configure --profile guest'",
    ),
    Recipe(
        "quotes in credential_process",
        lambda home: home.edit("--profile guest", "--profile 'guest'"),
        *("credential_process", "warning"),
        "credential_process of profile 'guest' has quotes: Terraform and older Go SDKs drop",
        "Run 'cognito-credentials configure --profile guest'",
    ),
    Recipe(
        "a variable in credential_process",
        lambda home: home.edit("--profile guest", "--profile guest --user $USER"),
        *("credential_process", "error"),
        "has a $ without a backslash",
        "Run 'cognito-credentials configure --profile guest'",
    ),
    Recipe(
        "a home directory in credential_process",
        lambda home: (
            home.write("bin/cognito-credentials", "#!/bin/sh\n", 0o755),
            line("~/bin/cognito-credentials credential-process --profile guest")(home),
        ),
        *("credential_process", "error"),
        "has a ~, which botocore does not take for the home directory",
        "Run 'cognito-credentials configure --profile guest'",
    ),
    Recipe(
        "a program that only a shell finds",
        on_path,
        *("credential_process", "warning"),
        "runs cognito-credentials, found here by PATH in {home}/bin: cron and programs with windows",
        "which writes the whole path",
    ),
    Recipe(
        "another installation",
        other_installation,
        *("credential_process", "warning"),
        "runs another installation than this one: {home}/old/bin/cognito-credentials.py",
        "to have it run this one",
    ),
    Recipe(
        "a program of the working directory",
        line("bin/cognito-credentials credential-process --profile guest"),
        *("credential_process", "error"),
        "credential_process of profile 'guest' runs bin/cognito-credentials, which is not there",
        "Run 'cognito-credentials configure --profile guest'",
    ),
    Recipe(
        "a program that is there in this working directory",
        lambda home: (
            home.monkeypatch.chdir(home.path),
            home.write("bin/cognito-credentials", "#!/bin/sh\n", 0o755),
            line("bin/cognito-credentials credential-process --profile guest")(home),
        ),
        *("credential_process", "error"),
        "runs bin/cognito-credentials, which is another program in each working directory",
        "Run 'cognito-credentials configure --profile guest'",
    ),
    Recipe(
        "credential_process without a profile",
        lambda home: home.edit(home.line, home.line.removesuffix(" --profile guest")),
        *("credential_process", "warning"),
        "credential_process of profile 'guest' names no profile",
        "Run 'cognito-credentials configure --profile guest'",
    ),
    # Left over in the environment
    Recipe(
        "an endpoint of a test that has ended",
        dead("AWS_ENDPOINT_URL_COGNITO_IDENTITY"),
        *("endpoint", "error"),
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY leads to http://127.0.0.1:",
        "Remove AWS_ENDPOINT_URL_COGNITO_IDENTITY",
    ),
    Recipe(
        "the endpoints of a test that has ended",
        lambda home: home.set(
            **dict.fromkeys(
                ("AWS_ENDPOINT_URL_COGNITO_IDENTITY", "AWS_ENDPOINT_URL_STS"),
                f"http://127.0.0.1:{closed_port()}",
            )
        ),
        *("endpoint", "error"),
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY and AWS_ENDPOINT_URL_STS lead to http://127.0.0.1:",
        "Remove AWS_ENDPOINT_URL_COGNITO_IDENTITY and AWS_ENDPOINT_URL_STS",
    ),
    Recipe(
        "an endpoint of all services that has ended",
        lambda home: (
            home.unset("AWS_ENDPOINT_URL_COGNITO_IDENTITY", "AWS_ENDPOINT_URL_STS"),
            dead("AWS_ENDPOINT_URL")(home),
        ),
        *("endpoint", "error"),
        "AWS_ENDPOINT_URL leads to http://127.0.0.1:",
        "Remove AWS_ENDPOINT_URL",
    ),
    Recipe(
        "an endpoint of another service that has ended",
        dead("AWS_ENDPOINT_URL_S3"),
        *("endpoint", "warning"),
        "AWS_ENDPOINT_URL_S3 leads to http://127.0.0.1:",
        "Remove AWS_ENDPOINT_URL_S3",
    ),
    Recipe(
        "an endpoint with a password that has ended",
        lambda home: home.set(AWS_ENDPOINT_URL_S3=f"http://me:CANARY-x@127.0.0.1:{closed_port()}/CANARY-y"),
        *("endpoint", "warning"),
        "AWS_ENDPOINT_URL_S3 leads to http://127.0.0.1:",
        "Remove AWS_ENDPOINT_URL_S3",
    ),
    Recipe(
        "an endpoint of the profile that has ended",
        lambda home: (
            home.unset("AWS_ENDPOINT_URL_COGNITO_IDENTITY", "AWS_ENDPOINT_URL_STS"),
            home.add(f"endpoint_url = http://127.0.0.1:{closed_port()}\n"),
        ),
        *("endpoint", "error"),
        "profile 'guest' leads to http://127.0.0.1:",
        "Remove endpoint_url from profile 'guest', or start",
    ),
    Recipe(
        "a services section of a test that has ended",
        lambda home: home.add(
            f"services = local\n[services local]\ns3 =\n  endpoint_url = http://localhost:{closed_port()}\n"
        ),
        *("endpoint", "warning"),
        "section 'services local' leads to http://localhost:",
        "Remove endpoint_url from section 'services local'",
    ),
    Recipe(
        "an endpoint that is ignored",
        lambda home: home.set(AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true"),
        *("endpoint", "warning"),
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY and AWS_ENDPOINT_URL_STS do nothing, since configured endpoints",
        "Unset AWS_ENDPOINT_URL_COGNITO_IDENTITY and AWS_ENDPOINT_URL_STS, or AWS_IGNORE_CONFIGURED_ENDPOINT",
    ),
    Recipe(
        "two endpoints for credentials",
        lambda home: home.set(
            AWS_CONTAINER_CREDENTIALS_FULL_URI="http://169.254.170.23/v1/credentials",
            AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/v2/credentials",
        ),
        *("container", "warning"),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_CREDENTIALS_RELATIVE_URI are set",
        "Unset the one that is not meant",
    ),
    Recipe(
        "an endpoint for credentials that has ended",
        lambda home: (
            dead("AWS_CONTAINER_CREDENTIALS_FULL_URI")(home),
            home.set(AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="/nowhere/token"),
        ),
        *("container", "warning"),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI leads to a port of this machine where nothing listens",
        "Unset AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ),
    Recipe(
        "a token file of a container that is gone",
        lambda home: home.set(
            AWS_CONTAINER_CREDENTIALS_FULL_URI="http://169.254.170.23/v1/credentials",
            AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="/nowhere/token",
        ),
        *("container", "warning"),
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names /nowhere/token, which is not there",
        "Unset AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    ),
    # The cache
    Recipe(
        "the cache directory is open to others",
        lambda home: home.cache.chmod(0o755),
        *("cache", "warning"),
        "the cache directory {home}/.aws/cognito/cache is open to other users (mode 755)",
        "Run: chmod 700 {home}/.aws/cognito/cache",
    ),
    Recipe(
        "a file in place of the cache directory",
        lambda home: (shutil.rmtree(home.cache), home.write(".aws/cognito/cache", "x")),
        *("cache", "warning"),
        "{home}/.aws/cognito/cache is not a directory, or lies below a file",
        "Remove that file",
    ),
    Recipe(
        "a cache directory that everybody can write to",
        lambda home: (home.cache.chmod(0o1777), home.set(AWS_COGNITO_CACHE_DIR=str(home.cache))),
        *("cache", "error"),
        "the cache directory {home}/.aws/cognito/cache from AWS_COGNITO_CACHE_DIR is open to everybody",
        "Choose a subdirectory of it",
    ),
    Recipe(
        "a full disk",
        full_disk,
        *("cache", "error"),
        "is full: 0 KiB are free; nothing new is kept",
        "Free some space there",
    ),
    Recipe(
        "no home directory",
        lambda home: home.set(HOME="", AWS_CONFIG_FILE=str(home.config)),
        *("cache", "warning"),
        "there is no home directory for the cache, so nothing new is kept",
        "Set HOME",
    ),
    Recipe(
        "no home directory for a sign-in",
        lambda home: home.set(HOME="", AWS_CONFIG_FILE=str(home.config)),
        *("cache", "warning"),
        "there is no home directory for the cache, so nothing new is kept",
        "Set HOME",
        kind="sign-in",
    ),
    Recipe(
        "a file system without locks",
        no_locks,
        *("locks", "warning"),
        "locks in the cache directory {home}/.aws/cognito/cache do not work",
        "a directory on a local disk",
    ),
    Recipe(
        "a file system whose locks keep nobody out",
        locks_that_do_not_exclude,
        *("locks", "warning"),
        "are given to two at once",
        "a directory on a local disk",
    ),
    Recipe(
        "a record that others can read",
        lambda home: record(home, "credentials").chmod(0o644),
        *("records", "warning"),
        "the record {home}/.aws/cognito/cache/credentials-v2-",
        "Run: chmod 600 on it",
    ),
    Recipe(
        "a link in place of a record",
        lambda home: (
            record(home, "credentials").rename(home.path / "moved"),
            (home.cache / f"credentials-v2-{'0' * 40}.txt").symlink_to(home.path / "moved"),
        ),
        *("records", "warning"),
        "is not a regular file",
        "Remove it",
    ),
    Recipe(
        "a record of another user",
        of_another_user,
        *("records", "warning"),
        "belongs to another user",
        "Give it back, or remove it",
    ),
    Recipe(
        "a cache directory that cannot be opened",
        cannot_open,
        *("cache", "error"),
        "the cache directory {home}/.aws/cognito/cache cannot be opened: Input/output error",
        "Set AWS_COGNITO_CACHE_DIR",
    ),
    Recipe(
        "a damaged identity",
        damage,
        *("records", "warning"),
        "is damaged: the next request makes another one",
        "restore that file before anything is run",
    ),
    Recipe(
        "an identity of a later version",
        of_a_later_version,
        *("records", "warning"),
        "a later version of this program wrote the identity in {home}/.aws/cognito/cache/identity-v2-",
        "Upgrade this installation",
    ),
    Recipe(
        "an identity that was set aside",
        lambda home: home.write(f".aws/cognito/cache/identity-v2-{'0' * 40}.txt.01234567.aside", "x"),
        *("records", "warning"),
        "an identity was damaged or open to others, and is set aside as {home}/.aws/cognito/cache/",
        "look into that file",
    ),
    Recipe(
        "a cache directory that cannot be written",
        lambda home: refuse(home, home.cache, os.W_OK),
        *("cache", "warning"),
        "{home}/.aws/cognito/cache cannot be written; nothing new is kept",
        "Set AWS_COGNITO_CACHE_DIR to a directory of your own that can be written",
    ),
    # Versions
    Recipe(
        "a library that is too old",
        lambda home: home.monkeypatch.setitem(TESTED, "filelock", ("99.0", "99.0")),
        *("versions", "error"),
        "is older than the oldest that works, 99.0",
        "Run: pip install --upgrade filelock",
    ),
    Recipe(
        "a library that is newer than any tested",
        lambda home: home.monkeypatch.setitem(TESTED, "botocore", ("1.0", "1.1")),
        *("versions", "warning"),
        "is newer than what this version is tested with, 1.1",
        "Upgrade cognito-credentials if something fails",
    ),
    # Logins
    Recipe(
        "a token file that is missing",
        lambda home: home.token_file.unlink(),
        *("logins", "error"),
        "the login token file {home}/token is missing",
        "correct the path",
        kind="login file",
    ),
    Recipe(
        "a token that has expired",
        token(exp=1_700_000_000),
        *("logins", "error"),
        "the token for login.example.com from file:{home}/token expired ",
        "have its source give a new token",
        kind="login file",
    ),
    Recipe(
        "a token of another issuer",
        token(iss="https://accounts.google.com"),
        *("logins", "error"),
        "but the token is from 'accounts.google.com' (it comes from file:{home}/token)",
        "Use 'accounts.google.com' as the login provider name",
        kind="login file",
    ),
    Recipe(
        "an access token of a user pool",
        token(token_use="access"),
        *("logins", "error"),
        "the token for login.example.com is an access token",
        "the ID token of the same sign-in",
        kind="login file",
    ),
    Recipe(
        "an access token of another issuer",
        token(aud=None),
        *("logins", "error"),
        "the token for login.example.com from file:{home}/token has no audience: it may be an access token",
        "Give the ID token",
        kind="login file",
    ),
    Recipe(
        "a token file that everybody can write",
        lambda home: home.edit(str(home.token_file), str(home.in_open_folder(home.token_file))),
        *("logins", "error"),
        "/token (mode 666), and make you somebody else",
        "Run: chmod 600 /tmp/",
        kind="login file",
    ),
    Recipe(
        "a variable without a token",
        lambda home: home.edit(f"file:{home.token_file}", "env:APP_TOKEN"),
        *("logins", "error"),
        "the environment variable APP_TOKEN holds no login token",
        "Sign in again and set it",
        kind="login file",
    ),
    Recipe(
        "a login command that is missing",
        lambda home: home.edit(f"file:{home.token_file}", "command:no-such-program --audience app"),
        *("logins", "error"),
        "the login command no-such-program of profile 'guest' is not there",
        "Give the path of a program",
        kind="login file",
    ),
    # Signing in
    Recipe(
        "a variable that only a shell sets, before a login command",
        lambda home: home.edit(f"file:{home.token_file}", "command:TOKEN=CANARY-token get-token"),
        *("logins", "error"),
        "the login command TOKEN=… of profile 'guest' is not there",
        "no NAME=value",
        kind="login file",
    ),
    Recipe(
        "nobody is signed in",
        lambda home: home.sign_in_file("sign-in").unlink(),
        *("sign-in", "error"),
        "nobody is signed in at https://login.example.com",
        "Run 'cognito-credentials login --profile guest'",
        kind="sign-in",
    ),
    Recipe(
        "the sign-in has ended at the issuer",
        lambda home: shutil.copy(home.sign_in_file("sign-in"), home.sign_in_file("ended")),
        *("sign-in", "error"),
        "the sign-in at https://login.example.com has ended there",
        "Run 'cognito-credentials login --profile guest'",
        kind="sign-in",
    ),
    Recipe(
        "the tokens of the sign-in are gone",
        lambda home: home.sign_in_file("secret").unlink(),
        *("sign-in", "error"),
        "the tokens of the sign-in at https://login.example.com are gone from {home}/.aws/cognito/sign-in/",
        "Run 'cognito-credentials login --profile guest'",
        kind="sign-in",
    ),
    Recipe(
        "the tokens of the sign-in are damaged",
        lambda home: home.sign_in_file("secret").write_text('{"v": 1, "refresh_tok'),
        *("sign-in", "error"),
        "has no tokens of the sign-in at https://login.example.com: it is damaged",
        "Run 'cognito-credentials login --profile guest'",
        kind="sign-in",
    ),
    Recipe(
        "a sign-in without a refresh token is over",
        lambda home: home.keep_sign_in(id_token=jwt(), expires_at=1_700_000_000),
        *("sign-in", "error"),
        "the sign-in at https://login.example.com ended ",
        "Run 'cognito-credentials login --profile guest'",
        kind="sign-in",
    ),
    Recipe(
        "no port for the browser's answer",
        lambda home: home.add(f"cognito_redirect_ports = {home.emulator.url.rpartition(':')[2]}\n"),
        *("sign-in", "warning"),
        "other programs listen on the cognito_redirect_ports ",
        "Name one more port there",
        kind="sign-in",
    ),
    Recipe(
        "a sign-in that others can read",
        lambda home: home.sign_in_file("secret").chmod(0o644),
        *("sign-in", "error"),
        "is open to other users, so it is not used",
        "Run 'cognito-credentials login --profile guest'",
        kind="sign-in",
    ),
)
