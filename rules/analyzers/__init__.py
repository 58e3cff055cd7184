"""The checks of other analyzers in the terms of the standard, one table each."""
