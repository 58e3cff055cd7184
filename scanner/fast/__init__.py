"""Judging a few files within a second or two, as a hook before a commit wants it.

All files are known from the cache, but only the given ones, what they import and what leads to them is linked; and only
those rules are asked whose subjects live in one place, so that what isn't linked can turn a fail into a review, never
the other way round. Endpoints, settings and containers are for the whole scan.
"""
