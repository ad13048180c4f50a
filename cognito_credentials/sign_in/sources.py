"""`UserPool` and `OidcLogin`: the login sources that people sign in to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..exchange.interruption import drops_frames_on_error
from ..importing import IMPORTING
from ..regions import user_pool_issuer
from ..settings.endpoints import checked_endpoint, configured_endpoint
from . import checks
from .source import SignInSource

if TYPE_CHECKING:
    from typing_extensions import Unpack  # of the type checker; typing has it since Python 3.11

    from ..exchange.http import Network
    from ..logins import LoginSource
    from ..secret import Secret
    from .issuers.issuer import Issuer
    from .issuers.tokens import Verified
    from .ways.password import PasswordSignIn
    from .ways.prompt import Prompt


class OidcLogin(SignInSource):
    """
    A person's sign-in at an OpenID Connect issuer.

    Args:
        issuer: The issuer's address, exactly as the issuer writes it: https, or http to this machine.
        client_id: A client for installed programs ("native", public).
        scopes: The scopes to ask for; ``openid`` is added.
        client_secret: The client's secret, or a login source that gives it at each use. Google gives one to
            installed programs, although it is not secret there.
        sign_in: The way to sign in: ``browser`` (the default) or ``device``.
        redirect_ports: Loopback ports for the browser's answer, tried in order; any free port by default.
        store: Where the sign-in is kept: ``keyring`` (the default); ``file`` for a plain file that only this
            user can read; ``memory`` for as long as this object, or a pool that has it, exists; or an app's
            own place for one sign-in, any object with the methods of `SignInStore`.
        directory: A directory of the program's own, absolute; the sign-in's files are in ``sign-in`` in it.
            By default that of the identity pool, or ``~/.aws/cognito``.
        login_provider: The login provider name; by default the issuer without its scheme and without a slash
            at its end.
        profile_name: Keeps sign-ins apart. The name of a profile in the AWS config, with the same issuer and
            client, is that profile's sign-in on the command line.
        environ: Environment variables, for HOME, proxies and the browser; by default the process's own.
        clock: By default this machine's.
        profile_settings: The keys of a profile of the AWS config; of them, ``ca_bundle`` is used.

    Raises:
        ConfigurationError: An argument is malformed.
    """

    ways = ("browser", "device")

    @drops_frames_on_error
    def __init__(
        self,
        issuer: str,
        client_id: str,
        *,
        scopes: str | Sequence[str] = ("openid", "email", "offline_access"),
        client_secret: str | Secret | LoginSource | None = None,
        **options: Unpack[checks.Options],
    ) -> None:
        with IMPORTING:
            from .issuers.discovery import checked_issuer

        super().__init__(
            checked_issuer(issuer, "issuer"),
            checks.client_id(client_id, "client_id"),
            scope=checks.scopes(scopes, "scopes"),
            **checks.options(options, self.ways),
        )
        self._client_secret = checks.client_secret(client_secret, "client_secret")

    def _make_issuer(self, network: Network) -> Issuer:
        with IMPORTING:
            from .issuers.oidc import OidcIssuer

        return OidcIssuer(network, self.issuer, self.client_id, self._client_secret)


class UserPool(SignInSource):
    """
    A person's sign-in at an Amazon Cognito user pool.

    Args:
        user_pool_id: ``REGION_name``.
        client_id: An app client without a secret.
        domain: The host of the hosted UI, or the prefix of one of Cognito's own domains; by default the
            pool's discovery document names it.
        scopes: The scopes to ask for; ``openid`` is added.
        endpoint_url: The endpoint of the user pools API, where it is not AWS's: https, or http to this
            machine. By default ``AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER`` names it.
        first_factor: What a person proves first who they are with, in the way ``password``: ``password``,
            ``sms`` or ``email`` (a code), or ``choice`` of what the pool offers. The app client needs
            ALLOW_USER_AUTH for it. By default a password, by ALLOW_USER_SRP_AUTH.
        sign_in: The way to sign in: ``browser`` (the default) or ``password``.
        redirect_ports: Loopback ports for the browser's answer, tried in order. The browser needs at least
            one, and ``http://127.0.0.1:PORT/callback`` registered for the client.
        store: Where the sign-in is kept: ``keyring`` (the default); ``file`` for a plain file that only this
            user can read; ``memory`` for as long as this object, or a pool that has it, exists; or an app's
            own place for one sign-in, any object with the methods of `SignInStore`.
        directory: A directory of the program's own, absolute; the sign-in's files are in ``sign-in`` in it.
            By default that of the identity pool, or ``~/.aws/cognito``.
        login_provider: The login provider name; by default that of the issuer in the tokens: a user pool has
            one of two.
        profile_name: Keeps sign-ins apart. The name of a profile in the AWS config, with the same user pool
            and client, is that profile's sign-in on the command line.
        environ: Environment variables, for HOME, proxies and the browser; by default the process's own.
        clock: By default this machine's.
        profile_settings: The keys of a profile of the AWS config; of them, ``ca_bundle`` is used.

    Raises:
        ConfigurationError: An argument is malformed.
    """

    ways = ("browser", "password")

    @drops_frames_on_error
    def __init__(
        self,
        user_pool_id: str,
        client_id: str,
        *,
        domain: str | None = None,
        scopes: str | Sequence[str] = ("openid", "email"),
        endpoint_url: str | None = None,
        first_factor: str | None = None,
        **options: Unpack[checks.Options],
    ) -> None:
        self.user_pool_id = checks.user_pool_id(user_pool_id, "user_pool_id")
        self.region = self.user_pool_id.partition("_")[0]
        super().__init__(
            user_pool_issuer(self.user_pool_id),
            checks.client_id(client_id, "client_id"),
            scope=checks.scopes(scopes, "scopes"),
            **checks.options(options, self.ways),
        )
        self.domain = None if domain is None else checks.domain(domain, "domain", self.region)
        self._endpoint_url = None if endpoint_url is None else checked_endpoint(endpoint_url, "endpoint_url")
        self.first_factor = (
            None if first_factor is None else checks.first_factor(first_factor, "first_factor")
        )

    def addresses(self) -> tuple[str, ...]:
        """Return where a sign-in is renewed: the API of user pools, and the domain where it has one."""
        with IMPORTING:
            from ..exchange.endpoints import endpoint

        configured = self._network_options()["endpoint_url"]
        api = endpoint("cognito-idp", self.region, configured=configured)
        return (api, f"https://{self.domain}") if self.domain and configured is None else (api,)

    def _make_issuer(self, network: Network) -> Issuer:
        with IMPORTING:
            from .issuers.user_pool import UserPoolIssuer

        return UserPoolIssuer(network, self.user_pool_id, self.client_id, self.domain)

    def _network_options(self) -> dict[str, Any]:
        return {"region": self.region, "endpoint_url": self._endpoint_url or self._configured_endpoint()}

    def _configured_endpoint(self) -> str | None:
        found = configured_endpoint(
            "cognito_identity_provider",
            environ=self._environ(),
            config={},
            profile=self.profile_name,
            # A services section would have to be looked up in the config file, which this does not read.
            profile_settings={k: v for k, v in self._profile_settings.items() if k != "services"},
        )
        return None if found is None else checked_endpoint(found[0], f"endpoint_url from {found[1]}")

    def _ports(self) -> tuple[int, ...]:
        if not self.redirect_ports:
            raise ConfigurationError(
                "a user pool sends the browser only to addresses that are registered, and no port is set",
                hint="Set redirect_ports=[8400, 8401] (cognito_redirect_ports = 8400,8401 in a profile) and "
                "register http://127.0.0.1:8400/callback and http://127.0.0.1:8401/callback as callback URLs "
                "of the app client",
                topic="E-SIGN-IN-SETTING",
            )
        return self.redirect_ports

    def _with_password(self, prompt: Prompt, username: str | None) -> Verified:
        with IMPORTING:
            from .ways.prompted import sign_in_at_prompt

        return sign_in_at_prompt(self._steps(), prompt, username, self.first_factor)

    def _steps(self) -> PasswordSignIn:
        with IMPORTING:
            from .ways.password import PasswordSignIn

        issuer: Any = self._issuer()
        return PasswordSignIn(issuer, self.client_id, self._sign_in().device())
