"""`AsyncIdentityPool` in several loops, beside threads, on loops that end, and with functions that hang."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from cognito_credentials import AsyncIdentityPool, ConfigurationError, IdentityPool, ServiceError, awaiting
from cognito_credentials.pool import flights
from tests.real_parts import missing
from tests.world import World

THREAD = "cognito-credentials-async"
T = TypeVar("T")
PROVIDER = "login.example.com"


@pytest.fixture
def world(emulator: Any) -> World:
    made = World(emulator, dict(os.environ))
    made.pool_id = emulator.create_pool(
        AllowUnauthenticatedIdentities=True,
        OpenIdConnectProviderARNs=[f"arn:aws:iam::123456789012:oidc-provider/{PROVIDER}"],
    )
    return made


@pytest.fixture(autouse=True)
def ended_threads(emulator: Any) -> Iterator[None]:
    """Threads that a test leaves behind end before the emulator does."""
    yield
    join_threads()


def join_threads() -> None:
    for thread in threading.enumerate():
        if thread.name == THREAD:
            thread.join(30)


def async_pool(world: World, **arguments: Any) -> AsyncIdentityPool:
    arguments.setdefault("clock", world.clock)
    return AsyncIdentityPool(world.pool_id, environ=world.environ, **arguments)


class Program:
    """A program with an event loop, in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def begin(self, work: Coroutine[Any, Any, T]) -> Any:
        """Begin a task; return its future."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run *work* and return its result."""
        result: T = self.begin(work).result(30)
        return result

    def end(self) -> None:
        """Stop and close the loop without a word to its tasks, as a program does that just ends."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join()
            for task in asyncio.all_tasks(self.loop):
                task._log_destroy_pending = False  # type: ignore[attr-defined]
            self.loop.close()


@pytest.fixture
def programs() -> Iterator[list[Program]]:
    made = [Program(), Program()]
    yield made
    for program in made:
        program.end()


def test_two_loops_and_threads_make_two_requests(world: World, programs: list[Program]) -> None:
    """Tasks of two loops, and threads beside them, share one exchange, cold and at a refresh."""
    pool = async_pool(world)

    def all_of_them() -> set[str]:
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda: found.append(pool.pool.credentials().access_key_id))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        begun = [program.begin(pool.credentials()) for program in programs for _ in range(50)]
        for thread in threads:
            thread.join()
        return {*found, *(one.result(30).access_key_id for one in begun)}

    assert len(all_of_them()) == 1
    world.move(3700)
    assert len(all_of_them()) == 1
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 2}


def test_reads_while_a_thread_renews_start_no_threads(
    world: World, programs: list[Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a thread that uses the pool renews, tasks that read what is held start one thread in a second."""
    may_answer, is_asked = threading.Event(), threading.Event()
    may_answer.set()

    def token() -> str:
        is_asked.set()
        assert may_answer.wait(30)
        return world.token()

    pool = async_pool(world, logins={PROVIDER: token}, user="ann")
    first = programs[0].run(pool.credentials())
    world.move(3000)
    may_answer.clear()
    is_asked.clear()
    renewing = threading.Thread(target=pool.pool.credentials)
    renewing.start()
    assert is_asked.wait(10)
    hired: list[flights.Flight[Any]] = []
    submit = flights.Crew.submit

    def noted(crew: flights.Crew, flight: flights.Flight[Any]) -> None:
        hired.append(flight)
        submit(crew, flight)

    monkeypatch.setattr(flights.Crew, "submit", noted)

    async def read() -> None:
        for _ in range(100):
            assert await pool.credentials() == first
            for flight in pool._flights.crew.under_way():
                await flight.over()

    programs[0].run(read())
    may_answer.set()
    renewing.join()
    assert len(hired) == 1


