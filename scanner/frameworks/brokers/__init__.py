"""Message brokers: the code that takes messages from them."""
