"""Django Ninja: APIs and routers, and what operations declare; the controllers of Django Ninja Extra."""
