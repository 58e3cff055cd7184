"""Testing: what the tests prove, and that they are run."""
