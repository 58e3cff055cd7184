"""Measurements as subjects: which service they are of, what of the tree they speak of, and how old they are."""
