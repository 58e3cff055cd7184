"""The service model: what a rule sees. One module per noun; every noun is frozen, plain data."""
