"""
Signing in with a browser: on this machine, or on another one by copying an address there and one back.

`has_browser` tells whether a browser can be opened that the person sees.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from ...errors import CognitoCredentialsError, ConfigurationError, LoginRejectedError, LoginRequiredError
from . import callback
from .authorization import AnswerRefused, Authorization
from .callback import PATH, WAIT_SECONDS, CallbackServer
from .prompt import is_left_unawaited

if TYPE_CHECKING:
    from ...secret import Secret
    from ..issuers.issuer import Issuer
    from ..issuers.tokens import Verified
    from .prompt import Prompt

T = TypeVar("T")
PASTE_TRIES: Final = 3
_OPENING_SECONDS: Final = 3.0
"""Seconds after which a browser that has not failed counts as open."""
_CONTAINER_MARKS: Final = ("/.dockerenv", "/run/.containerenv")
_ANY_PORT: Final = 8400
"""The port in the redirect address when the browser is on another machine; nothing listens on it."""


def sign_in_here(
    issuer: Issuer,
    prompt: Prompt,
    *,
    scope: str,
    ports: Sequence[int],
    keep: Callable[[Verified], T],
    open_browser: Callable[[str], bool] | None = None,
    wait_seconds: float = WAIT_SECONDS,
) -> T:
    """
    Sign in with this machine's browser.

    Args:
        scope: Scopes, separated by spaces.
        ports: Loopback ports that are registered at the issuer, tried in order; none for any free port.
        keep: Stores the sign-in, before the browser shows that it worked; its result is returned.
        open_browser: Opens an address on this machine; returns False when it cannot.
        wait_seconds: How long the person may take.

    Raises:
        LoginRequiredError: Nobody signed in.
        LoginRejectedError: The issuer refused.
        ServiceError: The issuer does not answer.
    """
    with CallbackServer(ports) as server:
        authorization = Authorization(issuer, server.redirect_uri, scope)
        server.listen(authorization.accept, authorization.url)
        has_opened = (open_browser or open_default_browser)(server.start_url)
        if is_left_unawaited(has_opened):
            raise ConfigurationError(
                "open_browser is async, so no browser was opened",
                hint="Make it a plain function",
                topic="E-BROWSER",
            )
        begin = "If no browser opens" if has_opened else f"To sign in at {authorization.host}"
        prompt.say(f"{begin}, open this address in a browser on this machine:\n\n{server.start_url}\n")
        other_way = " For a browser on another machine: --no-browser (way='no-browser' in Python)"
        prompt.say(
            f"Waiting for you to sign in at {authorization.host} (Ctrl-C to give up)."
            + (other_way if getattr(prompt, "can_choose_way", True) else "")
        )
        with _failures_shown(server):
            verified = authorization.redeem(server.wait(wait_seconds, prompt.say))
            kept = keep(verified)
        server.finish(callback.signed_in(verified.name))
        return kept


def sign_in_elsewhere(issuer: Issuer, prompt: Prompt, *, scope: str, ports: Sequence[int]) -> Verified:
    """
    Sign in with a browser on another machine: the person copies an address there, and another one back.

    Raises the errors of `sign_in_here`.
    """
    if not prompt.can_ask:
        raise LoginRequiredError(
            "there is no terminal to paste the address on",
            hint="Run it where you can type, as with ssh -t or docker run -it; or use a code: way='device', "
            "--device (not with user pools)",
            topic="E-BROWSER",
        )
    port = ports[0] if ports else _ANY_PORT
    authorization = Authorization(issuer, f"http://127.0.0.1:{port}{PATH}", scope)
    prompt.say(f"Open this address in any browser and sign in:\n\n{authorization.url}\n")
    prompt.say(
        f"The browser will end at an address that begins with http://127.0.0.1:{port}{PATH} and "
        "perhaps cannot show it. Copy that whole address and paste it here; it will not be seen."
    )
    for _ in range(PASTE_TRIES):
        code = _pasted(authorization, prompt)
        if code is not None:
            return authorization.redeem(code)
    raise _given_up()


def _pasted(authorization: Authorization, prompt: Prompt) -> Secret | None:
    """Ask for the address once; return the code, or None when it is not the answer to this sign-in."""
    problem: CognitoCredentialsError | None = None
    try:
        # Not echoed: the address has the code in it, and terminals keep what they show.
        pasted = prompt.ask_secret("Address")
        return authorization.accept(authorization.read_pasted(pasted))
    except AnswerRefused as error:
        problem = error.reported  # no page can paste: the person who began this sign-in has this answer
        if problem is None:
            prompt.say(f"That is not the answer to this sign-in: {error}.")
            return None
    except EOFError:
        problem = _given_up()
    raise problem


def _given_up() -> LoginRequiredError:
    return LoginRequiredError(
        "no address was pasted that ends this sign-in", hint="Sign in again", topic="E-BROWSER"
    )


def open_default_browser(url: str) -> bool:
    """
    Open *url* in the person's browser; return False if no browser is found.

    A browser that runs inside the terminal (lynx, w3m) does not count unless ``BROWSER`` names it: it would
    take over the terminal, and stdout with it. `webbrowser.open` would try those when the first browser
    fails.
    """
    outcome: list[bool] = []

    def run() -> None:
        try:
            browser = _browser()
            is_in_terminal = type(browser) is webbrowser.GenericBrowser and not os.environ.get("BROWSER")
            outcome.append(not is_in_terminal and browser.open(url))
        except (webbrowser.Error, OSError):
            outcome.append(False)

    # A program that BROWSER names may run until the person closes it, which is after the sign-in.
    opening = threading.Thread(target=run, name="cognito-credentials-browser", daemon=True)
    opening.start()
    opening.join(_OPENING_SECONDS)
    return outcome[0] if outcome else True


def _browser() -> webbrowser.BaseBrowser:
    # `webbrowser` does not know WSL: it finds no browser there, or a Linux one that shows nothing.
    opener = None if os.environ.get("BROWSER") else opener_on_windows(os.environ)
    return webbrowser.get() if opener is None else webbrowser.BackgroundBrowser(opener)


@contextlib.contextmanager
def _failures_shown(server: CallbackServer) -> Iterator[None]:
    """Show a failure in the browser, too."""
    try:
        yield
    except CognitoCredentialsError as error:
        # Other messages name paths and settings of this machine; only the terminal shows them.
        is_for_browser = isinstance(error, (LoginRejectedError, LoginRequiredError))
        server.finish(callback.failed(error.message if is_for_browser else "where you began it says why"))
        raise
    except BaseException:
        server.finish(callback.failed("it was given up"))
        raise


def has_browser(environ: Mapping[str, str], prompt: Prompt, ways: Sequence[str]) -> bool:
    """
    Tell whether a browser can be opened here; if not, tell the person why.

    Args:
        ways: The ways to sign in that the issuer has.

    Raises:
        LoginRequiredError: No browser can be opened, and nobody is there to open one on another machine.
    """
    why = why_no_browser(environ)
    if why is None:
        return True
    if not prompt.can_ask:
        code = "; or with a code that is typed in elsewhere, where the issuer has that (--device)"
        raise LoginRequiredError(
            f"no browser can be opened, because {why}, and there is no terminal to ask on",
            hint="Sign in on a terminal" + (code if "device" in ways else ""),
            topic="E-BROWSER",
        )
    prompt.say(f"No browser is opened, because {why}.")
    return False


def why_no_browser(
    environ: Mapping[str, str],
    *,
    platform: str = sys.platform,
    exists: Callable[[str], bool] = os.path.exists,
    find: Callable[[str], str | None] = shutil.which,
) -> str | None:
    """
    Return why no browser can be opened here, in words that follow "because"; None when one can.

    Args:
        platform: ``sys.platform``.
        exists: Tells whether a path exists.
        find: Finds a program on the PATH.
    """
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY") or environ.get("SSH_CLIENT"):
        return "this is an SSH session: a browser here is not on the machine in front of you"
    if environ.get("BROWSER"):
        return None  # a choice of the user
    if _is_wsl(environ):
        if opener_on_windows(environ, find) is not None:
            return None
        return "this is WSL, and wslview (of wslu) is not there to open one on Windows"
    if platform in ("win32", "darwin", "cygwin"):
        return None
    if environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        return None
    if any(exists(mark) for mark in _CONTAINER_MARKS):
        return "this is a container without a display"
    return "there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set)"


def opener_on_windows(
    environ: Mapping[str, str], find: Callable[[str], str | None] = shutil.which
) -> str | None:
    """Return the program that opens an address on Windows from WSL; None for none, and outside WSL."""
    return find("wslview") if _is_wsl(environ) else None


def _is_wsl(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("WSL_DISTRO_NAME") or environ.get("WSL_INTEROP"))
