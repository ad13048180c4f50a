"""
What can go wrong on the way to an answer. The request may be sent again, unless an answer came that is none.

The names are those of botocore's exceptions: `table` knows both, since a back end's client is botocore's.
No text here holds a header, a body or a password.
"""

from __future__ import annotations

from typing import Final


class HTTPClientError(Exception):
    """The request could not be sent, or the answer could not be read."""


class InvalidAnswerError(Exception):
    """An answer is not what the operation answers; the text says what it lacks, and quotes nothing of it."""


NO_SUCH_NAME: Final = "its name is not found"
"""The reason where a host has no address."""


class EndpointConnectionError(HTTPClientError):
    """No address of the host takes connections, or it has none."""

    def __init__(self, url: str, reason: str = "") -> None:
        super().__init__(f'Could not connect to the endpoint URL: "{url}"{reason and f" ({reason})"}')


class ConnectTimeoutError(HTTPClientError):
    """No address of the host answered in time."""

    def __init__(self, url: str) -> None:
        super().__init__(f'Connect timeout on endpoint URL: "{url}"')


class SSLError(HTTPClientError):
    """There is no TLS connection that can be trusted."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"SSL validation failed for {url} {reason}")


class ProxyConnectionError(HTTPClientError):
    """The proxy cannot be reached, or does not open the way."""

    def __init__(self, proxy: str, reason: str = "") -> None:
        super().__init__(f'Failed to connect to proxy URL: "{proxy}"{reason and f" ({reason})"}')


class ReadTimeoutError(HTTPClientError):
    """The request was sent, and then nothing came for too long."""

    def __init__(self, url: str) -> None:
        super().__init__(f'Read timeout on endpoint URL: "{url}"')


class ConnectionClosedError(HTTPClientError):
    """The connection ended before the answer did."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f'Connection was closed before we received a valid response from endpoint URL: "{url}".'
        )
