"""``configure``: write a profile into the AWS config file, and show the change first."""

from __future__ import annotations

import configparser
import difflib
import json
from collections.abc import Mapping
from typing import Any, Final

from ...errors import ConfigurationError, clean, shell_word
from ...settings.aws_config import DEFAULT_PROFILE, read_config
from ..command import PROGRAM, Command, Invocation, Options
from ..config_file import config_path, read, replace
from ..config_text import Value, change_profile, is_portable, parse, section_of
from ..failures import StoppedError, UsageError
from ..own_command import credential_process, is_ours
from ..pool_options import ORIGIN, add_pool_options, given_logins, given_region, given_settings, read_logins
from ..terminal import printable
from ..wizard import (
    SIGN_IN_KEYS,
    Answers,
    add_sign_in_options,
    ask_all,
    callback_urls,
    given_sign_in,
    with_ports,
)

_OTHER_STYLES: Final = (
    *("aws_access_key_id", "aws_secret_access_key", "role_arn", "source_profile", "credential_source"),
    *("web_identity_token_file", "sso_session", "sso_start_url", "sso_account_id", "sso_role_name"),
    *("login_session", "credential_process"),
)
"""Keys that make a profile one of another kind. Source: botocore's and the AWS CLI's providers."""
_SECRET_WORDS: Final = ("secret", "token", "password")


def add_options(options: Options) -> None:
    options.add("--yes", action="store_true", help="write without asking")
    options.add("--dry-run", action="store_true", help="show the change and write nothing")
    add_sign_in_options(options)
    add_pool_options(options, hidden=("endpoint_url",))


def run(invocation: Invocation) -> int:
    """Work out the change, show it, ask, and write it."""
    options, terminal, environ = invocation.options, invocation.terminal, invocation.environ
    if options.endpoint_url is not None:
        raise UsageError(
            "configure writes no endpoint: in a profile it would be that of all services",
            "Set AWS_ENDPOINT_URL_COGNITO_IDENTITY, or write a services section",
        )
    config = read_config(environ)
    path = config_path(environ, "AWS_CONFIG_FILE", "config")
    data = read(path)
    text = (data or b"").decode("utf-8")
    answers = _answers(invocation, text, path)
    _refuse_other_styles(answers.profile, text, path, environ)
    changes = _changes(answers)
    _check(config, answers.profile, changes, environ)
    new = change_profile(text, answers.profile, changes)
    if new == text:
        terminal.write(f"Profile '{printable(answers.profile)}' is as asked for already; nothing to write.\n")
        return 0
    if options.dry_run or not (terminal.quiet and options.yes):
        terminal.write(_difference(text, new, path))
    if options.dry_run:
        return 0
    if not options.yes:
        _confirm(invocation, path)
    replace(path, new.encode("utf-8"), before=data)
    terminal.write(f"Wrote profile '{printable(answers.profile)}' to {printable(path)}.\n")
    if not is_portable(answers.profile):
        terminal.notice(
            "Not every SDK finds a profile of this name: letters, digits and _ . @ : / + - are read by all."
        )
    if "cognito_redirect_ports" in answers.sign_in:
        urls = " and ".join(callback_urls(answers.sign_in["cognito_redirect_ports"]))
        terminal.notice(f"The app client needs {urls} among its callback URLs.")
    # A changed sign-in is one where nobody is signed in, as one in another store.
    sign_in = {**answers.current, **answers.sign_in} if answers.sign_in else {}
    first = "login" if any(sign_in.get(key) for key in SIGN_IN_KEYS) else "whoami"
    terminal.notice(f"Try it: {PROGRAM} {first} --profile {shell_word(answers.profile)}")
    return 0


def _answers(invocation: Invocation, text: str, path: str) -> Answers:
    """
    Collect what to write: options, then what the profile has, then what the user answers.

    Args:
        text: The config file, at *path*.
    """
    from ...pool.logins import sources_of

    options, terminal = invocation.options, invocation.terminal
    given = given_settings(options)
    _check_given(invocation, given)
    removes_logins = options.login == [""]
    if options.login and not removes_logins:
        sources_of(given_logins(options), invocation.environ)  # an error names the option
    profile = options.profile or invocation.environ.get("AWS_PROFILE") or DEFAULT_PROFILE
    answers = Answers(
        profile=profile,
        settings={name: str(value) for name, value in given.items()},
        region=options.region,
        logins={} if removes_logins else read_logins(options.login) if options.login else None,
        sign_in=given_sign_in(options),
        current=_current(text, profile),
    )
    _refuse_bare_section(text, profile)
    says_something = given or options.login or answers.sign_in or options.yes
    if "identity_pool_id" in given or (says_something and "cognito_identity_pool_id" in answers.current):
        return with_ports(answers)
    if not terminal.can_ask:
        raise UsageError(
            "--identity-pool-id is missing, and there is no terminal to ask on",
            f"Run '{PROGRAM} configure --profile NAME --identity-pool-id ID --yes'",
        )

    def current_of(name: str) -> dict[str, str]:
        _refuse_bare_section(text, name)
        _refuse_other_styles(name, text, path, invocation.environ)
        return _current(text, name)

    return ask_all(terminal, answers, current_of, is_named=options.profile is not None)


def _check_given(invocation: Invocation, given: Mapping[str, object]) -> None:
    """Check what the command line gives, before the profile is thought of: an error names the option."""
    from ...settings.load import check_arguments

    if invocation.options.profile == "":
        raise UsageError("--profile is empty", "Give the name of the profile; without it, 'default' is meant")
    given_region(invocation)
    if given.get("identity_pool_id") == "":
        raise ConfigurationError(
            f"identity_pool_id from {ORIGIN} is empty", hint="Give the identity pool's ID", topic="E-POOL-ID"
        )
    # An empty value is how a key is taken away.
    values = {name: value for name, value in given.items() if value != ""}
    check_arguments(values, environ=invocation.environ, origin=ORIGIN)