def test_under_uvloop(world: World) -> None:
    """Under uvloop it is the same: login on the loop, callback, background renewal, cancellation, close."""
    if sys.implementation.name == "pypy":
        pytest.skip("there is no uvloop for PyPy")
    try:
        import uvloop
    except ImportError:
        missing("there is no uvloop here, another event loop for Python")
    seen: list[Any] = []

    async def token() -> str:
        seen.append(asyncio.get_running_loop())
        await asyncio.sleep(0.01)
        return world.token()

    async def main() -> None:
        async with async_pool(world, logins={PROVIDER: token}, user="ann") as pool:
            pool.on_identity_changed(lambda *change: seen.append(change[2]))
            tasks = [asyncio.ensure_future(pool.credentials()) for _ in range(100)]
            await asyncio.sleep(0.001)
            tasks[0].cancel()
            assert len({one.access_key_id for one in await asyncio.gather(*tasks[1:])}) == 1
            world.move(3000)
            first = await pool.credentials()
            for flight in pool._flights.crew.under_way():
                await flight.over()
            assert await pool.credentials() != first

    loop = uvloop.new_event_loop()
    loop.run_until_complete(main())
    loop.close()
    assert seen == [loop, "created", loop]
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 2}


class Login:
    """An async login function that hangs until a test lets it go, and notes the loops that it ran on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.loops: list[asyncio.AbstractEventLoop] = []
        self.began = threading.Event()
        self.hangs = True

    async def __call__(self) -> str:
        self.loops.append(asyncio.get_running_loop())
        self.began.set()
        while self.hangs:  # noqa: ASYNC110  (a thread changes it)
            await asyncio.sleep(0.001)
        return self.world.token()


@pytest.mark.parametrize("error", [asyncio.CancelledError, KeyError])
def test_a_hanging_login_does_not_keep_a_program_that_is_interrupted(
    world: World, error: type[BaseException]
) -> None:
    """Ctrl-C cancels the main task: on its way out of `async with` it waits for no login function."""
    login = Login(world)
    took: list[float] = []

    async def main() -> None:
        try:
            async with async_pool(world, logins={PROVIDER: login}) as pool:
                waiting = asyncio.ensure_future(pool.credentials())
                while not login.began.is_set():  # noqa: ASYNC110  (a thread sets it)
                    await asyncio.sleep(0.001)
                took.append(time.monotonic())
                assert not waiting.done()
                raise error
        finally:
            took.append(time.monotonic())

    with pytest.raises(error):
        asyncio.run(main())
    assert took[1] - took[0] < 5


def test_a_loop_that_is_closed_underneath(world: World, programs: list[Program]) -> None:
    """When a login function's loop is closed, nothing is half done, and the next loop's call succeeds."""
    login = Login(world)
    pool = async_pool(world, logins={PROVIDER: login})
    programs[0].begin(pool.credentials())
    assert login.began.wait(10)

    programs[0].end()
    login.hangs = False
    assert programs[1].run(pool.credentials()).access_key_id
    assert login.loops == [program.loop for program in programs]
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}


def test_a_loop_that_stops_underneath(world: World) -> None:
    """A loop that stops in the turn of a call, and is not closed, keeps no other loop waiting."""
    pool = async_pool(world)
    stopped = asyncio.new_event_loop()

    async def begin() -> None:
        call = asyncio.ensure_future(pool.credentials())
        await asyncio.sleep(0)
        stopped.stop()
        await call

    begun = stopped.create_task(begin())
    stopped.run_forever()
    found = asyncio.run(asyncio.wait_for(pool.credentials(), 10))

    assert stopped.run_until_complete(asyncio.gather(begun, pool.credentials()))[1] == found
    stopped.close()
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}


def test_another_loop_takes_over(world: World, programs: list[Program]) -> None:
    """When tasks of two loops wait, and the loop of the login function is closed, it runs on the other."""
    login = Login(world)
    pool = async_pool(world, logins={PROVIDER: login})
    programs[0].begin(pool.credentials())
    assert login.began.wait(10)
    waiting = programs[1].begin(pool.credentials())
    programs[1].run(asyncio.sleep(0.01))
    login.began.clear()

    programs[0].end()
    assert login.began.wait(10)
    login.hangs = False
    assert waiting.result(10).access_key_id
    assert login.loops == [program.loop for program in programs]


def test_a_program_that_runs_twice(world: World) -> None:
    """A pool serves one asyncio.run() after the other, also where the first ends in the middle of a login."""
    login = Login(world)
    pool = async_pool(world, logins={PROVIDER: login})

    async def impatient() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(pool.credentials(), 0.05)

    asyncio.run(impatient())
    login.hangs = False
    assert asyncio.run(pool.credentials()).access_key_id
    assert len(login.loops) == 2


def test_a_thread_beside_an_async_login(world: World, programs: list[Program]) -> None:
    """A thread that uses the pool has the async login function run on the app's loop, while that lives."""
    login = Login(world)
    login.hangs = False
    pool = async_pool(world, logins={PROVIDER: login}, user="ann")
    with pytest.raises(ConfigurationError, match=r"is asynchronous, and nothing here runs on an event loop"):
        pool.pool.credentials()
    first = programs[0].run(pool.credentials())
    world.move(3700)

    assert pool.pool.credentials() != first
    assert login.loops == [programs[0].loop] * 2
    programs[0].end()
    world.move(3700)
    with pytest.raises(ServiceError, match=r"the event loop of .* has ended"):
        pool.pool.credentials()
    assert programs[1].run(pool.credentials()).access_key_id


