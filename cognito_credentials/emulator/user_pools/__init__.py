"""
Amazon Cognito user pools, as far as signing in needs them. It knows nothing of HTTP.

- ``operations``: a request of the API in, the members of its answer out
- ``authentication``: InitiateAuth, RespondToAuthChallenge, and the calls about refresh tokens
- ``clients``: which app client calls, and whether it knows its secret
- ``accounts``: signing up, confirmation, forgotten passwords, the own account
- ``devices``: the devices that a user confirms, lists and forgets
- ``authorizing``: an authorization request in, the address to go to out; codes and browser sessions
- ``token_endpoint``: a token request in, tokens out; revocation, and user info
- ``tokens``: a signed-in user in, ID, access and refresh tokens out; refreshing and revoking them
- ``sign_in``: the sign-in as a machine: what the user gave in, the next challenge or the signed-in user out
- ``steps``: what comes after what; ``attempt``: what is stored between a challenge and its answer
- ``codes``: codes by SMS and e-mail, which are listed and not sent
- ``passwords``: passwords verified, counted when wrong, checked against the policy
- ``attributes``: the attributes that a user may have
- ``srp``, ``totp``: the pool's half of SRP; the codes of authenticator apps
- ``refusals``: errors

What is stored is in ``stored.user_pools`` and ``stored.sign_ins``. The sign-in pages and the endpoints of
OAuth are callers of ``sign_in`` and ``tokens``, as the API is.
"""
