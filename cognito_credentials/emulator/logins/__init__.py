"""
Login tokens and the keys that sign them.

- ``verifier``: the logins of a call in, verified logins out
- ``refusals``: the errors of a login token that is refused, with their texts
- ``issuers``: a provider's token in, whether the provider signed it out
- ``fetching``: a provider in, its keys out, over the network
- ``key_set``: a JSON Web Key Set in, its signing keys, or what is wrong with it, out
- ``tokens``: JSON Web Tokens, read and signed; the tokens that the service issues
- ``keys``: the RSA keys of the emulator
- ``saml``: a SAML response in, its subject and attributes out
- ``saml_issuer``: the emulator's own SAML provider, for tests
"""
