"""A program for ``BROWSER`` that signs in as the user PERSON at the address it is given."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.sign_in.web_browser import WebBrowser

if __name__ == "__main__":
    Path(os.environ["BROWSER_WAS_HERE"]).touch()
    WebBrowser().sign_in(sys.argv[1], os.environ["PERSON"])
