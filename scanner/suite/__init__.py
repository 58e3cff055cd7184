"""The project's own tests: what they are, which endpoints they call, and what they assert."""
