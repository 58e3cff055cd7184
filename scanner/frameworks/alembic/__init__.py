"""Alembic: the revisions of a SQLAlchemy schema."""
