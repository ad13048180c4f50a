"""What a back end has us send with its own client is not logged; what it sends itself is."""

from __future__ import annotations

import logging
import threading

import botocore
import botocore.session
from botocore.config import Config

from cognito_credentials.developer.silence import LOGGERS, WireFilter, silence
from cognito_credentials.emulator import Emulator
from tests.wide_log import Log, log

__all__ = ["log"]  # a fixture


def own_client(url: str) -> object:
    """A client of the same service that the user made with botocore."""
    return botocore.session.Session().create_client(
        "cognito-identity",
        region_name="us-east-1",
        endpoint_url=url,
        config=Config(signature_version=botocore.UNSIGNED),
    )


def test_the_users_own_calls_are_logged(emulator: Emulator, log: Log) -> None:
    """botocore logs the user's own calls, also in another thread during ours."""
    pool = emulator.create_pool()
    mine = own_client(emulator.url)
    mine.get_id(IdentityPoolId=pool)  # type: ignore[attr-defined]
    assert "Response body" in log.text

    log.lines.clear()
    entered, leave = threading.Event(), threading.Event()

    def ours() -> None:
        with silence():
            entered.set()
            leave.wait(10)
            logging.getLogger("botocore.parsers").debug("ours: %s", "CANARY")

    thread = threading.Thread(target=ours)
    thread.start()
    entered.wait(10)
    mine.get_id(IdentityPoolId=pool)  # type: ignore[attr-defined]
    leave.set()
    thread.join(10)

    assert "Response body" in log.text
    assert "ours" not in log.text


def test_filters_do_not_pile_up() -> None:
    """However many calls there are, each logger has one filter of ours."""
    for _ in range(3):
        with silence():
            pass

    for name in LOGGERS:
        assert len([f for f in logging.getLogger(name).filters if isinstance(f, WireFilter)]) == 1
