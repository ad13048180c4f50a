"""
Developer authenticated identities: an app's own back end authenticates the user, not an identity provider.

    login.py       DeveloperLogin, for the app: its back end's address -> source of tokens that Cognito issued
    back_end.py    developer_token, for the back end: its user's name -> identity id and token

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/developer-authenticated-identities.html
"""
