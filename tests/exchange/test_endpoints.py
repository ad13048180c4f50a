"""Endpoints: botocore's own resolver is the judge, for every service, partition, region and variant."""

from __future__ import annotations

import itertools
import subprocess
import sys

import botocore.config
import botocore.exceptions
import botocore.session
import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.regions import EndpointResolver

from cognito_credentials.exchange.endpoints import InvalidEndpointConfigurationError, endpoint
from cognito_credentials.regions import KNOWN_REGIONS

pytest.importorskip("botocore", minversion="1.44", reason="an older one resolves and retries in other ways")

OPERATIONS = {
    "cognito-identity": "GetId",
    "cognito-idp": "InitiateAuth",
    "sts": "AssumeRoleWithWebIdentity",
}
SESSION = botocore.session.Session()
LOADER = SESSION.get_component("data_loader")
PARTITIONS = LOADER.load_data("partitions")["partitions"]
REGIONS = sorted({region for partition in PARTITIONS for region in partition["regions"]} | {*KNOWN_REGIONS})


def botocores(service: str, region: str, *, fips: bool, dual_stack: bool) -> str:
    """Where botocore's own client sends its requests, or the name of what it raises."""
    config = botocore.config.Config(
        signature_version=botocore.UNSIGNED,
        use_fips_endpoint=fips,
        use_dualstack_endpoint=dual_stack,
    )
    try:
        client = SESSION.create_client(service, region_name=region, config=config)
    except botocore.exceptions.BotoCoreError as error:
        return type(error).__name__
    sent: list[str] = []

    def stop(request: object, **_: object) -> None:
        sent.append(request.url)  # type: ignore[attr-defined]
        raise InterruptedError

    client.meta.events.register("before-send", stop)
    parameters = {
        "GetId": {"IdentityPoolId": "x"},
        "InitiateAuth": {"AuthFlow": "USER_AUTH", "ClientId": "x"},
        "AssumeRoleWithWebIdentity": {
            "RoleArn": "x" * 20,
            "RoleSessionName": "xx",
            "WebIdentityToken": "x" * 4,
        },
    }[OPERATIONS[service]]
    with pytest.raises(InterruptedError):
        client._make_api_call(OPERATIONS[service], parameters)
    return sent[0].rstrip("/")


def ours(service: str, region: str, *, fips: bool, dual_stack: bool) -> str:
    """Our endpoint, or the name of what is raised."""
    try:
        return endpoint(service, region, fips=fips, dual_stack=dual_stack)
    except botocore.exceptions.BotoCoreError as error:
        return type(error).__name__


RESOLVERS = {
    service: EndpointProvider(
        LOADER.load_service_model(service, "endpoint-rule-set-1"), LOADER.load_data("partitions")
    )
    for service in OPERATIONS
}
VARIANTS = EndpointResolver(LOADER.load_data("endpoints"))


def resolved(service: str, region: str, *, fips: bool, dual_stack: bool) -> str:
    """What botocore's resolvers say: the one that refuses variants, then the one for requests."""
    parameters = {"Region": region, "UseFIPS": fips, "UseDualStack": dual_stack}
    try:
        VARIANTS.construct_endpoint(
            service, region, use_dualstack_endpoint=dual_stack, use_fips_endpoint=fips
        )
    except botocore.exceptions.BotoCoreError as error:
        return type(error).__name__
    is_sts = {"UseGlobalEndpoint": False} if service == "sts" else {}
    return str(RESOLVERS[service].resolve_endpoint(**parameters, **is_sts).url)


@pytest.mark.thorough
def test_every_endpoint_is_botocores() -> None:
    """All services, in all regions of all partitions, with and without FIPS and dual stack."""
    assert len(REGIONS) > 40
    different = {
        (service, region, fips, dual_stack): (expected, found)
        for service in OPERATIONS
        for region, fips, dual_stack in itertools.product(REGIONS, (False, True), (False, True))
        if (expected := resolved(service, region, fips=fips, dual_stack=dual_stack))
        != (found := ours(service, region, fips=fips, dual_stack=dual_stack))
    }
    assert different == {}


@pytest.mark.parametrize("service", OPERATIONS)
def test_the_resolvers_are_what_clients_of_botocore_use(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client of botocore's sends its requests there, in a region of each kind and every variant."""
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "regional")
    for region in ("us-east-1", "eu-west-3", "cn-north-1", "us-gov-west-1", "us-isof-south-1"):
        for fips, dual_stack in itertools.product((False, True), (False, True)):
            found = botocores(service, region, fips=fips, dual_stack=dual_stack)
            assert found == ours(service, region, fips=fips, dual_stack=dual_stack), (region, fips)


@pytest.mark.parametrize("region", ["xx-nowhere-9", "eu-west-99", "us-isox-east-1", "aws-global", "a b"])
def test_what_no_list_has_is_botocores_too(region: str) -> None:
    """A region that opens tomorrow, one of a partition that nobody knows, and what is no region."""
    for service in OPERATIONS:
        found = ours(service, region, fips=False, dual_stack=False)
        assert found == botocores(service, region, fips=False, dual_stack=False)


def test_a_configured_endpoint_wins_and_has_no_variants() -> None:
    """As in botocore, FIPS or dual stack with an endpoint of one's own is a contradiction."""
    url = "http://127.0.0.1:1/path"
    assert endpoint("sts", "eu-west-1", configured=url) == url
    for variant in ({"fips": True}, {"dual_stack": True}):
        with pytest.raises(InvalidEndpointConfigurationError, match="custom endpoint"):
            endpoint("sts", "eu-west-1", configured=url, **variant)


def test_the_table_needs_no_botocore() -> None:
    """Every region that has identity pools is answered by rules alone."""
    code = (
        "import sys\nfrom cognito_credentials.exchange.endpoints import endpoint\n"
        "from cognito_credentials.regions import KNOWN_REGIONS\n"
        "for region in KNOWN_REGIONS:\n"
        "    for service in ('cognito-identity', 'cognito-idp', 'sts'):\n"
        "        for fips in (False, True):\n"
        "            for dual in (False, True): endpoint(service, region, fips=fips, dual_stack=dual)\n"
        "print('botocore' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
