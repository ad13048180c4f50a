"""Chromium without a screen, driven by selenium."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # A container's /dev/shm has 64 MiB, which is too small for Chromium.
    "--disable-dev-shm-usage",
)
SECONDS = 60


def start_chromium(profile: Path, more_flags: Sequence[str] = ()) -> Any:
    """A browser with the new, empty *profile*. The caller quits it."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, *more_flags, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, Service("/usr/bin/chromedriver"))
    driver.set_page_load_timeout(SECONDS)
    return driver
