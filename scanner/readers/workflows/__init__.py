"""CI pipelines as jobs and steps, whatever system runs them."""
