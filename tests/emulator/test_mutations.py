"""Requests that no client sends cause neither a 500 nor a traceback. mutations.py sends more of them."""

from __future__ import annotations

import logging
from contextlib import closing

import pytest

from .mutations import PARTS, Sender, send_mutated, send_mutated_responses


@pytest.mark.thorough
@pytest.mark.parametrize("send", PARTS, ids=lambda send: send.__name__)
def test_mutated_requests(api, caplog, send):
    """Broken requests are answered with client errors in their protocol, and the service goes on."""
    with closing(Sender(api, 20_261_123)) as sender:
        done = send(sender, 600 if send is send_mutated else 200)

    assert set(sender.statuses) >= {200, 400}, (
        "the mutations must neither all break a request nor all leave it"
    )
    assert send is not send_mutated_responses or done < 20, (
        "only what canonicalisation does not see may change"
    )
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert api.post("GetId", {"IdentityPoolId": api.emulator.create_pool()}).status == 200
