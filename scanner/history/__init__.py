"""Scans that are kept, so that services can be told over time; the database is SQLAlchemy's to talk to."""
