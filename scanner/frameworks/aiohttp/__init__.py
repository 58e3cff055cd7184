"""aiohttp: applications and route tables, what is added to them, and what guards it."""
