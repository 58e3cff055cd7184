"""Schemas: which fields a class takes from a body and shows in an answer, in the terms of each library."""
