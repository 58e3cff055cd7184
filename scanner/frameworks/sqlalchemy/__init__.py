"""SQLAlchemy and the libraries on top of it: mapped classes, tables, queries."""
