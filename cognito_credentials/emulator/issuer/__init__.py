"""
The emulator's own issuer: an OpenID Connect provider that is no user pool, where any made-up user signs in.

It has the authorization code flow with PKCE and the device grant, so every way of signing in can be tried.
Any client id is a public client of it, unless the seed registers some. It knows nothing of HTTP.

- ``authorizing``: an authorization request or a user code in, a page to show or an address to go to out
- ``token_endpoint``: a token request in, tokens out; revocation, and who a token is about
- ``tokens``: ID tokens and access tokens; the codes and refresh tokens of a grant
- ``grants``: what is stored: who allowed which client what, and who is signed in in which browser
"""
