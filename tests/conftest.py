"""
What holds for every test, and which tests plain `pytest` runs.

No test sees the developer's own settings: it has an empty home and no AWS variables.

No secret leaks. The emulator's secrets contain the word CANARY, and it lists every token that it made. After
each test, the log (at DEBUG), stderr, what was raised and every file outside the cache are searched for these
secrets. So are the local variables of our frames in a traceback, because crash reporters send them along.

Plain `pytest` runs the quick part: all tests but those marked `thorough`. `THOROUGH` below marks folders and
files; a decorator marks a single test. Of these folders and files, tests marked `quick` stay in the quick
part, so that it has each real part once: a browser, a keyring, processes, the AWS CLI.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

import cognito_credentials
from cognito_credentials.clock import Clock
from cognito_credentials.errors import CognitoCredentialsError

CANARY = "CANARY"
_OTHERS_LOGGERS = (
    "botocore",
    "boto3",
    "urllib3",
    "s3transfer",
    "awscrt",
    "aiobotocore",
    "aioboto3",
    "smithy_core",
    "httpcore",
)
"""A test's own calls of AWS log their signatures; that ours do not has tests of its own (tests/exchange)."""


THOROUGH = (
    "tests/administer/test_console.py",
    "tests/administer/test_developers.py",
    "tests/administer/test_identities.py",
    "tests/administer/test_pools.py",
    "tests/administer/test_pools_dangers.py",
    "tests/administer/test_pools_kept.py",
    "tests/administer/test_pools_machine.py",
    "tests/administer/test_pools_seeds.py",
    "tests/administer/test_pools_stops.py",
    "tests/benchmarks/",
    "tests/browser/",
    "tests/budget/test_pool.py",
    "tests/budget/test_processes.py",
    "tests/cache/test_campaigns.py",
    "tests/cache/test_redis.py",
    "tests/cache/test_redis_outages.py",
    "tests/cache/test_redis_places.py",
    "tests/cli/doctor/test_asking.py",
    "tests/cli/doctor/test_recipes.py",
    "tests/cli/login/",
    "tests/cli/test_cache.py",
    "tests/cli/test_completion.py",
    "tests/cli/test_exec.py",
    "tests/cli/test_exec_server.py",
    "tests/cli/test_fleet.py",
    "tests/cli/test_quoting.py",
    "tests/cli/test_records.py",
    "tests/cli/test_screen.py",
    "tests/cli/test_serve.py",
    "tests/consumers/",
    "tests/developer/test_back_end.py",
    "tests/developer/test_command_line.py",
    "tests/docs/",
    "tests/emulator/operations/test_assume_role.py",
    "tests/emulator/operations/test_iam.py",
    "tests/emulator/operations/test_linking_machine.py",
    "tests/emulator/seed/test_mutated_files.py",
    "tests/emulator/seed/test_templates.py",
    "tests/emulator/stored/test_crashes.py",
    "tests/emulator/stored/test_deletion.py",
    "tests/emulator/stored/test_state.py",
    "tests/emulator/stored/test_user_pool_crashes.py",
    "tests/emulator/test_aws_cli.py",
    "tests/emulator/test_container_recipe.py",
    "tests/emulator/test_guide.py",
    "tests/emulator/test_host_mapping.py",
    "tests/emulator/user_pools/",
    "tests/emulator/wire/test_console.py",
    "tests/emulator/wire/test_signatures.py",
    "tests/examples/test_desktop_app.py",
    "tests/examples/test_home_assistant.py",
    "tests/examples/test_iot_loop.py",
    "tests/exchange/test_bad_input.py",
    "tests/exchange/test_parity.py",
    "tests/keyring/",
    "tests/pool/test_async_loops.py",
    "tests/pool/test_crowd.py",
    "tests/pool/test_shared_cache.py",
    "tests/pool/test_users_in_memory.py",
    "tests/processes/",
    "tests/serve/test_campaign.py",
    "tests/sign_in/test_async_steps.py",
    "tests/sign_in/test_attacks.py",
    "tests/sign_in/test_bringing_along.py",
    "tests/sign_in/test_choices.py",
    "tests/sign_in/test_clocks.py",
    "tests/sign_in/test_devices.py",
    "tests/sign_in/test_interrupted.py",
    "tests/sign_in/test_interruption.py",
    "tests/sign_in/test_keyring.py",
    "tests/sign_in/test_killed.py",
    "tests/sign_in/test_lasting.py",
    "tests/sign_in/test_leftovers.py",
    "tests/sign_in/test_login_tokens.py",
    "tests/sign_in/test_own_store.py",
    "tests/sign_in/test_own_store_async.py",
    "tests/sign_in/test_own_store_guide.py",
    "tests/sign_in/test_own_store_processes.py",
    "tests/sign_in/test_pool.py",
    "tests/sign_in/test_prompts.py",
    "tests/sign_in/test_refusals.py",
    "tests/sign_in/test_replacing.py",
    "tests/sign_in/test_srp.py",
    "tests/sign_in/test_steps.py",
    "tests/sign_in/test_user_pool.py",
)
"""Folders and files of tests that start many processes, or take seconds each."""

