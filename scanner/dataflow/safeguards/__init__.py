"""Safeguards that a call has or lacks by its options: flags of cookies, checks of certificates, verified signatures.

`options` works out what a call is told in production. Which calls there are, and which of their options matter, library
models say.
"""
