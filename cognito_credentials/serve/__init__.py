"""
The container-credentials endpoint: SDKs of any language ask it over HTTP, on this machine alone.

In comes an identity pool; out go an address, a token, and credentials that are always renewed before a client
asks.

    server.py           joins the others: `serving` opens all, and leaves nothing behind
    endpoint.py         the port: connections -> requests, in one thread
    protocol.py         a request -> the answer to it, without any I/O
    renewal.py          renews the credentials in the background, and words the answer of each moment
    token_file.py       the file with the token; files of servers that were killed
    variables_file.py   the ``--env-file``

The one thread that answers never waits for the network or the disk. Another one asks the pool for credentials
once a second; when they are due is the pool's policy and nothing of this folder.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""
