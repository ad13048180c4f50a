"""
Issuers of tokens: endpoints, tokens, and how they are verified.

    issuer.py           what every issuer can do
    oidc.py             an OpenID Connect issuer
    user_pool.py        an Amazon Cognito user pool; user_pool_api.py is its JSON API
    discovery.py        issuer -> its metadata and keys
    tokens.py           the token endpoint: grants, refresh, revocation
    id_token.py         ID token -> verified claims
"""
