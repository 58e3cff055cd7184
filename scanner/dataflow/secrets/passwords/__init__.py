"""Passwords of those who log in: where they are hashed, stored and compared, and in which form.

`uses` collects what the others find: calls of functions made for passwords (`hashing`), digests (`digests`), SQL text
(`statements`), and users' objects and records (`records`). `forms` tells what an expression makes of a password, with
`functions` for those of libraries and of the project; `logins` tells which tables and objects have a password.
"""
