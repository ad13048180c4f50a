"""Several emulators at once, emulators in threads, and the pytest plugin in a test run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading

import pytest

from cognito_credentials.emulator import Emulator

from .conftest import GOOGLE, Api

PROJECT = """
import json
import threading
import urllib.error
import urllib.request

import pytest

from cognito_credentials.emulator import Emulator


def get_id(url, **content):
    request = urllib.request.Request(url, json.dumps(content).encode(), {"X-Amz-Target": "X.GetId"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["IdentityId"]


@pytest.fixture(scope="session")
def shared(emulator_keys):
    with Emulator(keys=emulator_keys) as running:
        yield running, running.create_pool()


@pytest.fixture
def another(emulator_keys):
    with Emulator(keys=emulator_keys) as running:
        yield running


@pytest.mark.parametrize("number", range(4))
def test_each_has_its_own(emulator, emulator_url, emulator_pool, number):
    get_id(emulator_url, IdentityPoolId=emulator_pool)
    assert emulator.requests() == {"GetId": 1}


@pytest.mark.parametrize("number", range(4))
def test_a_fixture_of_ones_own_for_the_session(shared, number):
    running, pool_id = shared
    assert get_id(running.url, IdentityPoolId=pool_id)


def test_two_at_once(emulator, emulator_pool, another, emulator_faults):
    emulator_faults({"operation": "GetId", "status": 503})
    assert get_id(another.url, IdentityPoolId=another.create_pool())
    with pytest.raises(urllib.error.HTTPError, match="503"):
        get_id(emulator.url, IdentityPoolId=emulator_pool)


def test_signing_in_from_threads(emulator_url, emulator_pool, emulator_login):
    ids = []
    def sign_in(subject):
        ids.append(get_id(emulator_url, IdentityPoolId=emulator_pool, Logins=dict(emulator_login(subject))))
    threads = [threading.Thread(target=sign_in, args=(name,)) for name in ("ann", "bob") * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(ids), len(set(ids))) == (16, 2)


def test_time_passes(emulator, emulator_pool, emulator_login, emulator_clock):
    logins = dict(emulator_login("ann", expires_in=60))
    emulator_clock(50)
    assert get_id(emulator.url, IdentityPoolId=emulator_pool, Logins=logins)
    emulator_clock(400)
    with pytest.raises(urllib.error.HTTPError, match="400"):
        get_id(emulator.url, IdentityPoolId=emulator_pool, Logins=logins)
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_project_of_ones_own(tmp_path, workers):
    """The plugin's fixtures work in any scope, in threads, beside each other, and in the workers of xdist."""
    (tmp_path / "test_project.py").write_text(PROJECT)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "-n", workers],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert re.search(r"\b11 passed\b", done.stdout), done.stdout + done.stderr


def test_plugin_without_the_extra(tmp_path):
    """Without the extra, a test that uses the emulator fails with the command that installs it."""
    (tmp_path / "test_project.py").write_text("def test_it(emulator): pass")
    (tmp_path / "conftest.py").write_text("import sys; sys.modules['uvicorn'] = None")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert re.search(r"the emulator needs uvicorn; run: pip install .*\[emulator\]", done.stdout)
    assert "Traceback" not in done.stdout


@pytest.mark.quick
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


@pytest.mark.quick
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
