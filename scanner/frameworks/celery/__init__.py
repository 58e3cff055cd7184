"""Celery: tasks that workers run when asked, and that its beat runs by the clock."""
