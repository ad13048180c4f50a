"""The user's home directory, and what lies in it."""

from __future__ import annotations

import pytest

from cognito_credentials.errors import ConfigurationError
from cognito_credentials.home import cache_directory

HOME = {"HOME": "/home/ann", "USERPROFILE": "/home/ann"}


def test_the_cache_directory() -> None:
    """AWS_COGNITO_CACHE_DIR, else ~/.aws/cognito/cache, on Windows in LOCALAPPDATA; None without a home."""
    assert cache_directory({"AWS_COGNITO_CACHE_DIR": "/x", **HOME}) == "/x"
    assert cache_directory({"AWS_COGNITO_CACHE_DIR": "~/x", **HOME}) == "/home/ann/x"
    assert cache_directory({"HOME": "/h"}, is_windows=False) == "/h/.aws/cognito/cache"
    assert (
        cache_directory({"LOCALAPPDATA": r"C:\Users\a\AppData\Local"}, is_windows=True)
        == r"C:\Users\a\AppData\Local\cognito-credentials\cache"
    )
    for environ in ({}, {"HOME": ""}, {"HOME": "."}):
        assert cache_directory(environ, is_windows=False) is None
    assert cache_directory({"LOCALAPPDATA": "x"}, is_windows=True) is None


def test_a_relative_cache_directory_is_refused() -> None:
    """The cache does not depend on the working directory, nor lie in somebody else's."""
    with pytest.raises(ConfigurationError, match=r"AWS_COGNITO_CACHE_DIR is not an absolute path: 'here'"):
        cache_directory({"AWS_COGNITO_CACHE_DIR": "here"})
    assert cache_directory({"AWS_COGNITO_CACHE_DIR": "~/here", "HOME": "/home/ann"}) == "/home/ann/here"
