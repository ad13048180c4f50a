"""
Roles that are assumed, and their sessions.

- ``trust``: a role and an attempt to assume it in, whether its trust policy allows it out
- ``trust_policy``: a trust policy in, what is wrong with it out
- ``conditions``: one condition and the values of a call in, whether it holds out
- ``sessions``: a session in, its credentials out, and back
- ``session_policies``: a session and an action in, whether its session policies allow the action out
"""