def _refuse_bare_section(text: str, profile: str) -> None:
    """Refuse to write ``[profile NAME]`` beside a ``[NAME]``, which no tool takes for a profile."""
    parsed = parse(text)
    if profile in parsed and section_of(parsed, profile) is None:
        raise ConfigurationError(
            f"found [{clean(profile, 60)}]; in this file it must be [profile {clean(profile, 60)}]",
            hint="Correct the section's name, then run this again",
            topic="E-PROFILE",
        )


def _current(text: str, profile: str) -> dict[str, str]:
    parsed = parse(text)
    return parsed.get(section_of(parsed, profile) or "", {})


def _changes(answers: Answers) -> dict[str, Value | None]:
    """Say which keys change, by the names they have in a profile."""
    from ...settings.load import NAMES

    changes: dict[str, Value | None] = {}
    for name, value in answers.settings.items():
        key = NAMES[name].profile_key
        if key is not None:
            # An empty value is how a key is taken away.
            changes[key] = (_one_line(value) if name == "policy" else value) or None
    if answers.region:
        changes["region"] = answers.region
    elif "region" not in answers.current:
        # The AWS CLI does nothing without one; the pool's is the best guess.
        pool_id = answers.settings.get("identity_pool_id") or answers.current["cognito_identity_pool_id"]
        changes["region"] = pool_id.partition(":")[0]
    if answers.logins is not None:
        changes["cognito_logins"] = _logins(answers.logins)
    changes |= {key: value or None for key, value in answers.sign_in.items()}
    changes["credential_process"] = credential_process(answers.profile)
    return changes


def _logins(logins: Mapping[str | None, str]) -> Value | None:
    # A source that knows its provider is written without one.
    return logins.get(None) or {name: source for name, source in logins.items() if name is not None} or None


def _one_line(policy: str) -> str:
    try:
        return json.dumps(json.loads(policy), separators=(",", ":"))
    except ValueError:
        return policy  # the settings say what is wrong with it


def _check(
    config: Mapping[str, Any], profile: str, changes: Mapping[str, Value | None], environ: Mapping[str, str]
) -> None:
    """Resolve the settings that the profile would have, so that nothing is written that cannot work."""
    from ...pool.logins import logins_of
    from ...settings.load import NAMES, load

    values = {**config["profiles"].get(profile, {}), **changes}
    would_be = {
        **config,
        "profiles": {**config["profiles"], profile: {k: v for k, v in values.items() if v is not None}},
    }
    # A variable that is set now would hide what the profile says, and may not be set tomorrow.
    hiding = {names.environment for names in NAMES.values()}
    bare = {name: value for name, value in environ.items() if name not in hiding}
    logins_of(load({}, environ=bare, config=would_be, profile=profile), bare)


def _refuse_other_styles(profile: str, text: str, path: str, environ: Mapping[str, str]) -> None:
    """Refuse a profile with credentials of another kind: tools disagree about which of the two wins."""
    credentials_path = config_path(environ, "AWS_SHARED_CREDENTIALS_FILE", "credentials")
    places = ((path, _current(text, profile)), (credentials_path, _credentials(credentials_path, profile)))
    for place, values in places:
        for key in _OTHER_STYLES:
            if key in values and not (key == "credential_process" and is_ours(values[key])):
                raise ConfigurationError(
                    f"profile '{clean(profile, 80)}' has {key} in {clean(place)}: another kind of profile",
                    hint="Choose another name with --profile, or remove that key first",
                    topic="E-PROFILE",
                )


def _credentials(path: str, profile: str) -> dict[str, str]:
    try:
        return parse((read(path) or b"").decode("utf-8")).get(profile, {})
    except (ConfigurationError, UnicodeDecodeError, configparser.Error):
        return {}  # botocore cannot read it either, so nothing in it can win


def _difference(old: str, new: str, path: str) -> str:
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), printable(path), printable(path), "now", "then", lineterm=""
    )
    return "".join(_shown(line) + "\n" for line in lines)


def _shown(line: str) -> str:
    """Mask a secret: the lines around the change may hold keys, and escape sequences."""
    key, equals, _ = line.partition("=")
    if equals and any(word in key.lower() for word in _SECRET_WORDS):
        return printable(key) + " = ***"
    return printable(line)


def _confirm(invocation: Invocation, path: str) -> None:
    if not invocation.terminal.can_ask:
        raise UsageError(
            "there is no terminal to ask on; nothing was written", "Add --yes to write without asking"
        )
    if not invocation.terminal.agrees(f"Write this to {printable(path)}", default="y"):
        raise StoppedError("nothing was written")


COMMAND = Command(
    details="""
On a terminal it asks for what is missing; with --identity-pool-id it asks only whether to write. Comments,
order and line ends of the file stay. It refuses a profile with credentials of another kind. An empty
value, as in --user '' or --login '', removes that setting. --quiet with --yes does not show the change.""",
    example="""
$ cognito-credentials configure --profile guest \\
    --identity-pool-id us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70 --yes
$ aws sts get-caller-identity --profile guest
$ cognito-credentials configure --profile app --yes \\
    --identity-pool-id us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70 \\
    --oidc-issuer https://login.example.com --oidc-client-id desktop
$ cognito-credentials login --profile app""",
    run=run,
    doing="working on the profile",
    add_options=add_options,
)
