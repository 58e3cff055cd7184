"""Migrations of a store's schema, as Alembic runs them."""
