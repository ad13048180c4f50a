"""
Other hosts of credentials: each file gives an identity pool's credentials to one library.

    aiobotocore.py    aiobotocore, and so aioboto3 and s3fs: what `install` puts into its sessions
    aws_sdk_v4.py     the AWS SDK for Python v4: a resolver for a client's config
    aws_sdk_v4_chain.py    the same SDK finds a profile's pool by itself; named in pyproject.toml
    awscrt.py         awscrt and the AWS IoT SDK: a credentials provider over the pool
    iot.py            AWS IoT Core's MQTT over WebSocket, for any MQTT client: a signed URL

A file here imports its library only when it is used. If the library is not installed, one error names the
extra that has it (`extra.py`).
"""
