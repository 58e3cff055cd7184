"""What values can be and where they go: over lowered function bodies, never over syntax trees."""
