"""
Developer authenticated identities: an app's own back end says who the user is.

    login.py       DeveloperLogin, the app's half: asks the back end; an identity id and a token come back
    back_end.py    the back end's half (GetOpenIdTokenForDeveloperIdentity): user name -> the same two
"""