def test_calling_what_waits_for_ones_own_loop(world: World) -> None:
    """The method of IdentityPool on the loop that its login needs is an error at once, in three ways."""
    took: list[float] = []

    def called(pool: AsyncIdentityPool, said: str) -> None:
        began = time.monotonic()
        with pytest.raises(ConfigurationError, match=said):
            pool.pool.credentials()
        took.append(time.monotonic() - began)

    async def calls_its_pool() -> str:
        called(pools[1], "wait for a coroutine on the event loop that it runs itself")
        return world.token()

    async def token() -> str:
        return world.token()

    pools = [async_pool(world, logins={PROVIDER: one}, cache="memory") for one in (token, calls_its_pool)]

    async def main() -> None:
        called(pools[0], "wait for the event loop that it runs itself")
        await pools[0].credentials()
        world.move(3700)
        called(pools[0], "wait for the event loop that it runs itself")
        await pools[0].credentials()
        await pools[1].credentials()

    asyncio.run(main())
    assert len(took) == 3
    assert max(took) < 5


@pytest.mark.parametrize("is_in_thread", [False, True])
def test_a_login_that_asks_its_own_pool_for_a_thread(
    world: World, programs: list[Program], is_in_thread: bool
) -> None:
    """Where a thread has the login function run, what it asks of its pool is an error at once, too."""
    raised: list[str] = []
    later: list[asyncio.Task[Any]] = []
    has_token = threading.Event()

    async def own() -> str:
        if programs[0].loop in own_loops:
            began = time.monotonic()
            with pytest.raises(ConfigurationError, match="asked the same identity pool") as caught:
                await (asyncio.to_thread(pool.pool.credentials) if is_in_thread else pool.credentials())
            assert time.monotonic() - began < 5
            raised.append(str(caught.value))
            later.append(asyncio.ensure_future(ask_later()))
        own_loops.append(asyncio.get_running_loop())
        return world.token()

    async def ask_later() -> None:
        await asyncio.to_thread(has_token.wait, 30)
        await pool.credentials()
        await pool.refresh()

    own_loops: list[asyncio.AbstractEventLoop] = []
    pool = async_pool(world, logins={PROVIDER: own}, user="ann")
    first = programs[0].run(pool.credentials())
    world.move(3700)
    assert pool.pool.credentials() != first
    own_loops.clear()
    has_token.set()
    programs[0].run(asyncio.wait_for(later[0], 30))
    assert len(raised) == 1


