"""
The screenshots of the emulator's page for the docs: ``python -m tests.browser.screenshots [DIRECTORY]``.

They are ``emulator-light.png`` and ``emulator-dark.png``, by default in `.github/docs/pictures/`.
"""

from __future__ import annotations

import contextlib
import struct
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from cognito_credentials.emulator import Emulator

from .driver import start_chromium

PICTURES = Path(__file__).parents[2] / ".github" / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 880
GOOGLE = "accounts.google.com"
ROLE = "arn:aws:iam::123456789012:role/"


def play(emulator: Emulator) -> None:
    """Do what an app does: a guest, a user with a role by a rule, a refused login, a throttled call."""
    rules = [
        {"Claim": "team", "MatchType": "Equals", "Value": "support", "RoleARN": f"{ROLE}support"},
        {"Claim": "team", "MatchType": "Contains", "Value": "ship", "RoleARN": f"{ROLE}shipping"},
    ]
    mapping = {
        "Type": "Rules",
        "AmbiguousRoleResolution": "AuthenticatedRole",
        "RulesConfiguration": {"Rules": rules},
    }
    pool = emulator.create_pool(
        IdentityPoolName="shop", SupportedLoginProviders={GOOGLE: "shop-app"}, role_mappings={GOOGLE: mapping}
    )
    client = boto3.Session().client(
        "cognito-identity",
        endpoint_url=emulator.url,
        region_name="us-east-1",
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
    )
    guest = client.get_id(IdentityPoolId=pool)["IdentityId"]
    client.get_credentials_for_identity(IdentityId=guest)
    with contextlib.suppress(ClientError):
        wrong = emulator.login_token(GOOGLE, audience="another-app", subject="ann")
        client.get_id(IdentityPoolId=pool, Logins={GOOGLE: wrong})
    emulator.plan_faults(
        {"operation": "GetId", "code": "TooManyRequestsException", "message": "Rate exceeded"}
    )
    with contextlib.suppress(ClientError):
        client.get_id(IdentityPoolId=pool)
    logins = {
        GOOGLE: emulator.login_token(GOOGLE, audience="shop-app", subject="ann", claims={"team": "shipping"})
    }
    client.get_credentials_for_identity(IdentityId=guest, Logins=logins)
    keys = client.get_credentials_for_identity(IdentityId=guest, Logins=logins)["Credentials"]
    boto3.client(
        "sts",
        endpoint_url=emulator.url,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretKey"],
        aws_session_token=keys["SessionToken"],
    ).get_caller_identity()
    client.close()


def photograph(driver: Any, url: str, scheme: str) -> bytes:
    """The page with a request selected, in the colour *scheme*, as PNG."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False},
    )
    driver.get(url)
    driver.implicitly_wait(10)
    driver.find_elements("css selector", "#rows button")[1].click()
    driver.find_element("css selector", ".steps .issued")
    return bytes(driver.get_screenshot_as_png())


def optimised(png: bytes) -> bytes:
    """The PNG in three colours of each pixel, without filters: flat areas and letters are smaller so."""
    width, height = struct.unpack(">II", png[16:24])
    channels = 4 if png[25] == 6 else 3
    rows = _rows(_data(png), width * channels, channels)
    if channels == 4:
        rows = [_without_alpha(row) for row in rows]
    lines = b"".join(b"\0" + bytes(row) for row in rows)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return png[:8] + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _data(png: bytes) -> bytes:
    """The decompressed lines; https://www.w3.org/TR/png-3/#5Chunk-layout."""
    packed, place = b"", 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            packed += png[place + 8 : place + 8 + length]
        place += length + 12
    return zlib.decompress(packed)


def _rows(data: bytes, size: int, step: int) -> list[bytearray]:
    """The lines without their filters; https://www.w3.org/TR/png-3/#9Filters."""
    rows: list[bytearray] = []
    above = bytearray(size)
    for start in range(0, len(data), size + 1):
        kind, row = data[start], bytearray(data[start + 1 : start + 1 + size])
        for index in range(size):
            left = row[index - step] if index >= step else 0
            corner = above[index - step] if index >= step else 0
            added = (0, left, above[index], (left + above[index]) // 2, _paeth(left, above[index], corner))
            row[index] = (row[index] + added[kind]) % 256
        rows.append(row)
        above = row
    return rows


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda value: abs(guess - value))


def _without_alpha(row: bytearray) -> bytearray:
    del row[3::4]
    return row


def main(directory: Path) -> None:
    """Write both screenshots."""
    with Emulator() as emulator, tempfile.TemporaryDirectory() as profile:
        play(emulator)
        driver = start_chromium(Path(profile) / "chromium")
        try:
            for scheme in ("light", "dark"):
                png = optimised(photograph(driver, emulator.url, scheme))
                (directory / f"emulator-{scheme}.png").write_bytes(png)
        finally:
            driver.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
