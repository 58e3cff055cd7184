"""Writes: of which model, and how they come to last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from assay.scanner.dataflow.effects.bodies import Bodies
from assay.scanner.dataflow.effects.body import LibraryMethod
from assay.scanner.dataflow.effects.change import Change
from assay.scanner.dataflow.effects.generic_views import model_of_view
from assay.scanner.dataflow.effects.libraries import (
    DJANGO_WRITES,
    DOCUMENTS,
    MONGO_WRITES,
    SESSION_WRITES,
    SQL_PACKAGES,
)
from assay.scanner.dataflow.effects.names import is_audit_record
from assay.scanner.dataflow.effects.names import why_beside_the_point as beside_the_point
from assay.scanner.dataflow.effects.uses import only_notes_use
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, How, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form

_MANAGERS = ("django.db.models.Manager.", "django.db.models.QuerySet.", "django.db.models.manager.")
_NO_MODELS = ("Serializer", "Form", "ViewSet", "View", "Mixin")
"""What is said to be changed where only the library's class is known."""
_SAVED = ("rest_framework.serializers.ModelSerializer", "rest_framework.serializers.HyperlinkedModelSerializer")
_HOOKS = frozenset({"perform_create", "perform_update", "form_valid"})


class Store(Enum):
    """How what is written comes to last."""

    AT_ONCE = auto()
    """Each write is a transaction of its own where none is open."""
    AT_COMMIT = auto()
    """The library opens a transaction by itself, and somebody has to commit."""


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    """One write, at the place where it is made. `is_sure` is False where what is written to can't be told."""

    model: str
    action: str
    store: Store
    node: form.Expr | form.Stmt
    scope: Scope
    is_sure: bool = True