def test_another_kind_of_loop(world: World) -> None:
    """Where no loop of asyncio runs, such as under trio, one line says so; the pool works on afterwards."""
    pool = AsyncIdentityPool.of(world.pool())

    with pytest.raises(ConfigurationError, match="no event loop of asyncio runs"):
        pool.credentials().send(None)

    assert asyncio.run(pool.credentials()).access_key_id


def test_a_sync_pool_has_no_loop(world: World) -> None:
    """An async login function of an IdentityPool is an error at once, which names AsyncIdentityPool."""

    async def token() -> str:
        return "CANARY"

    pool = IdentityPool(world.pool_id, logins={PROVIDER: token}, environ=world.environ)

    async def main() -> None:
        with pytest.raises(ConfigurationError, match="Await the method of AsyncIdentityPool"):
            pool.credentials()

    asyncio.run(main())
    with pytest.raises(ConfigurationError, match="Use AsyncIdentityPool, and await one of its methods first"):
        pool.credentials()


def test_an_async_login_that_never_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cancelled after its time limit: one clear error, and nothing is asked of the service."""
    monkeypatch.setattr(awaiting, "AWAIT_SECONDS", 0.1)
    login = Login(world)
    pool = async_pool(world, logins={PROVIDER: login})

    async def main() -> None:
        with pytest.raises(ServiceError, match="gave no answer within 0 s") as caught:
            await pool.credentials()
        assert caught.value.retry_after is not None

    asyncio.run(main())
    assert world.counts() == {}


def test_a_sync_login_that_never_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks give it up after two minutes; other users go on, though as many hang as there are threads."""
    monkeypatch.setattr(flights, "LONGEST_FLIGHT", 1.0)
    monkeypatch.setattr(flights, "MOST_THREADS", 2)
    released = threading.Event()

    def hang() -> str:
        released.wait(30)
        return world.token()

    pool = async_pool(world, cache="memory")

    async def main() -> None:
        hung = [pool.for_user(f"user {number}", logins={PROVIDER: hang}) for number in range(3)]
        tasks = [asyncio.ensure_future(user.credentials()) for user in hung]
        await asyncio.sleep(0.01)
        assert (await pool.credentials()).access_key_id
        for one in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(one, ServiceError)
            assert "a login function or the disk hangs" in str(one)
        with pytest.raises(ServiceError, match="hangs"):
            await hung[0].credentials()
        released.set()
        await asyncio.to_thread(join_threads)
        assert (await hung[1].credentials()).access_key_id

    try:
        asyncio.run(main())
    finally:
        released.set()


@pytest.mark.parametrize("is_first", [True, False])
def test_renewals_that_hang_keep_no_other_user_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch, is_first: bool
) -> None:
    """All threads hang in renewals, for which no task waits: another user comes in time, before and after."""
    monkeypatch.setattr(flights, "LONGEST_FLIGHT", 0.5)
    monkeypatch.setattr(flights, "MOST_THREADS", 2)
    released = threading.Event()
    released.set()
    hung = []

    def token() -> str:
        if not released.is_set():
            hung.append(1)
        released.wait(30)
        return world.token()

    pool = async_pool(world, cache="memory")

    async def main() -> None:
        users = [pool.for_user(f"user {number}", logins={PROVIDER: token}) for number in range(2)]
        await asyncio.gather(*(user.credentials() for user in users))
        released.clear()
        world.move(3000)
        await asyncio.gather(*(user.credentials() for user in users))
        while len(hung) < 2:  # noqa: ASYNC110  (threads change it)
            await asyncio.sleep(0.001)
        await asyncio.sleep(0 if is_first else 0.6)
        assert (await asyncio.wait_for(pool.credentials(), 10)).access_key_id

    try:
        asyncio.run(main())
    finally:
        released.set()


