"""Security: what reaches an interpreter, who may do what, and what is kept secret."""
