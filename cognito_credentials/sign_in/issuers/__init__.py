"""
The issuers of tokens.

    issuer.py           what a sign-in asks of an issuer
    oidc.py             an OpenID Connect issuer
    user_pool.py        an Amazon Cognito user pool
    user_pool_api.py    an operation of the user pools API -> its answer, or the error that users see
    token_client.py     a code or refresh token -> tokens, at a token endpoint; revocation
    refusals.py         what an issuer says when it refuses -> the error that users see, and what helps
    discovery.py        an issuer's address -> its endpoints
    id_token.py         an ID token -> its verified claims
    tokens.py           what an issuer gives: tokens, verified claims, a device
"""
