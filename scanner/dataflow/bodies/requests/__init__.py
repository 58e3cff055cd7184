"""Bodies of requests: where code reads them, by what they are validated, and what becomes of their fields."""
