"""Endpoints: botocore's own settings, found as botocore does, and refused where tokens could be read."""

from __future__ import annotations

import pytest

from cognito_credentials.errors import ConfigurationError
from tests.settings.loading import CANARY, ROLE, load_guest

SERVICES = {"local": {"cognito_identity": {"endpoint_url": "https://section"}, "sts": {"x": "y"}}}


@pytest.mark.parametrize(
    ("arguments", "environ", "profile", "expected"),
    [
        (
            {"endpoint_url": "https://argument"},
            {"AWS_ENDPOINT_URL": "https://b"},
            {},
            ("https://argument", "argument"),
        ),
        (
            {},
            {"AWS_ENDPOINT_URL": "https://b", "AWS_ENDPOINT_URL_COGNITO_IDENTITY": "https://a/"},
            {"services": "local"},
            ("https://a", "AWS_ENDPOINT_URL_COGNITO_IDENTITY"),
        ),
        ({}, {"AWS_ENDPOINT_URL": "https://b"}, {"services": "local"}, ("https://b", "AWS_ENDPOINT_URL")),
        (
            {},
            {"AWS_ENDPOINT_URL": ""},
            {"services": "local", "endpoint_url": "https://c"},
            ("https://section", "section 'services local'"),
        ),
        ({}, {}, {"endpoint_url": "https://c"}, ("https://c", "profile 'app'")),
        (
            {},
            {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True", "AWS_ENDPOINT_URL": "https://b"},
            {},
            (None, None),
        ),
        (
            {},
            {"AWS_ENDPOINT_URL": "https://b"},
            {"ignore_configured_endpoint_urls": "true"},
            (None, None),
        ),
        (
            {},
            {"AWS_ENDPOINT_URL": "https://b", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"},
            {"ignore_configured_endpoint_urls": "true"},
            ("https://b", "AWS_ENDPOINT_URL"),
        ),
        (
            {"endpoint_url": "https://argument"},
            {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            {},
            ("https://argument", "argument"),
        ),
    ],
)
def test_endpoints_follow_botocore(
    arguments: dict[str, str],
    environ: dict[str, str],
    profile: dict[str, str],
    expected: tuple[str | None, str | None],
) -> None:
    """Argument, service variable, general variable, services section, profile; or none when ignored."""
    found = load_guest(arguments, environ=environ, profile_settings=profile, services=SERVICES)
    assert (found.endpoint_url, found.origins.get("endpoint_url")) == expected


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_COGNITO_IDENTITY", "AWS_ENDPOINT_URL"])
@pytest.mark.parametrize("profile", [{}, {"services": "local"}, {"endpoint_url": "https://p"}])
def test_endpoints_agree_with_botocore_itself(variable: str, profile: dict[str, str]) -> None:
    """Botocore's own look-up, given the same places, finds the same address."""
    from botocore.configprovider import ConfiguredEndpointProvider

    for environ in ({}, {variable: "https://e"}):
        theirs = ConfiguredEndpointProvider(
            full_config={"services": SERVICES},
            scoped_config=profile,
            client_name="cognito-identity",
            environ=environ,
        ).provide()
        ours = load_guest(environ=environ, profile_settings=profile, services=SERVICES)
        assert ours.endpoint_url == theirs


def test_sts_has_its_own_endpoint() -> None:
    """STS has its own setting, which is read in the basic flow only; an argument always counts."""
    environ = {"AWS_ENDPOINT_URL_STS": "https://sts"}
    basic = {"flow": "basic", "role_arn": ROLE}
    assert load_guest(basic, environ=environ).sts_endpoint_url == "https://sts"
    assert load_guest(basic, environ=environ).endpoint_url is None
    assert load_guest(environ={"AWS_ENDPOINT_URL_STS": "http://elsewhere"}).sts_endpoint_url is None
    assert load_guest({"sts_endpoint_url": "http://127.0.0.1:1"}).sts_endpoint_url == "http://127.0.0.1:1"
    with pytest.raises(ConfigurationError, match="sts_endpoint_url from AWS_ENDPOINT_URL_STS is plain http"):
        load_guest(basic, environ={"AWS_ENDPOINT_URL_STS": "http://elsewhere"})


def test_a_services_section_that_is_missing_is_named() -> None:
    """As in botocore, a profile cannot name a services section that is not there."""
    with pytest.raises(ConfigurationError, match=r"services from profile 'app' names a section .*'nope'"):
        load_guest(profile_settings={"services": "nope"}, services=SERVICES)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://example.com",
            "https://example.com:8443/base",
            "http://127.0.0.1:4566",
            "http://127.9.9.9",
        ),
        *("http://localhost:1", "http://[::1]:1", "HTTP://LOCALHOST:1", "https://[2001:db8::1]"),
    ],
)
def test_https_and_loopback_are_taken(url: str) -> None:
    """Https to anywhere; plain http to this machine."""
    assert load_guest({"endpoint_url": url}).endpoint_url == url


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://0.0.0.0",
        ),
        *(
            "http://10.0.0.1",
            "http://169.254.169.254",
            "http://[::ffff:127.0.0.1]",
            "http://127.1",
            "http://2130706433",
        ),
        *("http://localhost.", "http://[fe80::1]", "http://LOCALHOST.localdomain", "http://[::1%25eth0]"),
        *(
            "ftp://127.0.0.1",
            "127.0.0.1:80",
            "https://",
            "https:///x",
            "https://a b",
            "https://a\nb",
            "//host",
        ),
        *("https://a\\b", "https://h/?q=1", "https://h/#f", "https://h:99999", "https://h:x", "https://h:0"),
        *(
            "https://é.example",
            "https://[::1",
            "http://127.0.0.1\\@example.com",
            "http://127.0.0.1%2f.example.com",
        ),
        *("https://-h", "", " "),
    ],
)
def test_other_endpoints_are_refused(url: str) -> None:
    """Plain http to another machine, and whatever two parsers could read differently, gets no token."""
    with pytest.raises(ConfigurationError, match=r"^endpoint_url from argument ") as caught:
        load_guest({"endpoint_url": url})
    assert str(caught.value).isprintable()


def test_passwords_in_endpoints_are_refused_and_not_shown() -> None:
    """An address with a password in it is an error that does not repeat it."""
    with pytest.raises(ConfigurationError, match="holds a user name or password") as caught:
        load_guest(environ={"AWS_ENDPOINT_URL": f"https://u:{CANARY}@example.com"})
    assert "AWS_ENDPOINT_URL" in str(caught.value)
    assert CANARY not in str(caught.value)
