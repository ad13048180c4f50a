"""
The emulator's pages as HTML. They know nothing of HTTP, and need no script.

- ``managed_login``: a challenge of a user pool in, its page out
- ``document``: a title and forms in, a page out
- ``style.css``: the one stylesheet
"""
