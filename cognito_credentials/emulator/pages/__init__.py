"""
The emulator's pages as HTML. They know nothing of HTTP, and need no script.

- ``document``: a title and forms in, a page out
- ``style.css``: the one stylesheet
"""
