"""The container-credentials endpoint, in this process: its parts and their rules."""
