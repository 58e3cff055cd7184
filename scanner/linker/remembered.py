"""What is worked out once for a project, however many routes ask for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from assay.scanner.linker.project import Project

_P = ParamSpec("_P")
_T = TypeVar("_T")


def remembered(work: Callable[_P, _T]) -> Callable[_P, _T]:
    """Remember the function's answers, by all its arguments, as long as the last one, the project, lives."""
    answers: WeakKeyDictionary[Project, dict[tuple[object, ...], _T]] = WeakKeyDictionary()

    @wraps(work)
    def ask(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        *others, project = args
        assert isinstance(project, Project), f"{work.__name__} takes the project as its last argument"
        assert not kwargs, f"{work.__name__} takes arguments by position"
        known = answers.setdefault(project, {})
        question = tuple(others)
        if question not in known:
            known[question] = work(*args, **kwargs)
        return known[question]

    return ask