UNIX_ONLY = (
    "tests/benchmarks/test_figures.py",
    "tests/cache/test_campaigns.py",
    "tests/cache/test_degraded.py",
    "tests/cache/test_file.py",
    "tests/cache/test_lock.py",
    "tests/cache/test_memory.py",
    "tests/cache/test_records.py",
    "tests/cache/test_upgrade.py",
    "tests/cli/doctor/test_recipes.py",
    "tests/cli/test_completion.py",
    "tests/refresh/test_momentary_faults.py",
)
"""Files that cannot be imported on Windows: they fork, change users, or limit what a process may use."""

QUICK_PART = "not thorough"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Select the quick part where neither paths nor ``-m`` are given, and make its runs alike."""
    # What a shell runs in the background ignores SIGINT, as do its child processes. CI may run us like that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.markexpr:
        config.option.markexpr = QUICK_PART
    is_quick = config.option.markexpr == QUICK_PART
    if is_quick and getattr(config.option, "randomly_seed", None) == "default":
        config.option.randomly_seed = 1
    if sys.implementation.name == "pypy":
        # PyPy warns of an open file when it collects garbage, which may be in another test.
        config.addinivalue_line("filterwarnings", "ignore::ResourceWarning")
    # Without a deadline, since a busy machine is no defect. Both profiles replace the one that hypothesis
    # chooses where the variable CI is set.
    hypothesis.settings.register_profile("quick", derandomize=True, deadline=None)
    hypothesis.settings.register_profile("random", derandomize=False, deadline=None, print_blob=True)
    hypothesis.settings.load_profile("quick" if is_quick else "random")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say that tests are left out: with several workers pytest does not count them."""
    if config.option.markexpr == QUICK_PART:
        return "the quick part: `pytest tests` also runs the tests marked `thorough`"
    return None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files without a test of the quick part, which each worker would import otherwise."""
    if collection_path.suffix != ".py":
        return None
    name = collection_path.relative_to(config.rootpath).as_posix()
    if sys.platform == "win32" and name in UNIX_ONLY:
        return True
    if config.option.markexpr != QUICK_PART:
        return None
    is_left_out = name.startswith(THOROUGH) and "pytest.mark.quick" not in collection_path.read_text("utf-8")
    return True if is_left_out else None  # False would end pytest's own rules


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of `THOROUGH`, before pytest selects by marks."""
    for item in items:
        if item.nodeid.startswith(THOROUGH) and not item.get_closest_marker("quick"):
            item.add_marker("thorough")


