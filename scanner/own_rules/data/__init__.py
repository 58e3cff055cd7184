"""Data rules: small demands on the nouns of the model, written down in YAML."""