def test_valid_credentials_outlive_a_login_that_hangs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In their last minute tasks wait for a login function that hangs, and then get what is valid."""
    released = threading.Event()
    released.set()

    def token() -> str:
        released.wait(30)
        return world.token()

    pool = async_pool(world, logins={PROVIDER: token}, user="ann")

    async def main() -> None:
        first = await pool.credentials()
        monkeypatch.setattr(flights, "LONGEST_FLIGHT", 0.2)
        released.clear()
        world.move(3570)
        assert await pool.credentials() == first
        world.move(31)
        with pytest.raises(ServiceError, match="hangs"):
            await pool.credentials()

    try:
        asyncio.run(main())
    finally:
        released.set()


def test_logins_that_wait_for_another_user(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though logins have all the threads, the call that they wait for gets one."""
    monkeypatch.setattr(flights, "MOST_THREADS", 2)
    pool = async_pool(world, cache="memory")

    async def token() -> str:
        await asyncio.gather(pool.credentials(), pool.status())
        return world.token()

    async def main() -> None:
        users = [pool.for_user(f"user {number}", logins={PROVIDER: token}) for number in range(6)]
        await asyncio.wait_for(asyncio.gather(*(user.credentials() for user in users)), 20)

    asyncio.run(main())


def test_where_no_thread_can_be_started(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a limit of the system each task gets one clear error, and the pool works again afterwards."""
    pool = async_pool(world, cache="memory")

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def main() -> None:
        with monkeypatch.context() as limit:
            limit.setattr(threading.Thread, "start", refuse)
            calls = (pool.credentials(), pool.for_user("ann").credentials(), pool.sign_in())
            for error in await asyncio.gather(*calls, return_exceptions=True):
                assert isinstance(error, ServiceError)
                assert "no thread can be started" in str(error)
        assert (await pool.credentials()).access_key_id

    asyncio.run(main())


def test_closing_waits_for_what_is_saved(world: World) -> None:
    """The end of `async with` waits for a user's call whose task was cancelled; that of another does not."""
    login = Login(world)

    async def main() -> None:
        async with async_pool(world, cache="memory") as pool:
            ann = pool.for_user("ann", logins={PROVIDER: login})
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(ann.credentials(), 0.05)
            await pool.for_user("bob").close()
            assert ann.current() is None
            login.hangs = False
        assert ann.current() is not None

    asyncio.run(main())


def test_closing_that_is_cancelled_leaves_nothing(world: World) -> None:
    """A task that is cancelled while it closes a pool leaves none behind that waits."""
    login = Login(world)
    pool = async_pool(world, logins={PROVIDER: login})

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(pool.credentials(), 0.05)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(pool.close(), 0.05)
        await asyncio.sleep(0)
        coroutines = [str(task.get_coro()) for task in asyncio.all_tasks()]
        assert not [one for one in coroutines if "Flight" in one]
        login.hangs = False

    asyncio.run(main())


def test_what_a_call_held_is_dropped(world: World) -> None:
    """When a call is over, the pool keeps neither its arguments nor the context of its task."""

    class Held:
        """Stands for a request of a web server, in a context variable."""

    variable: contextvars.ContextVar[Held] = contextvars.ContextVar("request")
    login = Login(world)
    login.hangs = False
    pool = async_pool(world, logins={PROVIDER: login})

    async def request() -> weakref.ref[Held]:
        variable.set(Held())
        await pool.credentials()
        return weakref.ref(variable.get())

    async def main() -> None:
        found = await asyncio.ensure_future(request())
        await asyncio.to_thread(join_threads)
        gc.collect()
        assert found() is None

    asyncio.run(main())


def run_program(code: str, world: World, **more: str) -> str:
    """Run *code* in a process of its own, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(code)],
        env={**world.environ, "POOL": world.pool_id, **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize("is_async", [True, False])
def test_a_login_that_hangs_does_not_keep_the_program(world: World, is_async: bool) -> None:
    """A program whose login function hangs ends when its main() does, and without any words."""
    function = "async def login(): await asyncio.sleep(1000)" if is_async else "def login(): time.sleep(1000)"
    began = time.monotonic()
    run_program(
        f"""
        import asyncio, os, time
        from cognito_credentials import AsyncIdentityPool
        {function}
        pool = AsyncIdentityPool(os.environ["POOL"], logins={{"login.example.com": login}})
        async def main():
            try:
                await asyncio.wait_for(pool.credentials(), 0.2)
            except asyncio.TimeoutError:
                pass
        asyncio.run(main())
        """,
        world,
    )
    assert time.monotonic() - began < 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_forks_during_a_call(world: World) -> None:
    """A child that is forked while a call is under way makes its own call; the parent's goes on."""
    printed = run_program(
        """
        import asyncio, os, threading, time
        from cognito_credentials import AsyncIdentityPool
        began = threading.Event()
        def login():
            if os.getpid() == parent:
                began.set()
                time.sleep(0.5)
            return None
        parent = os.getpid()
        pool = AsyncIdentityPool(os.environ["POOL"], cache="memory")
        ann = pool.for_user("ann", logins={"login.example.com": login})
        async def main():
            task = asyncio.ensure_future(ann.credentials())
            while not began.is_set():
                await asyncio.sleep(0.001)
            children = [os.fork() for _ in range(1)]
            if 0 in children:
                asyncio.events._set_running_loop(None)
                code = 1
                try:
                    loop = asyncio.new_event_loop()
                    try:
                        loop.run_until_complete(asyncio.wait_for(ann.credentials(), 10))
                    except Exception as error:
                        print(type(error).__name__, flush=True)
                    loop.run_until_complete(asyncio.wait_for(pool.credentials(), 10))
                    code = 0
                finally:
                    os._exit(code)
            statuses = [os.waitpid(child, 0)[1] for child in children]
            try:
                await task
            except Exception as error:
                print(type(error).__name__, statuses)
        asyncio.run(main())
        """,
        world,
    )
    assert printed == "LoginRequiredError\nLoginRequiredError [0]\n"


def test_the_loops_thread_does_nothing_that_blocks(world: World) -> None:
    """On the loop nothing is imported, opened, changed, connected or looked up; and botocore is nowhere."""
    printed = run_program(
        """
        import asyncio, os, sys, threading
        from cognito_credentials import AsyncIdentityPool, CognitoCredentialsError
        found = []
        watched = ("import", "open", "os.", "socket.", "subprocess.", "fcntl.", "ctypes.", "shutil.")
        def note(event, arguments):
            if is_on and threading.get_ident() == loops and event.startswith(watched):
                found.append((event, str(arguments)[:80]))
        async def login():
            return os.environ["TOKEN"]
        async def main():
            pool = AsyncIdentityPool(os.environ["POOL"])
            pool.on_identity_changed(lambda *change: None)
            ann = pool.for_user("ann", logins={"login.example.com": login})
            await asyncio.gather(*(each.credentials() for each in (pool, ann) for _ in range(10)))
            await pool.invalidate(pool.current().access_key_id)
            for each in (pool, ann, pool.for_user("bob", logins={})):
                await each.credentials()
                await each.identity_id()
                await each.refresh()
                await each.open_id_token()
                await each.status()
                await each.settings()
            await pool.link({"login.example.com": os.environ["TOKEN"]})
            await pool.unlink("login.example.com")
            eve = pool.for_user("eve", logins={"login.example.com": "no token"})
            for wrong in (pool.sign_in(), eve.credentials()):
                try:
                    await wrong
                except CognitoCredentialsError:
                    pass
                else:
                    print("no error")
            await ann.clear(identities=True)
            await pool.sign_out("identity")
            await pool.close()
        is_on, loops = False, threading.get_ident()
        sys.addaudithook(note)
        loop = asyncio.new_event_loop()
        is_on = True
        loop.run_until_complete(main())
        is_on = False
        loop.close()
        print(found, "botocore" in sys.modules)
        """,
        world,
        TOKEN=world.token(),
    )
    assert printed == "[] False\n"
