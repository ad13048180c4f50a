"""Requests that no client would send: never a 500, never a traceback. mutations.py sends more."""

from __future__ import annotations

import logging

from .mutations import send_mutated, send_mutated_forms, send_mutated_responses


def test_mutated_requests(api, caplog):
    """Broken requests are answered as errors of the caller, and the service lives on."""
    statuses = send_mutated(api, 1000, 20_261_123)

    assert set(statuses) == {200, 400}, "the mutations must neither all break a request nor all leave it"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert api.post("GetId", {"IdentityPoolId": api.emulator.create_pool()}).status == 200


def test_mutated_forms(api, caplog):
    """Broken STS forms and signatures are errors of the caller too."""
    send_mutated_forms(api, 200, 20_261_124)

    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_mutated_saml_responses(api, caplog):
    """SAML responses with bytes changed are errors of the caller; hardly one change is none to XML."""
    believed = send_mutated_responses(api, 200, 20_261_125)

    assert believed < 20, "only what canonicalisation does not see may be changed"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
