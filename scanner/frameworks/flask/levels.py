"""What the levels above a Flask view ask of callers: hooks of apps and blueprints, and the classes it derives from."""

from __future__ import annotations

from assay.scanner.framework import AboveRoute, Guard
from assay.scanner.frameworks.flask.apps import Placement
from assay.scanner.frameworks.flask.views import View
from assay.scanner.model.access import Access


def above(placement: Placement, view: View) -> AboveRoute | None:
    """None where the app that serves the view can't be told."""
    app = placement.application
    if app is None:
        return None
    inherited = [guard for guard in view.guards if not _is_own(guard, view)]
    access = Access.CLOSED if placement.guards or inherited else Access.OPEN
    if access is Access.OPEN and placement.unresolved:
        access = Access.UNKNOWN
    return AboveRoute("Flask", access, app.module.evidence(app.node, "makes the application"))


def _is_own(guard: Guard, view: View) -> bool:
    """Whether it stands on the view itself, or in its body."""
    target = view.cls or view.function
    if target is None:
        return True
    node, place = target.node, guard.evidence.location
    first = target.module.location(node.decorators[0] if node.decorators else node).line
    return place.path == target.module.path and first <= place.line <= target.module.location(node).end_line
