"""
Developer authenticated identities: an app's own back end authenticates the user, not an identity provider.

    login.py       DeveloperLogin, for the app: its back end's address -> source of tokens that Cognito issued
    back_end.py    developer_token, for the back end: its user's name -> identity id and token
    silence.py     keeps what back_end.py sends and gets out of botocore's wire log

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/developer-authenticated-identities.html
"""
