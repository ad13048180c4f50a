"""The public name of the back end's half of developer authenticated identities: `developer_token`."""

from .developer.back_end import DeveloperToken, developer_token

__all__ = ["DeveloperToken", "developer_token"]
