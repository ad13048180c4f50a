"""Login tokens: the logins of a call in, verified logins out."""
