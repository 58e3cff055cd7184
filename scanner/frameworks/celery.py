"""Celery: the applications that workers run (https://docs.celeryq.dev/en/stable/userguide/application.html)."""

from __future__ import annotations

from assay.scanner.framework import Framework

CELERY = Framework("Celery", ("celery",), applications=frozenset({"celery.Celery"}))
