"""Passwords in the objects and records of users: assigned, handed to constructors and queries, compared."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.nesting import Nesting
from assay.scanner.dataflow.secrets.credential_formats import HINT
from assay.scanner.dataflow.secrets.destinations import own_name
from assay.scanner.dataflow.secrets.expressions import gathered
from assay.scanner.dataflow.secrets.passwords.forms import Kept, PasswordForms
from assay.scanner.dataflow.secrets.passwords.functions import PasswordFunctions
from assay.scanner.dataflow.secrets.passwords.logins import Logins, is_input, is_of_people, is_password_column
from assay.scanner.dataflow.secrets.passwords.place import PasswordPlace
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.crypto import Act, Keeping
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.python import form

_AGAIN = frozenset({"again", "confirm", "confirmation", "current", "new", "old", "re", "repeat", "repeated", "retype"})
"""Words of names for passwords that a client sends twice."""
_QUERIES = frozenset({"filter", "filter_by", "get", "get_or_none", "find_one", "find", "aget", "count_documents"})
_WRITES = frozenset(
    {"create", "acreate", "update", "values", "insert_one", "insert", "update_one", "replace_one", "save"}
)


class UserRecords:
    """Finds them in one project."""

    def __init__(
        self,
        project: Project,
        forms: PasswordForms,
        functions: PasswordFunctions,
        logins: Logins,
        nesting: Nesting,
    ) -> None:
        self._project = project
        self._forms = forms
        self._functions = functions
        self._logins = logins
        self._nesting = nesting

    def places(self) -> Iterator[PasswordPlace]:
        """Assignments, constructors, queries and comparisons."""
        places = gathered(HINT, self._project)
        for comparison, scope in places.comparisons:
            yield from self._compared(comparison, comparison.left, comparison.rights[0], scope)
        for assignment, scope in places.assignments:
            if assignment.value is not None:
                yield from self._assigned(assignment, assignment.value, scope)
        for call, scope in places.calls:
            yield from self._called(call, scope)

    def _compared(self, node: form.Compare, left: form.Expr, right: form.Expr, scope: Scope) -> Iterator[PasswordPlace]:
        names = own_name(left) or "", own_name(right) or ""
        if not any(is_password_column(name) for name in names) or any(_AGAIN & set(words(n)) for n in names):
            return
        for kept, other in ((left, right), (right, left)):
            if self._logins.is_kept(kept, scope) and not _is_same_owner(kept, other):
                typed = self._forms.of(other, scope)
                if typed is not None and typed.keeping is Keeping.PLAIN:
                    shown = scope.module.evidence(kept, f"`{own_name(kept)}` as it is stored")
                    yield PasswordPlace(
                        node, scope, "comparison", Act.COMPARE, Keeping.PLAIN, typed.by, (shown, typed.evidence)
                    )
                return

    def _assigned(self, node: form.Assign, value: form.Expr, scope: Scope) -> Iterator[PasswordPlace]:
        for target in node.targets:
            if isinstance(target, form.Attr) and is_password_column(target.attr):
                owner = self._logins.has(target.value, target.attr, scope)
                if owner is not None and not self._is_hashed_later(target, scope):
                    yield from self._stored(node, value, target.attr, owner, scope)
            elif isinstance(target, form.Subscript) and isinstance(value, form.Dict):
                holder = own_name(target.value) or ""
                if is_of_people(holder) and not is_input(holder):
                    yield from self._record(node, value, Act.STORE, scope)

    def _called(self, call: form.Call, scope: Scope) -> Iterator[PasswordPlace]:
        name = last_name(call.func) or ""
        fields = [(a.name, a.value) for a in call.args if a.name is not None and is_password_column(a.name)]
        cls = self._logins.class_of(call.func, scope) if fields else None
        if cls is not None and isinstance(call.func, form.Name | form.Attr) and name not in _QUERIES | _WRITES:
            has_own_constructor = isinstance(cls, ClassSymbol) and self._project.method(cls, "__init__") is not None
            if not has_own_constructor:
                for field, value in fields:
                    yield from self._stored(call, value, field, cls, scope)
            return
        if name not in _QUERIES | _WRITES or not isinstance(call.func, form.Attr):
            return
        act = Act.STORE if name in _WRITES else Act.COMPARE
        if fields:
            model = self._model_in(call.func.value, scope)
            for field, value in fields if model is not None else ():
                if act is Act.STORE and model is not None:
                    yield from self._stored(call, value, field, model, scope)
                else:
                    yield from self._queried(call, value, scope)
        elif is_of_people(form.dotted(call.func.value) or own_name(call.func.value) or ""):
            for argument in call.positional[:2]:
                if isinstance(argument, form.Dict):
                    yield from self._record(call, argument, act, scope)

    def _record(self, node: form.Node, record: form.Dict, act: Act, scope: Scope) -> Iterator[PasswordPlace]:
        """A document or an entry with a password in it; `{"$set": {...}}` has it one level down."""
        for key, value in zip(record.keys, record.values, strict=True):
            if isinstance(value, form.Dict):
                yield from self._record(node, value, act, scope)
            elif isinstance(key, form.Const) and is_password_column(str(key.value)):
                kept = self._forms.of(value, scope)
                if kept is not None and kept.keeping in (Keeping.PLAIN, Keeping.REVERSIBLE):
                    yield PasswordPlace(node, scope, "record", act, kept.keeping, kept.by, (kept.evidence,))

    def _queried(self, call: form.Call, value: form.Expr, scope: Scope) -> Iterator[PasswordPlace]:
        kept = self._forms.of(value, scope)
        if kept is not None and kept.keeping is Keeping.PLAIN:
            yield PasswordPlace(call, scope, "query", Act.COMPARE, kept.keeping, kept.by, (kept.evidence,))

    def _stored(
        self, node: form.Node, value: form.Expr, field: str, owner: ClassSymbol | External, scope: Scope
    ) -> Iterator[PasswordPlace]:
        """A field of a user that is given something."""
        kept = self._forms.of(value, scope)
        if kept is None or kept.keeping in (Keeping.DIGEST, Keeping.TOO_CHEAP):  # judged where that is done
            return
        if isinstance(owner, ClassSymbol) and kept.keeping is not Keeping.HASHED:
            where = self._functions.hashed_by_class(owner, field)
            if where is not None:
                kept = Kept(Keeping.HASHED, owner.name, where)
        if kept.keeping is Keeping.HASHED and _is_within(kept.evidence, scope.module.location(node)):
            return  # judged as a call
        question = None if kept.is_certain else "does whoever calls this hash the password?"
        yield PasswordPlace(node, scope, field, Act.STORE, kept.keeping, kept.by, (kept.evidence,), question)

    def _is_hashed_later(self, target: form.Attr, scope: Scope) -> bool:
        """`user.set_password(...)` in the same code."""
        base = form.dotted(target.value)
        return any(
            isinstance(node, form.Call)
            and isinstance(node.func, form.Attr)
            and node.func.attr == "set_password"
            and form.dotted(node.func.value) == base
            for node in self._nesting.parents(scope)
        )

    def _model_in(self, node: form.Expr, scope: Scope) -> ClassSymbol | External | None:
        """The users' class that a query is about: `User` of `db.query(User).filter(...)`."""
        for inner in form.walk(node):
            if isinstance(inner, form.Name | form.Attr):
                cls = self._logins.class_of(inner, scope)
                if cls is not None:
                    return cls
        return None


def _is_within(evidence: Evidence, around_it: Location) -> bool:
    inner = evidence.location
    return inner.path == around_it.path and around_it.line <= inner.line <= around_it.end_line


def _is_same_owner(one: form.Expr, other: form.Expr) -> bool:
    """Whether both are parts of one thing: `data.password == data.password2`."""
    if isinstance(one, form.Attr | form.Subscript) and isinstance(other, form.Attr | form.Subscript):
        base = form.dotted(one.value)
        return base is not None and base == form.dotted(other.value)
    return False
