"""`status`, `list`, `refresh`, `clear` and `whoami`: their output for people and for programs."""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.cli.tables import as_json, listing, table
from cognito_credentials.cli.terminal import Terminal
from tests.cache.earlier_version import downgrade
from tests.cache.faults import failing
from tests.cli.conftest import Done
from tests.world import World

Call = Callable[..., Done]
STATUS_KEYS = {
    *(
        "identity_pool_id",
        "identity_pool_id_origin",
        "profile",
        "principal",
        "signed_in_as",
        "login_store",
        "sign_in_has_ended",
    ),
    *("identity_id", "unknown_because", "store", "location", "store_problem", "access_key_id_last4"),
    *("account_id", "expiration", "refresh_at", "seconds_left", "retry_in", "last_error", "clock_offset"),
    *("region", "flow", "logins", "notes"),
}
LIST_KEYS = {
    *("profile", "identity_pool_id", "identity_pool_id_origin", "login", "identity_id", "expiration"),
    *("seconds_left", "store", "location", "error", "notes"),
}


def _calls(emulator: Any, call: Call, *argv: str) -> tuple[Done, dict[str, int]]:
    before = emulator.requests()
    done = call(*argv)
    return done, {n: c - before.get(n, 0) for n, c in emulator.requests().items() if c != before.get(n, 0)}


def _identity(call: Call) -> str:
    found: str = json.loads(call("status", "--profile", "guest", "--json").out)["identity_id"]
    return found


