"""One module a step of the schema; what was released is never edited."""
