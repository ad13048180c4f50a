"""The class Emulator in Python code: its arguments, its methods, and several emulators at once."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
import threading
import urllib.request

import pytest

from cognito_credentials.emulator import Emulator

from .conftest import GOOGLE, Api, get_id

POOL = "eu-west-1:0b8d4f1c-0000-4000-8000-000000000009"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"allow_guests": False}, "allow_guests: unknown member; there are: IdentityPoolId, "),
        ({"region": "eu-west-1"}, "region: unknown member; there are: IdentityPoolId, "),
        ({"IdentityPoolId": "nowhere"}, "IdentityPoolId: 'nowhere' is not region:guid"),
        ({"AllowClassicFlow": "no"}, "AllowClassicFlow: expected true or false"),
        ({"roles": {"guest": "arn:aws:iam::123456789012:role/x"}}, r"create_pool\.Roles: .*guest"),
        ({"SupportedLoginProviders": {"google": "app"}}, r"google: unknown provider; there are: accounts\.g"),
    ],
)
def test_create_pool_refuses(emulator, arguments, why):
    """An unknown setting of a pool, or a wrong value, is refused with its name."""
    with pytest.raises(ValueError, match=why):
        emulator.create_pool(**arguments)

    assert emulator.service.state.row("SELECT count(*) AS n FROM pools")["n"] == 0


def test_create_pool_takes_an_id(emulator):
    """A test may choose the pool's id, and so its region."""
    assert emulator.create_pool(IdentityPoolId=POOL) == POOL
    with pytest.raises(ValueError, match="exists already"):
        emulator.create_pool(IdentityPoolId=POOL)


@pytest.mark.parametrize(
    ("provider", "why"),
    [
        ("https://login.example.com", "provider: write it without https://"),
        ("graph.facebook.com", r"opaque: .* PUT /_emulator/users, Emulator\.set_user or \[\[users\]\]"),
    ],
)
def test_login_token_of_no_use(emulator, provider, why):
    """A token that no pool can accept is refused, with advice."""
    with pytest.raises(ValueError, match=why):
        emulator.login_token(provider)


def test_port_in_use(emulator, emulator_keys):
    """The error for a port in use names it."""
    port = int(emulator.url.rpartition(":")[2])

    with pytest.raises(OSError, match=rf"cannot listen on 127\.0\.0\.1 port {port}: .*in use"):
        Emulator(port=port, keys=emulator_keys).start()


def test_certificate_file(tmp_path, emulator_keys):
    """The certificate is written to the given file, which is replaced only if an emulator wrote it."""
    file = tmp_path / "emulator.pem"
    other = tmp_path / "other.pem"
    other.write_text("-----BEGIN CERTIFICATE-----\n")

    with Emulator(keys=emulator_keys, certificate_file=file):
        left_by_a_kill = file.read_bytes()
    assert not file.exists()
    file.write_bytes(left_by_a_kill)
    with Emulator(keys=emulator_keys, certificate_file=file) as emulator:
        context = ssl.create_default_context(cafile=str(file))
        with urllib.request.urlopen(f"{emulator.url}/_emulator/requests", context=context) as answer:
            assert answer.read() == b"{}"
    with pytest.raises(OSError, match=r"cannot write the certificate to .*other\.pem: File exists"):
        Emulator(keys=emulator_keys, certificate_file=other).start()
    assert other.read_text() == "-----BEGIN CERTIFICATE-----\n"


def test_certificate_file_of_two(tmp_path, emulator_keys):
    """
    The end of an emulator does not remove the certificate that a later one has written to the same file.
    """
    file = tmp_path / "emulator.pem"
    with Emulator(keys=emulator_keys, certificate_file=file) as first:
        with Emulator(keys=emulator_keys, certificate_file=file):
            theirs = file.read_bytes()
            first.stop()
            assert file.read_bytes() == theirs
        assert not file.exists()


WITHOUT = "import sys\nsys.modules['uvicorn'] = None\n"


def test_python_without_the_extra():
    """Importing the emulator without its libraries raises one line with the command that installs them."""
    program = WITHOUT + "from cognito_credentials.emulator import Emulator"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]

    assert done.stderr.count("Traceback") == 1
    assert re.search(r"MissingExtraError: the emulator needs uvicorn; run: .*install .*\[emulator\]", last)


def test_one_emulator_is_one(emulator):
    """A running emulator cannot be started again: its first server would never end."""
    with pytest.raises(RuntimeError, match="is running already"), emulator:
        pass

    assert Api(emulator, None, None, None).post("GetId", {}).status == 400


def test_stopped_and_started_again(emulator_keys):
    """An emulator can be stopped twice, and started again with an empty state."""
    running = Emulator(keys=emulator_keys)
    running.start()
    running.create_pool()
    running.stop()
    running.stop()

    with running:
        assert running.service.state.rows("SELECT 1 FROM pools") == []


def test_many_at_once_leave_nothing(emulator_keys):
    """Ten emulators at once have ten addresses, and all their threads end."""
    before = set(threading.enumerate())
    running = [Emulator(keys=emulator_keys) for _ in range(10)]
    for one in running:
        one.start()
    urls = {one.url for one in running}
    for one in running:
        one.stop()

    assert len(urls) == 10
    assert set(threading.enumerate()) == before


def test_seed_by_its_path(tmp_path, emulator_keys):
    """The argument seed may be the path of a file."""
    file = tmp_path / "pools.toml"
    file.write_text('[[pools]]\nIdentityPoolName = "p"\nAllowUnauthenticatedIdentities = true\n')

    with Emulator(seed=file, keys=emulator_keys) as running:
        assert len(running.service.state.rows("SELECT 1 FROM pools")) == 1


def test_mistakes_of_a_test(emulator):
    """A wrong member, fault or user is reported at once."""
    with pytest.raises(ValueError, match="Providers: unknown member; there are: IdentityPoolId, "):
        emulator.create_pool(Providers={GOOGLE: "app"})
    with pytest.raises(ValueError, match=r"faults\[0\]: expected a JSON object"):
        emulator.plan_faults("GetId")
    with pytest.raises(RuntimeError, match="not running"):
        Emulator().create_pool()


def test_many_threads_ask_one_emulator(emulator):
    """All methods of Emulator may be called in threads while requests are answered."""
    failures = []

    def work(number):
        api = Api(emulator, None, None, None)
        try:
            for _ in range(10):
                pool_id = emulator.create_pool(SupportedLoginProviders={GOOGLE: "app"})
                logins = api.login(f"user{number}", GOOGLE)
                answer = api.post("GetId", {"IdentityPoolId": pool_id, "Logins": logins})
                emulator.move_clock(0.001)
                emulator.set_user("graph.facebook.com", str(number), token=f"token{number}")
                emulator.plan_faults()
                assert (answer.status, bool(emulator.requests())) == (200, True)
                assert json.loads(answer.body)["IdentityId"]
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
    assert emulator.requests() == {"GetId": 60}


def test_lists(api):
    """A list has the pages that the control call of its name gives; another name is one line."""
    pool = api.oidc_pool()
    get_id(api, pool)
    get_id(api, pool)

    first = api.emulator.listed("identities", pool=pool, limit=1)

    assert first == api.control("GET", f"identities?pool={pool}&limit=1").json
    assert (len(first["items"]), first["total"]) == (1, 2)
    with pytest.raises(ValueError, match=r"^what: expected one of pools, identities, roles, "):
        api.emulator.listed("clients")
    with pytest.raises(ValueError, match="unknown member colour"):
        api.emulator.listed("pools", colour="red")
