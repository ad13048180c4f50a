"""
Which endpoint a service has in a region: rules for what is common, and botocore's resolver for the rest.

Importing botocore takes longer than the whole exchange, so it is asked only about regions of no known
partition, and about variants that a partition does not have.

Source: https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json and the
``endpoint-rule-set-1.json`` of each service beside it. A test compares each region and variant.
"""

from __future__ import annotations

import re
from typing import Any, Final

from ..importing import IMPORTING

_PARTITIONS: Final = (
    # Regions, DNS suffix, DNS suffix of dual stack; None where botocore refuses dual stack.
    (r"(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+", "amazonaws.com", "api.aws"),
    (r"cn-\w+-\d+", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    (r"us-gov-\w+-\d+", "amazonaws.com", "api.aws"),
    (r"eusc-de-\w+-\d+", "amazonaws.eu", "api.amazonwebservices.eu"),
    (r"us-iso-\w+-\d+", "c2s.ic.gov", "api.aws.ic.gov"),
    (r"us-isob-\w+-\d+", "sc2s.sgov.gov", "api.aws.scloud"),
    (r"us-isof-\w+-\d+", "csp.hci.ic.gov", None),
    (r"eu-isoe-\w+-\d+", "cloud.adc-e.uk", None),
)
_FIPS_WITHOUT_DUAL_STACK: Final = ("us-east-1", "us-east-2", "us-west-1", "us-west-2")
"""Where the FIPS endpoints of Cognito answer on both stacks by their usual name."""


class InvalidEndpointConfigurationError(ValueError):
    """The settings of the endpoint exclude each other."""


def endpoint(
    service: str, region: str, *, fips: bool = False, dual_stack: bool = False, configured: str | None = None
) -> str:
    """
    Return the URL of a service.

    Args:
        service: ``cognito-identity``, ``cognito-idp`` or ``sts``.
        configured: A URL that is configured, which wins.

    Raises:
        InvalidEndpointConfigurationError: A URL is configured, and FIPS or dual stack is asked for as well.
        Exception: One of botocore's about endpoints: there is no such endpoint.
    """
    if configured is not None:
        if fips or dual_stack:
            kind = "FIPS" if fips else "Dualstack"
            raise InvalidEndpointConfigurationError(f"{kind} and custom endpoint are not supported")
        return configured
    for pattern, suffix, dual_suffix in _PARTITIONS:
        if re.fullmatch(pattern, region, re.ASCII) and not (dual_stack and dual_suffix is None):
            host = _host(service, region, fips, dual_suffix if dual_stack else None, suffix)
            return f"https://{host}"
    return _asked(service, region, fips, dual_stack)


def _host(service: str, region: str, fips: bool, dual_suffix: str | None, suffix: str) -> str:
    is_sts = service == "sts"
    name = f"{service}-fips" if fips else service
    if dual_suffix is None:
        is_plain = is_sts and fips and region.startswith("us-gov-")
        return f"{service if is_plain else name}.{region}.{suffix}"
    is_commercial = suffix == "amazonaws.com" and not region.startswith("us-gov-")
    if not is_sts and is_commercial and (not fips or region in _FIPS_WITHOUT_DUAL_STACK):
        return f"{name}.{region}.{suffix}"  # there, Cognito answers on both stacks by its usual names
    return f"{name}.{region}.{dual_suffix}"


def _asked(service: str, region: str, fips: bool, dual_stack: bool) -> str:
    with IMPORTING:
        import botocore.endpoint_provider
        import botocore.loaders
        import botocore.regions
        import botocore.utils

    botocore.utils.validate_region_name(region)
    loader = botocore.loaders.create_loader()
    # It refuses variants that a partition does not have, as when botocore makes a client.
    botocore.regions.EndpointResolver(loader.load_data("endpoints")).construct_endpoint(
        service, region, use_dualstack_endpoint=dual_stack, use_fips_endpoint=fips
    )
    provider = botocore.endpoint_provider.EndpointProvider(
        loader.load_service_model(service, "endpoint-rule-set-1"), loader.load_data("partitions")
    )
    parameters: dict[str, Any] = {"Region": region, "UseFIPS": fips, "UseDualStack": dual_stack}
    if service == "sts":
        parameters["UseGlobalEndpoint"] = False
    return str(provider.resolve_endpoint(**parameters).url)
