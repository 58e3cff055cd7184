"""What SQLAlchemy and the libraries on top of it mean: mapped classes, tables, queries."""
