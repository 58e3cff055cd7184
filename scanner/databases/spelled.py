"""Everything that is written in an expression and in what its names stand for: keys, keywords, texts and values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, How, Scope
from assay.scanner.readers.python import form

_DEEPEST = 5
_READERS = frozenset({"dict", "db", "db_url", "db_url_config", "dj_db_url", "config", "parse"})
"""Functions whose dicts hold their arguments, or what a database's address says: environ's, dj-database-url's."""


@dataclass(frozen=True, slots=True)
class Word:
    """A keyword or key with its value, or a text alone: `name` is empty then."""

    name: str
    value: form.Expr | None
    node: form.Expr
    scope: Scope


@dataclass(slots=True)
class Spelling:
    """The words of an expression; `is_open` says that something in it could not be followed."""

    words: list[Word]
    is_open: bool = False

    def named(self, *names: str) -> Word | None:
        """The first word of one of the names."""
        return next((w for w in self.words if w.name in names), None)

    def containing(self, *texts: str) -> Word | None:
        """The first word whose name or text has one of the texts in it."""
        return next((w for w in self.words if any(t in w.name or t in _text(w.node) for t in texts)), None)


class Speller:
    """Follows names, dicts, `**options` and calls of project functions."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def of_call(self, call: form.Call, scope: Scope) -> Spelling:
        """The words of a call's arguments."""
        found = Spelling([])
        for argument in call.args:
            if argument.name is not None:
                found.words.append(Word(argument.name, argument.value, argument.value, scope))
            self._add(argument.value, scope, found, _DEEPEST, is_spread=argument.star == 2)
        return found

    def of(self, node: form.Expr, scope: Scope) -> Spelling:
        """The words of an expression."""
        found = Spelling([])
        self._add(node, scope, found, _DEEPEST, is_spread=False)
        return found

    def _add(self, node: form.Expr, scope: Scope, found: Spelling, depth: int, *, is_spread: bool) -> None:
        match node:
            case form.Const():
                found.words.append(Word("", None, node, scope))
            case form.Template():
                found.words.append(Word("", None, node, scope))
            case form.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    name = key.value if isinstance(key, form.Const) else None
                    if isinstance(name, str):
                        found.words.append(Word(name, value, value, scope))
                    if key is None or isinstance(value, form.Dict | form.Const | form.Template | form.Call | form.Name):
                        self._add(value, scope, found, depth, is_spread=key is None)
            case form.Name() | form.Attr() if depth:
                self._follow(node, scope, found, depth, is_spread=is_spread)
            case form.Call():
                self._call(node, scope, found, depth, is_spread=is_spread)
            case form.Conditional(body=first, orelse=second) | form.Binary(left=first, right=second):
                self._add(first, scope, found, depth, is_spread=is_spread)
                self._add(second, scope, found, depth, is_spread=is_spread)
            case _:
                found.is_open = found.is_open or is_spread

    def _follow(
        self, node: form.Name | form.Attr, scope: Scope, found: Spelling, depth: int, *, is_spread: bool
    ) -> None:
        meant = definitions(node, scope, self._project)
        for value, at in meant:
            self._add(value, at, found, depth - 1, is_spread=is_spread)
        if isinstance(node, form.Name):
            self._later(node, scope, found, depth)
        found.is_open = found.is_open or (is_spread and not meant)

    def _later(self, node: form.Name, scope: Scope, found: Spelling, depth: int) -> None:
        """`options["pool_pre_ping"] = True`, `options.update(...)`."""
        owner = next((b.scope for b in scope.lookup(node.id) if b.how is How.ASSIGN), None)
        if owner is None:
            return
        for statement, at in owner.module.assignments:
            for target in statement.targets:
                key = target.index if isinstance(target, form.Subscript) and _is(target.value, node.id) else None
                if isinstance(key, form.Const) and isinstance(key.value, str) and statement.value is not None:
                    found.words.append(Word(key.value, statement.value, statement.value, at))
                    self._add(statement.value, at, found, depth - 1, is_spread=False)
        for call, at in owner.module.calls_named(("update", "setdefault")):
            if isinstance(call.func, form.Attr) and _is(call.func.value, node.id):
                found.words += self.of_call(call, at).words

    def _call(self, call: form.Call, scope: Scope, found: Spelling, depth: int, *, is_spread: bool) -> None:
        for argument in call.args:
            if argument.name is not None:
                found.words.append(Word(argument.name, argument.value, argument.value, scope))
            if depth:
                self._add(argument.value, scope, found, depth - 1, is_spread=argument.star == 2)
        function = self._project.callee_function(call, scope)
        returned = list(self._returned(function)) if function is not None else []
        for value, at in returned if depth else ():
            self._add(value, at, found, depth - 1, is_spread=is_spread)
        if is_spread and not returned and last_name(call.func) not in _READERS:
            found.is_open = True

    def _returned(self, function: FunctionSymbol) -> Iterator[tuple[form.Expr, Scope]]:
        return ((r.value, function.scope) for r in function.returns if r.value is not None)


def _is(node: form.Expr, name: str) -> bool:
    return isinstance(node, form.Name) and node.id == name


def _text(node: form.Expr) -> str:
    if isinstance(node, form.Const):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, form.Template):
        return "".join(part for part in node.parts if isinstance(part, str))
    return ""
