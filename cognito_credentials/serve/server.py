"""
The server as a whole: its port, its token, its files and its renewal, opened together and ended together.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

from ..secret import Secret
from .endpoint import Endpoint
from .protocol import CREDENTIALS_PATH, HOST, Rules
from .renewal import Renewal
from .token_file import token_file
from .variables_file import variables_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..pool.pool import IdentityPool

_TOKEN_BYTES = 32


class Server:
    """
    A server that listens; `serving` makes it.

    Args:
        variables: What tells clients of it: address, token file, token.
    """

    def __init__(
        self, endpoint: Endpoint, rules: Rules, renewal: Renewal, variables: Mapping[str, str]
    ) -> None:
        self.variables = variables
        self._endpoint = endpoint
        self._rules = rules
        self._renewal = renewal

    @property
    def url(self) -> str:
        """The address that clients ask."""
        return self.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"]

    def run(self) -> None:
        """Answer requests, and renew the credentials; what ends it is an exception, as of a signal."""
        with self._renewal:
            self._endpoint.run(self._rules)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Do that in a thread of its own meanwhile."""
        thread = threading.Thread(target=self.run, name="cognito-credentials-serve", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._endpoint.stop()
            thread.join()


@contextlib.contextmanager
def serving(
    pool: IdentityPool,
    environ: Mapping[str, str],
    *,
    check: Callable[[IdentityPool], object],
    port: int = 0,
    env_file: str | None = None,
    region: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """
    Open a server of the credentials of *pool*, and end it without leaving anything behind.

    It listens from then on, and answers once it runs. No thread is started before.

    Args:
        environ: Says where the user's directories are.
        check: Gets the first credentials. It is called when all that needs no service has been found right.
        port: 0 for any that is free.
        env_file: A file for the variables.
        region: Variables that name the region; they are in that file, too.

    Raises:
        CognitoCredentialsError: There are no credentials, the port or a file is in use, or cannot be used.
    """
    token = Secret(os.urandom(_TOKEN_BYTES).hex())
    with Endpoint(port) as endpoint, variables_file(env_file) as file:
        check(pool)
        with token_file(token, environ) as path:
            renewal = Renewal(pool)
            variables = {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{HOST}:{endpoint.port}{CREDENTIALS_PATH}",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": path,
                # Go's SDK v2 1.17, AWS CLI 2.9 and botocore 1.29 do not know the file.
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": token.reveal(),
            }
            if file is not None:
                file.write({**variables, **(region or {})})
            yield Server(endpoint, Rules(endpoint.port, token, renewal.answer), renewal, variables)
