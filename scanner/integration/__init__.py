"""What a service tells other ones beside its own database, and what becomes of it when something fails half-way."""