class TestStatus:
    def test_it_is_offline_and_content_with_nothing(self, emulator: Any, pool_id: str, call: Call) -> None:
        """Without credentials the exit code is 0 as well, and the service is not called."""
        done, calls = _calls(emulator, call, "status", "--profile", "guest")

        assert (done.code, done.err, calls) == (0, "", {})
        assert "Identity       not known yet\n" in done.out
        assert "Credentials    none\n" in done.out

    def test_json_has_its_keys_before_and_after(self, pool_id: str, call: Call) -> None:
        """The JSON always has every key, times in one form, and no secret."""
        before = json.loads(call("status", "--profile", "guest", "--json").out)
        secret = json.loads(call("credential-process", "--profile", "guest").out)
        after = json.loads(call("status", "--profile", "guest", "--json").out)

        assert set(before) == set(after) == STATUS_KEYS
        assert before["identity_id"] is None
        assert after["expiration"] == secret["Expiration"]
        assert after["access_key_id_last4"] == secret["AccessKeyId"][-4:]
        assert 3500 < after["seconds_left"] <= 3600
        assert (after["profile"], after["region"], after["flow"]) == ("guest", "eu-west-1", "enhanced")
        assert secret["SecretAccessKey"] not in json.dumps(after)

    def test_people_see_how_long_it_lasts(self, pool_id: str, call: Call) -> None:
        """Time left, the next refresh and the place have a line each."""
        call("refresh", "--profile", "guest")
        done = call("status", "--profile", "guest")

        assert " left (until 20" in done.out
        assert "\nLogin          none (guest)\n" in done.out
        assert "Signed in" not in done.out
        assert "\nNext refresh   after 20" in done.out
        assert f"\nKept in        file: {os.environ['HOME']}/.aws/cognito/cache\n" in done.out

    @pytest.mark.writes_secrets
    def test_a_token_file_that_is_missing_for_a_moment_is_said(
        self, emulator: Any, pool_id: str, call: Call, tmp_path: Path
    ) -> None:
        """Where the identity cannot be found offline, the reason is shown, and what would help."""
        provider = "login.example.com"
        arn = f"arn:aws:iam::123456789012:oidc-provider/{provider}"
        pool = emulator.create_pool(OpenIdConnectProviderARNs=[arn])
        token = tmp_path / "token"
        token.write_text(emulator.login_token(provider))
        selected = ["--identity-pool-id", pool, "--login", f"{provider}=file:{token}"]
        assert call("credential-process", *selected).code == 0
        token.unlink()
        done = call("status", *selected)

        assert done.code == 0
        assert f"\nIdentity       cannot be told whose: the login token file {token} is missing" in done.out
        assert "cognito_user" in done.out

    @pytest.mark.parametrize("source", ["file:{}", "command:cat {}"])
    def test_a_token_that_tells_nothing(self, emulator: Any, call: Call, tmp_path: Path, source: str) -> None:
        """Facebook's tokens do not name their user: the setting that does is named."""
        pool = emulator.create_pool(SupportedLoginProviders={"graph.facebook.com": "1234"})
        token = tmp_path / "token"
        token.write_text("opaque")

        done = call("status", "--identity-pool-id", pool, "--login", f"facebook={source.format(token)}")

        assert done.code == 0, done.err
        assert "\nIdentity       cannot be told whose: " in done.out
        assert "login token for graph.facebook.com" in done.out
        assert "cognito_user does" in done.out

    def test_the_pool_of_a_variable_is_named_as_such(
        self, emulator: Any, pool_id: str, call: Call, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A variable wins over the profile, and the output names the variable."""
        other = emulator.create_pool()
        monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", other)
        done = call("status", "--profile", "guest")

        assert f"\nIdentity pool  {other} (from AWS_COGNITO_IDENTITY_POOL_ID)\n" in done.out

    def test_a_cache_that_cannot_be_written_is_said(
        self, pool_id: str, call: Call, isolation: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On a read-only home each start makes another guest: status says so, and what to do."""
        monkeypatch.setattr("os.access", lambda *_: False)
        done = call("status", "--profile", "guest")

        assert done.code == 0
        assert f"\nNot kept       {isolation}/.aws cannot be written; nothing new is kept: each" in done.out
        assert "AWS_COGNITO_CACHE_DIR" in done.out

    def test_the_last_error_is_shown_while_it_matters(self, emulator: Any, pool_id: str, call: Call) -> None:
        """The last error is shown, and when the next try is."""
        emulator.plan_faults({"operation": "*", "times": -1, "code": "TooManyRequestsException"})
        call("credential-process", "--profile", "guest")
        done = call("status", "--profile", "guest")

        assert done.code == 0
        assert "\nLast error     " in done.out
        assert "; next try in " in done.out


class TestList:
    def test_no_profile_is_said_on_stderr(self, call: Call) -> None:
        """Without profiles, stdout is empty."""
        done = call("list")

        assert (done.code, done.out) == (0, "")
        assert "configure" in done.line
        assert json.loads(call("list", "--json").out) == []
        assert call("list", "--quiet").err == ""

    def test_a_row_each_and_the_wrong_ones_too(
        self, emulator: Any, pool_id: str, call: Call, config: Callable[[str], Path]
    ) -> None:
        """The list has profiles with a pool and identities without a profile; offline."""
        call("refresh", "--profile", "guest")
        forgotten = _identity(call)
        other = emulator.create_pool()
        config(
            f"[default]\nregion = us-east-1\n[profile one]\ncognito_identity_pool_id = {other}\n"
            f"[profile two]\ncognito_identity_pool_id = nonsense\n[profile plain]\nregion = us-east-1\n"
        )
        before = emulator.requests()
        done = call("list", "--json")
        shown = call("list")

        rows = json.loads(done.out)
        assert [row["profile"] for row in rows] == ["one", "two", None]
        assert all(set(row) == LIST_KEYS for row in rows)
        assert "REGION:GUID" in rows[1]["error"]
        assert rows[2]["identity_id"] == forgotten
        assert datetime.fromisoformat(rows[2]["expiration"].replace("Z", "+00:00")).tzinfo
        assert 3500 < rows[2]["seconds_left"] <= 3600
        assert emulator.requests() == before
        lines = shown.out.splitlines()
        assert lines[0].split() == ["Profile", "Pool", "Login", "Identity", "ID", "Expires"]
        assert lines[2].endswith("error, see below")
        assert lines[3].startswith("(no profile)")
        assert (lines[4], len(lines)) == ("", 6)
        assert lines[5].startswith("two: identity_pool_id from profile 'two' is not REGION:GUID")

    def test_a_profile_whose_pool_is_misspelt_is_listed(
        self, call: Call, config: Callable[[str], Path]
    ) -> None:
        """A profile whose key for the pool is mistyped is one with a pool: its row says what is wrong."""
        config("[profile typo]\ncognito_identity_pool = x\n[profile other]\ncognito_colour = red\n")

        rows = json.loads(call("list", "--json").out)

        assert [row["profile"] for row in rows] == ["typo"]
        assert rows[0]["error"].endswith(
            "is not a setting. Did you mean cognito_identity_pool_id? (see E-SETTING)"
        )

    @pytest.mark.writes_secrets
    def test_what_other_programs_use_is_said_below(
        self, pool_id: str, call: Call, config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Keys that win over a pool are named as `status` does it, once, and in JSON with their profile."""
        keys = "aws_access_key_id = AKIAAAAAAAAAAAAAAAAA\naws_secret_access_key = CANARY-secret\n"
        config(
            f"[profile one]\ncognito_identity_pool_id = {pool_id}\n"
            f"[profile two]\ncognito_identity_pool_id = {pool_id}\nsso_session = x\n"
            f"[profile three]\ncognito_identity_pool_id = {pool_id}\n"
        )
        config(f"[one]\n{keys}", "credentials")
        rows = {row["profile"]: row["notes"] for row in json.loads(call("list", "--json").out)}
        _, below = call("list").out.split("\n\n")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAAAAAAAAAAAAAAAA")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "CANARY-secret")

        assert rows["one"][0].startswith("profile 'one' has keys in ")
        assert rows["two"] == [
            "profile 'two' has sso_session: SDKs use that and not the identity pool. Remove it"
        ]
        assert rows["three"] == []
        assert below == f"Note: {rows['one'][0]}.\nNote: {rows['two'][0]}.\n"
        assert rows["one"][0] in json.loads(call("status", "--profile", "one", "--json").out)["notes"]
        assert call("list").out.count("AWS_ACCESS_KEY_ID is set") == 1

    def test_a_sign_in_names_its_provider_once(
        self, pool_id: str, call: Call, config: Callable[[str], Path]
    ) -> None:
        """The login of a user pool is its login provider and that one signs in to it."""
        config(
            f"[profile app]\ncognito_identity_pool_id = {pool_id}\n"
            "cognito_user_pool_id = us-east-1_Ab1\ncognito_client_id = abc\n"
        )
        (row,) = json.loads(call("list", "--json").out)

        assert row["login"] == "cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1 = sign-in"
        assert row["login"] in call("list").out
        assert f"Login          {row['login']}\n" in call("status", "--profile", "app").out

    def test_the_environment_wins_as_it_does_elsewhere(
        self, emulator: Any, pool_id: str, call: Call, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """AWS_COGNITO_IDENTITY_POOL_ID wins over the profiles here as in `status`, and a notice says so."""
        other = emulator.create_pool()
        monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", other)
        done = call("list", "--json")
        status = json.loads(call("status", "--profile", "guest", "--json").out)

        rows = json.loads(done.out)
        assert [row["profile"] for row in rows] == [None, "guest"]
        assert [row["identity_pool_id"] for row in rows] == [other, other]
        for name in ("identity_pool_id", "identity_pool_id_origin"):
            assert rows[1][name] == status[name]
        assert "AWS_COGNITO_IDENTITY_POOL_ID is set: it wins" in done.line
        assert call("list").out.splitlines()[1].startswith("(environment)  ")

    def test_a_guest_with_a_name_is_a_guest(
        self, pool_id: str, call: Call, config: Callable[[str], Path]
    ) -> None:
        """A guest with a user's name is listed as a guest, with and without a profile."""
        config(f"[profile ann]\ncognito_identity_pool_id = {pool_id}\ncognito_user = ann\n")
        call("refresh", "--profile", "ann")
        (named,) = json.loads(call("list", "--json").out)
        config("[default]\nregion = us-east-1\n")
        (left,) = json.loads(call("list", "--json").out)

        assert (named["login"], left["login"]) == ("user 'ann' (guest)", "guest")

    @pytest.mark.writes_secrets
    def test_what_is_kept_is_no_sign_in(
        self, emulator: Any, pool_id: str, call: Call, config: Callable[[str], Path], tmp_path: Path
    ) -> None:
        """Of an identity that no profile names, the table says that it has a login, and no more."""
        arn = "arn:aws:iam::123456789012:oidc-provider/login.example.com"
        pool = emulator.create_pool(OpenIdConnectProviderARNs=[arn])
        token = tmp_path / "token"
        token.write_text(emulator.login_token("login.example.com"))
        config(
            f"[profile ann]\ncognito_identity_pool_id = {pool}\n"
            f"cognito_logins =\n  login.example.com = file:{token}\n"
        )
        assert call("refresh", "--profile", "ann").code == 0
        config("[default]\nregion = us-east-1\n")

        shown = call("list").out

        assert "  with a login  " in shown
        assert "signed in" not in shown

    def test_names_from_the_config_file_are_harmless_on_a_terminal(
        self, call: Call, config: Callable[[str], Path]
    ) -> None:
        """Escape sequences in a profile's name, which configparser allows, are not shown."""
        config(
            "[profile \x1b[2Jx\u202e]\n"
            "cognito_identity_pool_id = us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70\n"
            "cognito_user = \x1b]0;t\x07\n"
        )
        done = call("list")

        assert done.code == 0
        assert all(line.isprintable() for line in done.out.splitlines())
        assert "\u202e" not in done.out


class TestRefresh:
    def test_it_asks_even_when_what_is_held_is_fresh(self, emulator: Any, pool_id: str, call: Call) -> None:
        """One call gets other keys of the same identity, and the next credential-process prints them."""
        first = json.loads(call("credential-process", "--profile", "guest").out)
        identity = _identity(call)
        done, calls = _calls(emulator, call, "refresh", "--profile", "guest")
        second = json.loads(call("credential-process", "--profile", "guest").out)

        assert (done.code, calls) == (0, {"GetCredentialsForIdentity": 1})
        assert done.out == f"New credentials for {identity} until {second['Expiration']}.\n"
        assert second["AccessKeyId"] != first["AccessKeyId"]

    def test_another_identity_is_announced(self, emulator: Any, pool_id: str, call: Call) -> None:
        """Whoever is another guest from now on reads both identities and the reason, in one line."""
        assert call("refresh", "--profile", "guest").err == ""
        gone = _identity(call)
        World(emulator, {}).delete_identity(str(gone))
        done = call("refresh", "--profile", "guest")

        now = _identity(call)
        assert done.code == 0
        assert done.line == (
            f"cognito-credentials: the identity is {now} now and was {gone}: the service refused the old one."
        )

    @pytest.mark.parametrize(
        ("argv", "variable"), [(["--cache", "memory"], None), ([], "memory")], ids=["option", "variable"]
    )
    def test_with_the_cache_in_memory_it_is_refused(
        self,
        emulator: Any,
        pool_id: str,
        call: Call,
        monkeypatch: pytest.MonkeyPatch,
        argv: list[str],
        variable: str | None,
    ) -> None:
        """With cache=memory a refresh is refused: the process would end and lose the new credentials."""
        if variable:
            monkeypatch.setenv("AWS_COGNITO_CACHE", variable)
        done, calls = _calls(emulator, call, "refresh", "--profile", "guest", *argv)

        assert (done.code, done.out, calls) == (2, "", {})
        assert f"(from {'AWS_COGNITO_CACHE' if variable else 'the command line'})" in done.line

    def test_a_failure_loses_nothing(self, emulator: Any, pool_id: str, call: Call) -> None:
        """After a failed refresh, the credentials that are held are still printed."""
        first = call("credential-process", "--profile", "guest")
        emulator.plan_faults(
            {"operation": "*", "times": -1, "code": "NotAuthorizedException", "message": "no"}
        )
        failed = call("refresh", "--profile", "guest")

        assert failed.code == 5
        assert call("credential-process", "--profile", "guest").out == first.out


class TestClear:
    def test_credentials_go_and_the_identity_stays(self, pool_id: str, call: Call) -> None:
        """Nothing leads back to a guest's identity, so `clear` keeps it, and says so."""
        call("refresh", "--profile", "guest")
        identity = _identity(call)
        done = call("clear", "--profile", "guest")

        assert (done.code, done.out) == (0, "Cleared 1 entry.\n")
        assert done.line == "Identities are kept; --identities forgets them too."
        assert _identity(call) == identity
        assert call("clear", "--profile", "guest", "--quiet") == Done(0, "Cleared 0 entries.\n", "")

    def test_identities_go_when_asked(self, pool_id: str, call: Call) -> None:
        """--identities removes the identity, too."""
        call("refresh", "--profile", "guest")
        done = call("clear", "--profile", "guest", "--identities", "--yes")

        assert done == Done(0, "Cleared 2 entries.\n", "")
        assert _identity(call) is None

    def test_all_clears_every_pool_and_no_foreign_file(
        self, emulator: Any, pool_id: str, call: Call, isolation: Path
    ) -> None:
        """--all removes our files, unfinished ones too, and leaves files of other programs."""
        call("refresh", "--profile", "guest")
        call("refresh", "--identity-pool-id", emulator.create_pool())
        call("credential-process", "--profile", "guest")
        cache = isolation / ".aws" / "cognito" / "cache"
        foreign = [cache / "notes.json", cache / "credentials-v1-zz.json", cache / ".hidden"]
        for path in foreign:
            path.write_text("mine")
        (cache / f".credentials-v1-{'0' * 40}.json.1.ab.tmp").write_text("half a secret")

        first = call("clear", "--all")
        second = call("clear", "--all", "--identities", "--yes")

        assert (first.out, second.out) == ("Cleared 2 entries.\n", "Cleared 2 entries.\n")
        assert all(path.read_text() == "mine" for path in foreign)
        left = {path.name for path in cache.iterdir()} - {path.name for path in foreign} - {"CACHEDIR.TAG"}
        assert all(name.startswith("lock-v1-") for name in left)
        assert not any(path.stat().st_size for path in cache.glob("lock-v1-*"))

    def test_all_goes_on_where_something_cannot_be_removed(
        self, pool_id: str, call: Call, isolation: Path
    ) -> None:
        """What can be removed is removed; the error says how much that was, and exits with 7."""
        call("credential-process", "--profile", "guest")
        cache = isolation / ".aws" / "cognito" / "cache"
        (cache / f"credentials-v2-{'0' * 40}.txt").mkdir()

        done = call("clear", "--all")

        assert (done.code, done.out) == (7, "")
        assert "cannot delete from it: Is a directory" in done.line
        assert "1 entry was removed; correct that, then repeat the command" in done.line
        assert [path.name for path in cache.glob("credentials-*")] == [f"credentials-v2-{'0' * 40}.txt"]

    def test_all_clears_what_an_earlier_version_has_left(
        self, pool_id: str, call: Call, isolation: Path
    ) -> None:
        """Old credentials go with --all, and old identities, which `list` shows, with --identities."""
        call("refresh", "--profile", "guest")
        cache = isolation / ".aws" / "cognito" / "cache"
        downgrade(cache)
        (listed,) = json.loads(call("list", "--json").out)
        (identity,) = cache.glob("identity-v1-*")
        assert listed["identity_id"] in identity.read_text()

        first = call("clear", "--all")
        is_kept = identity.exists()
        second = call("clear", "--all", "--identities", "--yes")

        assert (first.out, second.out) == ("Cleared 1 entry.\n", "Cleared 1 entry.\n")
        assert is_kept
        assert {path.suffix for path in cache.iterdir()} <= {".lock", ".TAG"}

    @pytest.mark.parametrize(
        "selecting",
        [["--profile", "guest"], ["--user", "ann"], ["--login", "a.b=file:/x"]],
        ids=lambda x: x[0],
    )
    def test_all_with_a_selection_is_refused(self, pool_id: str, call: Call, selecting: list[str]) -> None:
        """--all beside a profile is refused: it would remove the identities of all others."""
        call("refresh", "--profile", "guest")
        identity = _identity(call)
        done = call("clear", "--all", "--identities", *selecting)

        assert (done.code, done.out) == (2, "")
        assert f"{selecting[0]} selects one" in done.line
        assert _identity(call) == identity

    @pytest.mark.parametrize("of", [["--all"], ["--profile", "guest"]], ids=["all", "one"])
    @pytest.mark.parametrize(
        ("answer", "argv", "code"), [("", [], 130), ("n", [], 130), ("y", [], 0), ("", ["--yes"], 0)]
    )
    def test_on_a_terminal_identities_are_asked_for(
        self,
        pool_id: str,
        call: Call,
        monkeypatch: pytest.MonkeyPatch,
        answer: str,
        argv: list[str],
        code: int,
        of: list[str],
    ) -> None:
        """--identities asks, and Enter means no, since a guest's identity cannot be recovered."""
        call("refresh", "--profile", "guest")
        monkeypatch.setattr(Terminal, "can_ask", True)
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{answer}\n"))
        done = call("clear", *of, "--identities", *argv)

        assert done.code == code
        assert ("(y/n)" in done.err) is (not argv)
        assert (_identity(call) is None) is (code == 0)

    @pytest.mark.parametrize(
        "argv",
        [
            ["clear"],
            ["clear", "--identities", "--yes"],
            ["logout"],
            ["logout", "--scope", "identity", "--yes"],
        ],
        ids=" ".join,
    )
    def test_what_cannot_be_removed_is_no_success(self, pool_id: str, call: Call, argv: list[str]) -> None:
        """Where the keys stay on the disk, the command exits with 7 and names the directory."""
        call("refresh", "--profile", "guest")
        with failing(errno.EROFS, only="os.unlink"):
            done = call(*argv, "--profile", "guest")

        assert (done.code, done.out) == (7, "")
        assert "going on without" not in done.err
        assert f"what is kept in {os.environ['HOME']}/.aws/cognito/cache could not be removed" in done.err

    @pytest.mark.parametrize("of", [["--all"], ["--profile", "guest"]], ids=["all", "one"])
    def test_where_nobody_can_be_asked_identities_stay(self, pool_id: str, call: Call, of: list[str]) -> None:
        """In a script --identities needs --yes; without it nothing is changed, and one line says so."""
        call("refresh", "--profile", "guest")
        before = _identity(call)
        done = call("clear", *of, "--identities")

        assert (done.code, done.out) == (2, "")
        assert "nothing was changed" in done.line
        assert "Add --yes" in done.line
        assert before is not None
        assert _identity(call) == before

    def test_all_needs_no_profile_and_makes_no_directory(self, call: Call, isolation: Path) -> None:
        """Without a cache directory, `clear` succeeds and does not make one."""
        assert call("clear", "--all").out == "Cleared 0 entries.\n"
        assert list(isolation.iterdir()) == []

    @pytest.mark.writes_secrets
    def test_what_only_a_token_could_tell_is_not_claimed_to_be_cleared(
        self, emulator: Any, pool_id: str, call: Call
    ) -> None:
        """For a login from a program, `clear` fails and says why, rather than print `Cleared 0 entries`."""
        done = call("clear", "--profile", "guest", "--login", "a.b=command:/bin/echo x")

        assert done.code == 3
        assert "clear --all" in done.line


class TestWhoami:
    def test_it_is_what_sts_says_and_the_identity(self, emulator: Any, pool_id: str, call: Call) -> None:
        """Account, Arn and UserId by their AWS names, in a table and for programs."""
        done, calls = _calls(emulator, call, "whoami", "--profile", "guest", "--json")
        answer = json.loads(done.out)
        people = call("whoami", "--profile", "guest")

        assert set(answer) == {"Account", "Arn", "UserId", "IdentityId"}
        assert answer["Account"] == "123456789012"
        assert answer["IdentityId"] == _identity(call)
        assert calls == {"GetId": 1, "GetCredentialsForIdentity": 1, "GetCallerIdentity": 1}
        assert [line.split() for line in people.out.splitlines()] == [[k, v] for k, v in answer.items()]

    def test_a_refusal_of_sts_is_exit_5(self, emulator: Any, pool_id: str, call: Call) -> None:
        """When STS refuses, its code and words are shown, and what to try."""
        emulator.plan_faults(
            {"operation": "GetCallerIdentity", "times": -1, "code": "InvalidClientTokenId", "status": 403}
        )
        done = call("whoami", "--profile", "guest")

        assert (done.code, done.out) == (5, "")
        assert "STS answered InvalidClientTokenId" in done.line

    @pytest.mark.parametrize(
        ("endpoint", "code", "said"),
        [
            ("http://127.0.0.1:9", 6, "Start the emulator"),
            ("http://127.0.0.1:9", 6, "(see E-ENDPOINT)"),
            ("https://nobody.invalid", 6, "(see E-NETWORK)"),
            ("http://192.0.2.1", 4, "plain http to another machine"),
        ],
    )
    def test_an_sts_that_is_not_there_or_not_safe(
        self,
        pool_id: str,
        call: Call,
        monkeypatch: pytest.MonkeyPatch,
        endpoint: str,
        code: int,
        said: str,
    ) -> None:
        """No network, or a stopped emulator, is exit 6; plain http elsewhere is refused, and not called."""
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", endpoint)
        done = call("whoami", "--profile", "guest")

        assert (done.code, done.out) == (code, "")
        assert said in done.line

    def test_a_profile_that_is_not_there_matters_only_if_it_is_used(
        self, pool_id: str, call: Call, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """When the pool is given, AWS_PROFILE may name a profile that does not exist."""
        monkeypatch.setenv("AWS_PROFILE", "gone")

        assert call("whoami", "--identity-pool-id", pool_id).code == 0


class TestTables:
    def test_cells_are_one_printable_line(self) -> None:
        """A table keeps its shape with any characters in its cells."""
        shown = table(("A", "B"), [("x\ny", "\x1b[1m"), (None, "\u202e")])

        assert shown.splitlines() == ["A    B", "x?y  ?[1m", "-    ?"]
        assert listing([("Name", "a\tb"), ("Gone", None)]) == "Name  a b\n"

    def test_a_table_fits_where_it_is_drawn(self) -> None:
        """The longest columns are cut first, with a mark, down to a few characters."""
        rows = [("guest", "us-east-1:" + "0" * 36, "x" * 50)]
        shown = table(("Profile", "Pool", "Identity"), rows, 60).splitlines()

        assert max(len(line) for line in shown) == 60
        assert shown[1].startswith("guest    us-east-1:0")
        assert shown[1].count("…") == 2
        assert table(("A",), [("y" * 30,)], 1) == "A\n" + "y" * 7 + "…\n"
        assert "…" not in table(("Profile", "Pool", "Identity"), rows)

    def test_json_is_ascii(self) -> None:
        """JSON output is ASCII: it has no escape sequences, and every locale can print it."""
        text = as_json([{"a": "\x1b\u202eé"}])

        assert text.isascii()
        assert json.loads(text) == [{"a": "\x1b\u202eé"}]
