"""FastAPI: apps and routers, dependencies, what parameters and annotations declare."""
