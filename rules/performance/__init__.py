"""Performance: what a request waits for, and whether instances can be added."""
