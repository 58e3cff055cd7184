"""Functions that run when a row is saved: handlers of Django's signals, listeners of SQLAlchemy's mappers.

https://docs.djangoproject.com/en/stable/ref/signals/#django.db.models.signals.post_save,
https://docs.sqlalchemy.org/en/20/orm/events.html#mapper-events
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from assay.scanner.dataflow.effects.libraries import SQL_PACKAGES
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.transaction import TransactionKind
from assay.scanner.readers.python import form
from assay.scanner.transactions.events import Event
from assay.scanner.transactions.new_rows import asks_for_new, is_new
from assay.scanner.transactions.scopes import Scopes

_SAVING = frozenset(
    {
        "save", "asave", "create", "acreate", "get_or_create", "aget_or_create", "update_or_create",
        "aupdate_or_create", "create_user", "create_superuser",
    }
)  # fmt: skip
"""What sends `pre_save` and `post_save`: changes of many rows at once don't."""
_DELETING = frozenset({"delete", "adelete"})
_SENT_BY: Mapping[str, frozenset[str]] = {
    "pre_save": _SAVING,
    "post_save": _SAVING,
    "pre_delete": _DELETING,
    "post_delete": _DELETING,
}


_OF_MAPPERS = frozenset(
    {"before_insert", "before_update", "before_delete", "after_insert", "after_update", "after_delete"}
)
_FLUSHED = "it runs while the session is flushed, before the commit"


@dataclass(frozen=True, slots=True)
class _Handled:
    model: str
    signal: str
    place: Evidence


@dataclass(frozen=True, slots=True)
class _Saved:
    """A row that is saved, by a call of that name."""

    name: str
    evidence: tuple[Evidence, ...]
    is_new: bool | None


class RowHandlers:
    """Those of one project. Django's run in the transaction of whoever saves the row, where one is open; SQLAlchemy's
    while the session is flushed, and so before its commit.
    """

    def __init__(self, project: Project, scopes: Scopes, writing: Iterable[FunctionSymbol]) -> None:
        self._project = project
        self._scopes = scopes
        self._writing = tuple(writing)

    @property
    def functions(self) -> Iterable[FunctionSymbol]:
        return (*self._handled, *self._listening)

    def transaction_around(self, function: FunctionSymbol, offset: int) -> tuple[Evidence, ...]:
        """What opens a transaction in which such a row is saved that has the function get there, and where it is;
        empty where none was seen.
        """
        if function in self._listening:
            return (self._listening[function],)
        wanted = asks_for_new(function, offset)
        for handled in self._handled.get(function, ()):
            for saved in self._saved.get(handled.model, ()):
                is_other = wanted is not None and saved.is_new is not None and saved.is_new is not wanted
                if saved.name in _SENT_BY[handled.signal] and not is_other:
                    return saved.evidence
        return ()

    def saved_before(self, function: FunctionSymbol) -> tuple[Evidence, ...]:
        """What has it run when a row was saved; empty for any other function."""
        return tuple(h.place for h in self._handled.get(function, ()) if h.signal.startswith("post_"))[:1]

    @cached_property
    def _listening(self) -> Mapping[FunctionSymbol, Evidence]:
        """`@event.listens_for(Order, "after_insert")`."""
        found: dict[FunctionSymbol, Evidence] = {}
        if self._project.imported_packages.isdisjoint(SQL_PACKAGES):
            return found
        for function in self._project.functions:
            for decorator in function.decorators if function.module.role is Role.PROD else ():
                is_listening = isinstance(decorator, form.Call) and last_name(decorator.func) == "listens_for"
                if is_listening and isinstance(decorator, form.Call) and _is_of_mapper(decorator):
                    found[function] = function.module.evidence(decorator, _FLUSHED)
        for call, scope in self._project.calls_named("listen"):
            given = call.argument(2, "fn")
            value = self._project.infer(given, scope) if given is not None and _is_of_mapper(call) else None
            if isinstance(value, FunctionSymbol) and scope.module.role is Role.PROD:
                found[value] = scope.module.evidence(call, _FLUSHED)
        return found

    @cached_property
    def _handled(self) -> Mapping[FunctionSymbol, list[_Handled]]:
        found: dict[FunctionSymbol, list[_Handled]] = {}
        if "django" not in self._project.imported_packages:
            return found
        for function in self._project.functions:
            for decorator in function.decorators if function.module.role is Role.PROD else ():
                if isinstance(decorator, form.Call) and last_name(decorator.func) == "receiver" and decorator.args:
                    first = decorator.args[0].value
                    signals = first.items if isinstance(first, form.Display) else [first]
                    found.setdefault(function, []).extend(self._pairs(decorator, signals, function.outer))
        for call, scope in self._project.calls_named("connect"):
            handler = call.argument(0, "receiver")
            value = self._project.infer(handler, scope) if handler is not None else None
            value = value.function if isinstance(value, BoundMethod) else value
            if isinstance(value, FunctionSymbol) and isinstance(call.func, form.Attr):
                found.setdefault(value, []).extend(self._pairs(call, [call.func.value], scope))
        return found

    def _pairs(self, call: form.Call, signals: Iterable[form.Expr], scope: Scope) -> Iterator[_Handled]:
        sender = call.keyword("sender")
        cls = self._project.infer(sender, scope) if sender is not None else None
        model = cls.name if isinstance(cls, ClassSymbol) else last_name(sender) if sender is not None else None
        for signal in signals:
            name = last_name(signal) or ""
            if model is not None and name in _SENT_BY:
                yield _Handled(model, name, scope.module.evidence(call, f"it runs when {model} is saved or deleted"))

    @cached_property
    def _saved(self) -> Mapping[str, list[_Saved]]:
        """Rows that are saved while a transaction is open, by model."""
        models = {handled.model for each in self._handled.values() for handled in each}
        found: dict[str, list[_Saved]] = {}
        for function in self._writing if models else ():
            for event in self._scopes.events.of(function):
                written = [w for w in event.writes if w.is_sure and w.model in models] if event.helper is None else []
                name = _called(event)
                if not written or name is None:
                    continue
                opened = self._scopes.at(function, event.start)
                if opened is not None and opened.kind is TransactionKind.DJANGO and opened.is_certain:
                    saved = function.module.evidence(event.node, f"{written[0].model} is saved in it")
                    made = is_new(written[0], event, function, self._project)
                    found.setdefault(written[0].model, []).append(_Saved(name, (*opened.evidence, saved), made))
        return found


def _is_of_mapper(call: form.Call) -> bool:
    name = call.argument(1, "identifier")
    return isinstance(name, form.Const) and name.value in _OF_MAPPERS


def _called(event: Event) -> str | None:
    return last_name(event.node.func) if isinstance(event.node, form.Call) else None