class ManualClock(Clock):
    """Two clocks that stand still until a test moves them."""

    def __init__(self, wall: float = 1_800_000_000.0, boot_id: str = "boot-1") -> None:
        super().__init__()
        self.time = wall
        self.mono = 1000.0
        self.boot = boot_id
        self.slept = 0.0

    def wall(self) -> float:
        return self.time

    def elapsed(self) -> float:
        return self.mono

    def boot_id(self) -> str:
        return self.boot

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        assert seconds >= 0, "time does not run backwards; set the wall clock with set_wall()"
        self.time += seconds
        self.mono += seconds

    def set_wall(self, wall: float) -> None:
        """Let somebody set the clock."""
        self.time = wall


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(autouse=True)
def isolation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HOME and no AWS settings; returns HOME."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    for name in list(os.environ):
        if name.startswith(("AWS_", "COGNITO_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    # A test's own environment may be without HOME: the developer's home must not stand in for it.
    monkeypatch.setattr("cognito_credentials.home._home_of_user", str)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    return home


def locals_of(error: BaseException | None) -> str:
    """Return the local variables of our own frames that *error*, its causes and contexts passed through."""
    found, left, seen = [], [error], set()
    while left:
        error = left.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        left += [error.__cause__, error.__context__]
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename.startswith(_OURS) and "emulator" not in frame.f_code.co_filename:
                found += [f"{frame.f_code.co_name}: {_shown(*item)}" for item in frame.f_locals.items()]
    return "\n".join(found)


_OURS = str(Path(cognito_credentials.__file__).parent)


def _shown(name: str, value: object) -> str:
    try:
        return f"{name} = {value!r}"
    except Exception as error:  # noqa: BLE001  (half-made objects have any)
        return f"{name}: {type(error).__name__}"


class _Recorder(logging.Handler):
    def __init__(self) -> None:
        super().__init__(level=1)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(_OTHERS_LOGGERS):
            shown = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
            self.lines.append(record.getMessage() + shown + locals_of(record.exc_info and record.exc_info[1]))


_LEAK_KEY = pytest.StashKey[list[str]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Keep what was raised and printed, for `leak_guard`."""
    report = yield
    kept = item.stash.setdefault(_LEAK_KEY, [])
    if call.excinfo is not None:
        kept += ["".join(traceback.format_exception(call.excinfo.value)), locals_of(call.excinfo.value)]
    kept.append(report.capstderr)
    return report


@pytest.fixture(autouse=True)
def leak_guard(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Fail the test when a secret is in a log, on stderr, in an error, or in a file outside the cache."""
    recorder = _Recorder()
    root = logging.getLogger()
    level = root.level
    root.addHandler(recorder)
    root.setLevel(1)
    caught = _watch_raises(monkeypatch)
    emulator = request.getfixturevalue("emulator") if "emulator" in request.fixturenames else None
    try:
        yield
    finally:
        root.removeHandler(recorder)
        root.setLevel(level)
    secrets = {CANARY} if emulator is None else {CANARY, *emulator.minted_secrets()}
    places = {
        "a log": "\n".join(recorder.lines),
        "stderr or an error": "\n".join(request.node.stash.get(_LEAK_KEY, [])),
        "the variables of an error's frames": "\n".join(caught),
    }
    for place, text in places.items():
        assert not _first(secrets, text), f"a secret leaked into {place}"
    if request.node.get_closest_marker("writes_secrets"):
        return
    for path in tmp_path.rglob("*"):
        if path.is_file() and not path.is_symlink() and "cache" not in path.parent.name:
            text = path.read_bytes().decode("utf-8", "replace")
            assert not _first(secrets, text), f"a secret leaked into the file {path}"


def _watch_raises(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """
    Note what errors that `pytest.raises` catches carry along; at once, since frames change afterwards.

    Not those of a wrong argument: what was given is in the caller's own frame as well.
    """
    caught: list[str] = []
    kind = type(pytest.raises(CognitoCredentialsError))
    leave = kind.__exit__

    def noting(self: Any, of: Any, error: BaseException | None, trace: Any) -> bool:
        if not isinstance(error, (ValueError, TypeError)):
            caught.append(locals_of(error))
        return leave(self, of, error, trace)

    monkeypatch.setattr(kind, "__exit__", noting)
    return caught


def _first(secrets: set[str], text: str) -> str | None:
    return next((secret for secret in secrets if secret and secret in text), None) if text else None
