"""Database: the schema, the connections, the migrations and the queries."""
