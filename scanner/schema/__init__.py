"""What migrations make of a schema, which of them may still be changed, and on which database they run."""
