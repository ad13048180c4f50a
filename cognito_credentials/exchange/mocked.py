"""
Whether moto pretends to be AWS in this process.

moto answers the clients of boto3, not ours. A test that believes that nothing can reach AWS would make real
identities there, so while a mock is active, no request leaves this machine.
"""

from __future__ import annotations

import os
import sys
from typing import Final

_ACCESS_KEY: Final = "FOOBARKEY"
"""What moto puts into AWS_ACCESS_KEY_ID. Its server mode has only this sign, and so have child processes."""


def is_mocked() -> bool:
    """
    Tell whether a mock of moto is active: ``mock_aws`` of version 5, or one of version 4's for each service.

    Source: https://github.com/getmoto/moto/blob/master/moto/core/models.py
    """
    models = sys.modules.get("moto.core.models")
    stubber = getattr(models, "botocore_stubber", None)
    return bool(getattr(stubber, "enabled", False)) or os.environ.get("AWS_ACCESS_KEY_ID") == _ACCESS_KEY
