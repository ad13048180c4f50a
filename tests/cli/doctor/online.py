"""
How to break what a healthy home asks: the network, the service, its pool, the login sources.

The recipes are those of `recipes.RECIPES`, found only where somebody is asked.
"""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

import boto3

from tests.cli.doctor.conftest import Home, closed_port
from tests.cli.doctor.recipes import Recipe
from tests.exchange.certificates import tls_server_of_nobody
from tests.exchange.conftest import RawServer

NOBODYS_POOL = "us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"
ROLE = "arn:aws:iam::123456789012:role/authenticated"
LOGIN = "login.example.com"
ARN = f"arn:aws:iam::123456789012:oidc-provider/{LOGIN}"
RULES = {
    "Type": "Rules",
    "AmbiguousRoleResolution": "Deny",
    "RulesConfiguration": {
        "Rules": [{"Claim": "sub", "MatchType": "Equals", "Value": "bob", "RoleARN": ROLE}]
    },
}


def developer(home: Home) -> Any:
    """Return a client of the account's developer."""
    return boto3.Session().client(
        "cognito-identity",
        region_name="us-east-1",
        endpoint_url=home.emulator.url,
        aws_access_key_id="AKIADEVELOPER0000000",
        aws_secret_access_key="developer",
    )


def update(home: Home, **members: Any) -> None:
    """Change members of the pool; those that are not given are dropped."""
    changed = {"IdentityPoolName": "test", "AllowUnauthenticatedIdentities": True, **members}
    developer(home).update_identity_pool(IdentityPoolId=home.pool_id, **changed)


def roles(home: Home, mappings: Mapping[str, Any] | None = None, **given: str) -> None:
    """Set the roles of the pool."""
    developer(home).set_identity_pool_roles(
        IdentityPoolId=home.pool_id, Roles=given, RoleMappings=mappings or {}
    )


def forget(home: Home) -> None:
    """Lose the identity and the credentials, as a new machine has none."""
    shutil.rmtree(home.cache)


def fault(operation: str, **planned: Any) -> Callable[[Home], None]:
    """Have the service answer otherwise, as often as it is asked."""
    return lambda home: home.emulator.plan_faults({"operation": operation, "times": 50, **planned})


def settled(**values: Any) -> Callable[[Home], object]:
    """Change settings of the emulator."""
    return lambda home: home.emulator.settings(**values)


def of_aws(home: Home) -> None:
    """Have the profile ask AWS itself, where only a proxy leads to."""
    home.unset("AWS_ENDPOINT_URL_COGNITO_IDENTITY", "AWS_ENDPOINT_URL_STS")


def through(address: str) -> Callable[[Home], None]:
    """Set a proxy."""
    return lambda home: (of_aws(home), home.set(HTTPS_PROXY=address))[0]


def through_proxy(status: str) -> Callable[[Home], None]:
    """Have a proxy that answers *status*."""

    def spoil(home: Home) -> None:
        answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
        server = RawServer(lambda connection, _: connection.sendall(answer))
        home.closing.callback(server.close)
        through(f"http://ann:CANARY-password@127.0.0.1:{server.port}")(home)

    return spoil


def through_silence(home: Home) -> None:
    """Have a proxy that takes connections and says nothing."""
    listener = home.closing.enter_context(socket.create_server(("127.0.0.1", 0)))
    through(f"http://127.0.0.1:{listener.getsockname()[1]}")(home)


def at(url: str) -> Callable[[Home], None]:
    """Set the endpoint of Cognito Identity."""
    return lambda home: home.set(AWS_ENDPOINT_URL_COGNITO_IDENTITY=url)


def certified(*, is_trusted: bool, **certificate: Any) -> Callable[[Home], None]:
    """Ask a server with another certificate than it should have."""

    def spoil(home: Home) -> None:
        url, path = home.closing.enter_context(tls_server_of_nobody(**certificate))
        at(url)(home)
        if is_trusted:
            home.set(AWS_CA_BUNDLE=path)

    return spoil


def login(text: str) -> Callable[[Home], None]:
    """Have another login source; ``PYTHON`` stands for the interpreter."""
    return lambda home: home.edit(f"file:{home.token_file}", text.replace("PYTHON", sys.executable))


def untrusted(home: Home) -> None:
    """Let the roles' trust policies be those of another pool."""
    home.emulator.service.strict_roles = True


