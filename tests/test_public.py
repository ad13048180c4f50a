"""The public names, what importing them costs, and every place that reads the text of a secret."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import cognito_credentials

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "cognito_credentials"

PUBLIC = {
    *("AsyncIdentityPool", "IdentityPool", "IdentityPoolProvider", "Session", "install"),
    *("Secret", "TemporaryCredentials"),
    *("CacheError", "ChallengeRequired", "ClockSkewError", "CognitoCredentialsError", "ConfigurationError"),
    *("CredentialsExpiredError", "LoginRejectedError", "LoginRequiredError", "RefusedError", "ServiceError"),
}

REVEALED = {
    "adapters/awscrt.py": (2, "awscrt signs with text"),
    "adapters/iot.py": (2, "the key signs, and the session token goes into the URL"),
    "developer/back_end.py": (2, "the answer to the app, and logins for the request"),
    "developer/login.py": (2, "headers go into the request, and are checked for line ends"),
    "cache/redis_client.py": (1, "Redis is given its password"),
    "cache/sealing.py": (1, "the key that seals"),
    "pool/shared_store.py": (1, "the text of a source, which a profile names"),
    "settings/checks.py": (1, "a URL with a password is one of the kinds of cache"),
    "settings/shared_cache.py": (3, "a URL is taken apart; a key is measured"),
    "credentials.py": (8, "the spellings of credentials"),
    "exchange/client.py": (2, "login and OpenID tokens go into the request"),
    "exchange/facts.py": (1, "an unverified look at a token, for a hint"),
    "exchange/redaction.py": (1, "what was sent is taken out of a service's words"),
    "logins/program.py": (1, "a token that names a source is refused"),
    "logins/providers.py": (1, "a SAML response is base64 of XML"),
    "logins/source.py": (
        5,
        "to strip and measure it, to read exp and sub, to hash it for the principal; to tell a new one",
    ),
    "sign_in/ways/authorization.py": (1, "what a person pasted is taken apart"),
    "sign_in/kept/stores.py": (1, "the plain file, where that was chosen, and the app's text"),
    "sign_in/kept/own_place.py": (1, "a part of the app's text, as files have it"),
    "sign_in/kept/own_store.py": (2, "to the app, which keeps it, and to and from memory"),
    "sign_in/kept/own_text.py": (3, "the app's text is written, read, and compared to the last character"),
    "exchange/connections.py": (1, "a proxy is given its password"),
    "exchange/http.py": (1, "an issuer's answer is read"),
    "sign_in/issuers/id_token.py": (2, "to verify it, and to hash the access token (at_hash)"),
    "sign_in/kept/keyring_store.py": (5, "to seal it, and the key of that to and from the keyring"),
    "sign_in/kept/place.py": (1, "the file of the sign-in before is put back"),
    "sign_in/challenge.py": (1, "a choice is compared with the choices"),
    "sign_in/checks.py": (
        3,
        "whether a form's field is empty or no Unicode; a user name, which is no secret",
    ),
    "sign_in/ways/password.py": (3, "which choice it is; the spaces are taken out of a code"),
    "sign_in/ways/srp.py": (1, "into the proof"),
    "sign_in/kept/stored_tokens.py": (4, "the form in which it is stored, and back"),
    "sign_in/source.py": (1, "whose verified token it is"),
    "sign_in/issuers/token_client.py": (
        4,
        "code, its verifier, device code, refresh token, client secret: into requests",
    ),
    "sign_in/issuers/user_pool.py": (1, "the ID token names its issuer"),
    "sign_in/issuers/user_pool_api.py": (1, "into the request"),
    "cli/doctor/asked_pool.py": (2, "whether a token is a JWT; its signature is replaced"),
    "cli/doctor/details.py": (1, "the claims that rules look at"),
    "cli/commands/console.py": (2, "the address is printed, or the browser is led there"),
    "cli/federation.py": (2, "the federation endpoint is given the credentials"),
    "cli/doctor/logins.py": (1, "what a token claims: provider, audience, end"),
    "serve/protocol.py": (1, "a client's token is compared with it"),
    "serve/server.py": (1, "into the variables for clients"),
    "serve/token_file.py": (1, "the file that clients read it from"),
    "adapters/aws_sdk_v4.py": (2, "the AWS SDK for Python v4 signs with text"),
    "botocore_credentials.py": (2, "botocore signs with text"),
}
"""File -> number of calls of `Secret.reveal()`, and their reason. A new call needs a line here."""


def test_the_public_names_are_these() -> None:
    """`__all__` has exactly these names, sorted, at most 17, and each can be had."""
    assert set(cognito_credentials.__all__) == PUBLIC
    assert list(cognito_credentials.__all__) == sorted(cognito_credentials.__all__)
    assert len(PUBLIC) <= 17
    assert all(getattr(cognito_credentials, name).__name__ == name for name in PUBLIC)
    assert set(dir(cognito_credentials)) == PUBLIC | {"__version__"}


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    """A misspelt name raises AttributeError, although names are loaded lazily."""
    with pytest.raises(AttributeError, match="'Sesion'"):
        cognito_credentials.Sesion  # noqa: B018  # the access is the test


def test_public_names_are_the_same_object_by_every_way() -> None:
    """A public class is the class of its module, so that isinstance and except work."""
    from cognito_credentials.errors import ServiceError
    from cognito_credentials.pool.pool import IdentityPool

    assert cognito_credentials.ServiceError is ServiceError
    assert cognito_credentials.IdentityPool is IdentityPool
    assert pickle.loads(pickle.dumps(ServiceError("x"))).args == ("x",)


@pytest.mark.parametrize(
    "heavy",
    ["botocore", "boto3", "filelock", "typing", "logging", "json", "re", "threading", "dataclasses", "enum"],
)
def test_importing_the_package_imports_nothing(heavy: str) -> None:
    """Importing the package alone imports none of its parts."""
    loaded = _loaded_after("import cognito_credentials")

    assert heavy not in loaded
    assert {name for name in loaded if name.startswith("cognito_credentials")} == {"cognito_credentials"}


def test_an_error_class_does_not_bring_botocore() -> None:
    """A program that only catches our errors does not load an SDK for it."""
    loaded = _loaded_after("from cognito_credentials import CognitoCredentialsError, TemporaryCredentials")

    assert not loaded & {"botocore", "boto3", "filelock", "logging"}


def test_an_identity_pool_is_built_without_botocore_clients() -> None:
    """Building a pool loads neither a botocore client nor boto3."""
    loaded = _loaded_after(
        "from cognito_credentials import IdentityPool; "
        "IdentityPool('us-east-1:00000000-0000-4000-8000-000000000000')"
    )

    assert "cognito_credentials.pool.pool" in loaded
    of_filelock = _loaded_after("import filelock")  # an older one brings sqlite3 and asyncio
    assert not (loaded - of_filelock) & {"boto3", "botocore.client", "starlette", "sqlite3", "jwt"}


def _loaded_after(code: str) -> set[str]:
    """Run *code* in a fresh interpreter and return what it has imported."""
    # With -S, Python ignores .pth files, some of which import modules. The paths are put back.
    paths = [str(ROOT), *(path for path in sys.path if "site-packages" in path)]
    program = f"import sys; sys.path[:0] = {paths!r}; {code}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_secrets_are_revealed_in_known_places_only() -> None:
    """Each call of reveal() has its reason in the table."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        calls = [
            node
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Attribute) and node.attr == "reveal"
        ]
        if calls and not name.startswith("emulator/"):  # its secrets open nothing
            found[name] = len(calls)

    assert found == {name: count for name, (count, _) in REVEALED.items()}


def test_the_version_is_that_of_the_distribution() -> None:
    """`__version__` is the version in the installed metadata."""
    from importlib.metadata import version

    assert cognito_credentials.__version__ == version("cognito-credentials"), "run `pip install -e .` again"
