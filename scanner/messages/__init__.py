"""Messages: what is handed to workers and published to brokers, what is in it, and what becomes of it twice."""