class Writes:
    """Tells them from other changes that code makes."""

    def __init__(self, project: Project, bodies: Bodies, tables: Sequence[Table]) -> None:
        self._project = project
        self._bodies = bodies
        self._records = bodies.records
        self._related = {(t.model, r.name): r.target for t in tables for r in t.relations if r.to_many}
        packages = project.imported_packages
        self._has_django = "django" in packages
        self._has_session = not packages.isdisjoint(SQL_PACKAGES)

    def of_change(self, change: Change) -> Write | None:
        """The write that a change is; None where it matters to nobody."""
        caveats = change.caveats
        if change.kind is not EffectKind.WRITE or caveats.excuse is not None:
            return None
        store = self._store(change)
        if store is None:
            return None
        hooked = self._in_hook(change)
        if hooked is not None:
            return Write(hooked, change.action, store, change.node, change.scope)
        is_of_form = not change.target or change.target.endswith(_NO_MODELS)
        model = self._of_form(change) if is_of_form else self._of_relation(change)
        if model is None:
            return None
        return Write(model, change.action, store, change.node, change.scope, caveats.doubt is None)

    def _in_hook(self, change: Change) -> str | None:
        """The model of the view whose hook saves what it is given: `perform_create(self, serializer)`."""
        hook = change.scope.function
        owner = change.node.func if isinstance(change.node, form.Call) else None
        if hook is None or hook.owner is None or hook.name not in _HOOKS or not isinstance(owner, form.Attr):
            return None
        is_given = isinstance(owner.value, form.Name) and owner.value.id in {p.name for p in hook.parameters}
        return model_of_view(hook.owner, self._project) if is_given and owner.attr == "save" else None

    def _of_form(self, change: Change) -> str | None:
        """The model of a form or serializer that is saved, empty where unknown; None where nothing is written."""
        owner = change.node.func if isinstance(change.node, form.Call) else None
        saved = _last_given(owner.value, change.scope) if isinstance(owner, form.Attr) else None
        value = self._project.infer(saved, change.scope) if saved is not None else None
        cls = value.cls if isinstance(value, Instance) else None
        if cls is None or not any(n.startswith(("rest_framework.", "django.")) for n in self._project.base_names(cls)):
            return ""
        made = self._project.method(cls, "create")
        if made is not None and not any(name in _SAVED for name in self._project.base_names(cls)):
            body = self._bodies.of(made)
            return "" if body.changes or body.edges or body.inherited else None
        return model_of_view(cls, self._project)

    def _of_relation(self, change: Change) -> str:
        """The model of the rows that are reached from another row: `Line` of `order.line_set.create(...)`."""
        owner = change.node.func if isinstance(change.node, form.Call) else None
        if not isinstance(owner, form.Attr) or owner.attr not in DJANGO_WRITES:
            return change.target  # `order.tags.add(tag)` changes which rows belong together
        reached: form.Expr = owner.value
        while isinstance(reached, form.Call) and isinstance(reached.func, form.Attr):
            reached = reached.func.value
        name = reached.attr if isinstance(reached, form.Attr) else ""
        return self._related.get((change.target, name)) or change.target

    def of_inherited(self, method: LibraryMethod, function: FunctionSymbol) -> Write | None:
        """What a serializer's `super().create(validated_data)` makes, or a model's `super().save()` stores."""
        owner = function.owner
        if owner is None or method.above is None or method.name != function.name:
            return None
        if method.name in ("save", "asave") and self._records.is_record(owner):
            return Write(owner.name, "update", Store.AT_ONCE, method.node, function.scope)
        if method.name != "create":
            return None
        if not any(name.startswith("rest_framework.") for name in self._project.base_names(owner)):
            return None
        model = model_of_view(owner, self._project)
        return Write(model, "create", Store.AT_ONCE, method.node, function.scope) if model else None

    def of_manager(self, call: form.Call, scope: Scope) -> Write | None:
        """A write by a manager of the project's own class: `Member.objects.create(...)`."""
        action = DJANGO_WRITES.get(last_name(call.func) or "")
        if action is None or action == "create when missing" or not isinstance(call.func, form.Attr):
            return None
        callee = self._project.infer(call.func, scope)
        if not isinstance(callee, External) or not callee.name.startswith(_MANAGERS):
            return None
        model = self._records.model_behind(call.func.value, scope)
        if model is None or is_audit_record(model) or beside_the_point(model) or only_notes_use(call, scope):
            return None
        return Write(model, action, Store.AT_ONCE, call, scope)

    def _store(self, change: Change) -> Store | None:
        """How the write comes to last; None where the database has no transactions that matter here: documents."""
        node = change.node
        if not isinstance(node, form.Call):
            return Store.AT_COMMIT
        name = last_name(node.func) or ""
        if name in MONGO_WRITES:
            return None
        callee = self._project.infer(node.func, change.scope)
        dotted = callee.name if isinstance(callee, External) else ""
        if dotted.startswith(DOCUMENTS):
            return None
        root = dotted.split(".", 1)[0]
        if root in SQL_PACKAGES:
            return Store.AT_COMMIT
        if root == "dbapi":
            return Store.AT_ONCE if self._has_django else Store.AT_COMMIT
        if root in ("asyncpg", "databases"):
            return Store.AT_ONCE
        if not dotted and (name in SESSION_WRITES or name in ("execute", "executemany", "insert")):
            is_of_session = self._has_session and not (name == "delete" and not node.args)
            return Store.AT_COMMIT if is_of_session or not self._has_django else Store.AT_ONCE
        if not dotted and self._has_session and not self._has_django:
            return Store.AT_COMMIT
        return Store.AT_ONCE


def _last_given(node: form.Expr, scope: Scope) -> form.Expr:
    """What a name was given last before it is used; any other expression itself."""
    bindings = scope.lookup(node.id, node.start) if isinstance(node, form.Name) else []
    before = [b for b in bindings if b.how is How.ASSIGN and b.value is not None and b.value.end <= node.start]
    last = max(before, key=lambda b: b.offset, default=None)
    return last.value if last is not None and last.value is not None else node
