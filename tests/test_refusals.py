"""Refusals: which decorators keep strangers out, and which only look at who is asking."""

from __future__ import annotations

import pytest

from assay.scanner.dataflow.refusals.decorators import refuses_by_decorator
from tests.projects import project_of

DECORATOR = """
from functools import wraps

def decorator(view):
    @wraps(view)
    def wrapped(request, *args):
        {body}
    return wrapped

@decorator
def show(request):
    return "secret"
"""


@pytest.mark.parametrize(
    ("body", "refuses"),
    [
        ("return view(request) if request.user else abort(401)", True),
        ("if not request.user:\n            return LOGIN_PAGE\n        return view(request)", True),
        # an answer from a cache is no answer to strangers, though its key is made of the user
        (
            "owner = str(request.user)\n        key = make_key(request, owner)\n        cached = cache.get(key)\n"
            "        if cached is not None:\n            return cached\n        return view(request)",
            False,
        ),
        ("log(request.user)\n        return view(request)", False),
    ],
)
def test_a_decorator(body: str, refuses: bool) -> None:
    project = project_of({"main.py": DECORATOR.replace("{body}", body)})
    show = next(f for f in project.functions if f.name == "show")
    found = refuses_by_decorator(show.decorators[0], show.outer, project)
    assert (found is not None) is refuses
