"""
Other people's programs with our credentials: SDKs, file systems, data frames, MQTT and web frameworks.

One file for each consumer. They need the `consumers` extra, which `.ci/run` installs into an environment of
its own. Without a package, the tests that need it are skipped, and say so. With ``TESTS_REQUIRE_CONSUMERS``
they fail.

- ``conftest``: fixtures: a pool on the emulator, a bucket on moto's server, and the row that a test proves
- ``storage``: S3 or another service of moto behind a check of each signature, which notes whose key signed
- ``signatures``: that check, for any service; without botocore, which is among what is checked
- ``mqtt``: an MQTT broker behind the check of AWS IoT Core, which differs
- ``api``: an HTTP API that says who has called it, behind the same check
- ``table``: the rows of `.github/docs/reference/consumers.md`
"""