def basic(home: Home) -> None:
    """Use the basic flow."""
    home.add(f"cognito_flow = basic\ncognito_role_arn = {ROLE}\n")


def signed(home: Home) -> None:
    """Have the developer's keys in another profile, and read the pool with them."""
    home.add("[profile developer]\naws_access_key_id = AKIADEVELOPER0000000\n")
    home.add("aws_secret_access_key = developer\n")
    home.set(AWS_PROFILE="developer")
    home.options.append("--pool-details")


ONLINE = tuple(
    recipe._replace(offline=False)
    for recipe in (
        # The network
        Recipe(
            "a host that does not exist",
            at("https://nobody.invalid"),
            *("network", "error"),
            "Cognito Identity at nobody.invalid: the service cannot be reached: there is no address",
            "the network and its DNS",
        ),
        Recipe(
            "a host that cannot be reached",
            at("https://255.255.255.255"),
            *("network", "error"),
            "Cognito Identity at 255.255.255.255: the service cannot be reached (connecting: Endpoint",
            "the network, DNS and firewall",
        ),
        Recipe(
            "a proxy that is not there",
            lambda home: (of_aws(home), home.set(HTTPS_PROXY=f"http://127.0.0.1:{closed_port()}")),
            *("network", "error"),
            "the proxy cannot be used (connecting: ProxyConnectionError",
            "Check HTTPS_PROXY and NO_PROXY",
        ),
        Recipe(
            "a proxy whose name does not exist",
            through("http://nobody.invalid:3128"),
            *("network", "error"),
            "(its name is not found)",
            "Check HTTPS_PROXY and NO_PROXY",
        ),
        Recipe(
            "a proxy that refuses",
            through_proxy("403 Forbidden"),
            *("network", "error"),
            "the proxy does not open the way to cognito-identity.us-east-1.amazonaws.com",
            "Have its administrator allow that host",
        ),
        Recipe(
            "a proxy that wants another password",
            through_proxy("407 Proxy Authentication Required"),
            *("network", "error"),
            "the proxy does not let this machine through without the right user name and password",
            "Put them into HTTPS_PROXY",
        ),
        Recipe(
            "a proxy that says nothing",
            through_silence,
            *("network", "error"),
            "the proxy cannot be used (connecting: ProxyConnectionError",
            "Check HTTPS_PROXY and NO_PROXY",
        ),
        Recipe(
            "a proxy of another kind",
            through("socks5://127.0.0.1:1080"),
            *("network", "error"),
            "HTTPS_PROXY is not the URL of a proxy that this can use",
            "It is http://HOST:PORT",
        ),
        Recipe(
            "a certificate of an unknown issuer",
            certified(is_trusted=False, last_day=1),
            *("network", "error"),
            "no trusted TLS connection to the service",
            "set AWS_CA_BUNDLE or ca_bundle",
        ),
        Recipe(
            "a certificate that has expired",
            certified(is_trusted=True),
            *("network", "error"),
            "the service's certificate is not valid at this machine's time",
            "Set this machine's clock",
        ),
        Recipe(
            "a certificate of another name",
            certified(is_trusted=True, name="nobody.example", last_day=1),
            *("network", "error"),
            "the certificate is not one of the service, but of another name",
            "Correct the address",
        ),
        Recipe(
            "a CA bundle that is not there",
            lambda home: (certified(is_trusted=False)(home), home.set(AWS_CA_BUNDLE="/nowhere/ca.pem")),
            *("network", "error"),
            "the CA bundle '/nowhere/ca.pem' from AWS_CA_BUNDLE does not exist",
            "Correct the path",
        ),
        Recipe(
            "a profile's CA bundle without certificates",
            lambda home: (certified(is_trusted=False)(home), home.add(f"ca_bundle = {home.config}\n")),
            *("network", "error"),
            "the CA bundle '{home}/.aws/config' from profile 'guest' holds no certificates",
            "Name a file of certificates in PEM",
        ),
        Recipe(
            "an endpoint of STS that does not exist",
            lambda home: (basic(home), home.set(AWS_ENDPOINT_URL_STS="https://nobody.invalid")),
            *("network-sts", "error"),
            "STS at nobody.invalid: the service cannot be reached: there is no address",
            "the network and its DNS",
        ),
        Recipe(
            "an issuer that does not exist",
            lambda _: None,
            *("network-login", "error"),
            "sign-in:login.example.com at login.example.com: the service cannot be reached",
            "the network and its DNS",
            kind="sign-in",
        ),
        Recipe(
            "a back end that is not there",
            lambda home: home.edit(
                f"{LOGIN} = file:{home.token_file}",
                f"cognito-identity.amazonaws.com = developer:http://127.0.0.1:{closed_port()}/token",
            ),
            *("network-login", "error"),
            "nothing listens at this address",
            "Start the emulator, or whatever stands in",
            kind="login file",
        ),
        # The service
        Recipe(
            "a captive portal",
            fault("*", status=403, body="<html>CANARY</html>", headers={"content-type": "text/html"}),
            *("service", "error"),
            "something that is not AWS answered in place of 127.0.0.1:",
            "A captive portal or a proxy is in between",
        ),
        Recipe(
            "a service that fails",
            fault("*", code="InternalErrorException"),
            *("service", "error"),
            "the service failed",
            "A later try may succeed",
        ),
        Recipe(
            "a service that is asked too often",
            fault("*", code="TooManyRequestsException", message="Rate exceeded"),
            *("service", "error"),
            "the service is asked too often",
            "Wait",
        ),
        Recipe(
            "an organisation that denies it",
            fault("*", code="AccessDeniedException", message="User: anonymous is not authorized"),
            *("service", "error"),
            "a policy of the pool's organisation denies GetCredentialsForIdentity to the public",
            "Its administrator must allow",
        ),
        Recipe(
            "a clock that is an hour behind",
            settled(clock_offset=3600),
            *("clock", "error"),
            "this machine's clock is 1 h 0 min behind the service's: AWS refuses what is signed by it",
            "Set this machine's clock",
        ),
        Recipe(
            "a clock that is two minutes ahead",
            settled(clock_offset=-125),
            *("clock", "warning"),
            "this machine's clock is 2 min ahead of the service's",
            "Set this machine's clock",
        ),
        Recipe(
            "a clock that is a day behind, with a login",
            lambda home: (settled(clock_offset=86_400)(home), home.token_file.write_text(home.token())),
            *("clock", "error"),
            "this machine's clock is 24 h 0 min behind",
            "Set this machine's clock",
            kind="login file",
        ),
        # The pool
        Recipe(
            "a pool that does not exist",
            lambda home: home.edit(home.pool_id, NOBODYS_POOL),
            *("pool", "error"),
            f"there is no identity pool {NOBODYS_POOL} in us-east-1",
            "the part before the colon is its region",
        ),
        Recipe(
            "a pool of another region",
            lambda home: home.edit(home.pool_id, home.pool_id.replace("us-east-1", "eu-west-1")),
            *("pool", "error"),
            "there is no identity pool eu-west-1:",
            "the part before the colon is its region",
        ),
        Recipe(
            "a pool that was deleted",
            lambda home: developer(home).delete_identity_pool(IdentityPoolId=home.pool_id),
            *("pool", "error"),
            "there is no identity pool {pool} in us-east-1",
            "or it was deleted",
        ),
        Recipe(
            "a pool without any provider",
            lambda home: (update(home), forget(home)),
            *("pool", "error"),
            "identity pool {pool} has no login provider",
            "Its owner must add the login provider",
            kind="login file",
        ),
        Recipe(
            "a provider that the pool does not list",
            lambda home: (update(home, SupportedLoginProviders={"accounts.google.com": "app"}), forget(home)),
            *("providers", "error"),
            "identity pool {pool} does not list the provider or the app client of this login",
            "The pool must list exactly that provider",
            kind="login file",
        ),
        Recipe(
            "a provider that the pool does not list any more",
            lambda home: update(home, SupportedLoginProviders={"accounts.google.com": "app"}),
            *("role", "error"),
            "identity pool {pool} does not list the provider or the app client of this login",
            "The pool must list exactly that provider",
            kind="login file",
        ),
        Recipe(
            "guests are not allowed any more",
            lambda home: update(home, AllowUnauthenticatedIdentities=False),
            *("role", "error"),
            "identity pool {pool} does not allow guests, and no login was sent",
            "Configure a login",
        ),
        Recipe(
            "the identity was deleted",
            lambda home: developer(home).delete_identities(
                IdentityIdsToDelete=[
                    each["IdentityId"]
                    for each in developer(home).list_identities(IdentityPoolId=home.pool_id, MaxResults=9)[
                        "Identities"
                    ]
                ]
            ),
            *("role", "warning"),
            "the identity does not exist (any more)",
            "It was deleted",
        ),
        Recipe(
            "a role that does not trust the pool",
            untrusted,
            *("role", "error"),
            "the role of identity pool {pool} for guests cannot be assumed",
            "The role's trust policy needs",
        ),
        Recipe(
            "a pool without roles",
            roles,
            *("role", "error"),
            "the role of identity pool {pool} for guests cannot be assumed",
            "Its owner must attach that role",
        ),
        Recipe(
            "the basic flow is off",
            lambda home: (basic(home), update(home, AllowClassicFlow=False)),
            *("role", "error"),
            "identity pool {pool} does not allow the basic flow",
            "Set flow = enhanced",
        ),
        Recipe(
            "a role of the basic flow that does not trust the pool",
            lambda home: (basic(home), untrusted(home)),
            *("role", "error"),
            f"the role {ROLE} does not exist, or does not let guests of this pool in",
            "Check role_arn",
        ),
        # Login sources
        Recipe(
            "a login command that fails",
            login("command:PYTHON -c raise(SystemExit(3))"),
            *("tokens", "error"),
            "failed with exit code 3",
            "Run it in a terminal to see why",
            kind="login file",
        ),
        Recipe(
            "a login command that hangs",
            login("command:sleep 60"),
            *("tokens", "error"),
            "did not finish within 3.5 s and was killed",
            "",
            kind="login file",
        ),
        Recipe(
            "a login command that prints something else",
            login("command:echo CANARY-opaque"),
            *("tokens", "error"),
            "the token for login.example.com from command:echo … is no ID token",
            "Give the ID token of the same sign-in",
            kind="login file",
        ),
        # With the developer's credentials
        Recipe(
            "the developer's credentials may not",
            lambda home: (
                signed(home),
                fault(
                    "DescribeIdentityPool",
                    code="AccessDeniedException",
                    message="User: arn:aws:iam::123456789012:user/ann is not authorized to perform: "
                    "cognito-identity:DescribeIdentityPool on resource: x",
                )(home),
            ),
            *("pool-details", "warning"),
            "cognito-identity:DescribeIdentityPool is denied to arn:aws:iam::123456789012:user/ann",
            "Allow cognito-identity:DescribeIdentityPool",
        ),
        Recipe(
            "the developer's program fails, and prints a secret",
            lambda home: (
                home.add("[profile developer]\ncredential_process = /bin/sh -c 'echo CANARY >&2; exit 1'\n"),
                home.set(AWS_PROFILE="developer"),
                home.options.append("--pool-details"),
            ),
            *("pool-details", "warning"),
            "the credential_process of the profile that signs gave no credentials",
            "Run its line in a terminal to see why",
        ),
        Recipe(
            "the developer's credentials are missing",
            lambda home: home.options.append("--pool-details"),
            *("pool-details", "warning"),
            "there are no AWS credentials to sign with",
            "Set AWS_PROFILE, or keys in the environment",
        ),
        Recipe(
            "the developer's credentials are the pool's",
            lambda home: (home.set(AWS_PROFILE="guest"), home.options.append("--pool-details")),
            *("pool-details", "warning"),
            "boto3's own credentials are those of an identity pool",
            "Set AWS_PROFILE, or keys in the environment",
        ),
        Recipe(
            "guests are not allowed, as the pool's details say",
            lambda home: (forget(home), signed(home), update(home, AllowUnauthenticatedIdentities=False)),
            *("pool-details", "error"),
            "identity pool {pool} does not allow guests",
            "let the pool's owner allow guest access",
        ),
        Recipe(
            "a pool without a role for guests, as its details say",
            lambda home: (signed(home), roles(home, authenticated=ROLE)),
            *("pool-details", "error"),
            "identity pool {pool} has no role for guests",
            "Its owner must attach one",
        ),
        Recipe(
            "no rule matches, as the pool's details say",
            lambda home: (signed(home), roles(home, {ARN: RULES}, authenticated=ROLE)),
            *("pool-details", "error"),
            "the user of login.example.com gets no role: none of the 1 rules for login.example.com matches",
            "must correct its roles or role mapping",
            kind="login file",
        ),
        Recipe(
            "the basic flow is off, as the pool's details say",
            lambda home: (basic(home), signed(home), update(home, AllowClassicFlow=False)),
            *("pool-details", "error"),
            "identity pool {pool} does not allow the basic flow",
            "Set flow = enhanced",
        ),
    )
)
