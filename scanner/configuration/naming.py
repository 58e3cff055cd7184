"""What names say of production: switches that are off there, and how it is called itself."""

from __future__ import annotations

from functools import lru_cache

from assay.scanner.dataflow.lexicon import words

_DEVELOPMENT = frozenset({"debug", "dev", "devel", "development", "local", "localhost", "test", "testing", "tests"})
_PRODUCTION = frozenset({"prod", "production"})
_BEFORE_PRODUCTION = frozenset({"staging", "stage", "ci", "qa", "sandbox", "preview"})
_NOT = frozenset({"not", "non"})
_AROUND = frozenset(
    {
        "app", "are", "deployed", "deployment", "django", "enabled", "env", "environment", "flag", "flask", "in", "is",
        "like", "machine", "mode", "on", "or", "request", "run", "running", "server", "staging", "we",
    }
)  # fmt: skip
"""Words that names of such switches have beside the one that tells."""
_ENVIRONMENT = frozenset({"env", "environment", "stage"})
_AROUND_ENVIRONMENT = frozenset(
    {
        "app", "current", "deploy", "deployment", "django", "fastapi", "flask", "get", "name", "node", "python", "run",
        "runtime", "service", "type",
    }
)  # fmt: skip


@lru_cache(maxsize=4096)
def on_in_production(name: str) -> bool | None:
    """Whether a switch of that name is on in production: `DEBUG` and `is_localhost` are off; None for other names."""
    parts = frozenset(words(name))
    is_negated = bool(parts & _NOT)
    for telling, is_on in ((_PRODUCTION, True), (_DEVELOPMENT, False)):
        if telling & parts and parts - _NOT <= telling | _AROUND:
            return is_on is not is_negated
    return None


@lru_cache(maxsize=4096)
def names_environment(name: str) -> bool:
    """Whether a thing of that name holds how the environment is called: `APP_ENV`, `ENVIRONMENT`."""
    parts = frozenset(words(name))
    return bool(_ENVIRONMENT & parts) and parts <= _ENVIRONMENT | _AROUND_ENVIRONMENT


def is_production(environment: object) -> bool | None:
    """Whether an environment of that name is production; None where the name doesn't tell."""
    parts = frozenset(words(environment)) if isinstance(environment, str) else frozenset()
    if parts & _PRODUCTION:
        return True
    return False if parts & (_DEVELOPMENT | _BEFORE_PRODUCTION) else None
