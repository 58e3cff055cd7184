"""Checks: where code asks whether the caller may have the object, before or after it is looked up."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.lookups.calling import callee, handed, is_on_self
from assay.scanner.dataflow.lookups.labels import (
    CALLER_WORDS,
    Labels,
    is_caller,
    labels_in,
    names_caller,
    names_id,
    names_object,
)
from assay.scanner.dataflow.lookups.roles import ROLE_ATTRIBUTES
from assay.scanner.dataflow.lookups.tests_before import refuses
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_DEEPEST = 3
_CHECK_WORDS = frozenset(
    """permission permissions perm perms authorize authorized authorise authorised authorization allow allowed allows
    policy enforce access owner ownership owns admin role roles acl entitlement forbid privilege privileges staff
    superuser can belongs""".split()
)
_NO_CHECKS = frozenset({"get_permissions", "create_access_token", "can_connect", "list_roles", "get_role"})
_MAKING = frozenset({"create", "get", "list", "update", "set", "add", "delete", "remove"})
"""First words of functions that do something with roles rather than ask for them."""


_KNOWN = frozenset(
    {"is_authenticated", "is_anonymous", "is_active", "disabled", "is_verified", "active", "banned", "is_banned"}
)


class Checks:
    """The checks in the functions of one project; worked out once for what a function is given."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[object, Evidence | None] = {}

    def of(
        self, function: FunctionSymbol, wanted: str, labels: Labels, view: ClassSymbol | None, depth: int = _DEEPEST
    ) -> Evidence | None:
        """Where the function, or one that it calls with the object or the caller, checks."""
        key = (function, wanted, labels.key, view)
        if key not in self._known:
            self._known[key] = None  # for functions that call each other
            self._known[key] = next(self._found(function, wanted, labels, view, depth), None)
        return self._known[key]

    def _found(
        self, function: FunctionSymbol, wanted: str, labels: Labels, view: ClassSymbol | None, depth: int
    ) -> Iterator[Evidence]:
        module = function.module
        for node in function.nodes:
            match node:
                case form.Compare() if names_caller(node, labels) and (
                    names_object(node, labels) or names_id(node, labels, wanted)
                ):
                    yield module.evidence(node, "it is compared with the caller")
                case form.If(test=test, body=body) if (
                    names_caller(test, labels)
                    and not _asks_whether_known(test, labels)
                    and refuses(body, function.scope, self._project)
                ):
                    yield module.evidence(test, "it turns callers away")
                case form.Attr(value=base, attr=attr) if attr in ROLE_ATTRIBUTES and (
                    is_caller(base, labels) or _is_somebody_else(base, labels)
                ):
                    yield module.evidence(node, "the caller's role decides")
                case form.Call() if self._asks_by_name(node, labels, wanted):
                    yield module.evidence(node, "it checks what the caller may do")
                case form.Call() if depth and _hands_on(node, labels):
                    yield from self._in_callee(node, function, wanted, labels, view, depth)

    def _in_callee(
        self,
        call: form.Call,
        function: FunctionSymbol,
        wanted: str,
        labels: Labels,
        view: ClassSymbol | None,
        depth: int,
    ) -> Iterator[Evidence]:
        inner = callee(call, function.scope, view, self._project)
        if inner is None or inner is function:
            return
        given = labels_in(inner, wanted, handed(call, inner, labels, wanted, self._project), self._project)
        found = self.of(inner, wanted, given, None, depth - 1)
        if found is not None:
            yield found

    def _asks_by_name(self, call: form.Call, labels: Labels, wanted: str) -> bool:
        name = last_name(call.func) or ""
        named = words(name)
        if name in _NO_CHECKS or _CHECK_WORDS.isdisjoint(named) or named[0] in _MAKING:
            return False
        involved = any(
            names_object(a.value, labels) or names_id(a.value, labels, wanted) or names_caller(a.value, labels)
            for a in call.args
        )
        owner = call.func.value if isinstance(call.func, form.Attr) else None
        return involved or owner is None or names_caller(owner, labels) or is_on_self(call)


def _is_somebody_else(node: form.Expr, labels: Labels) -> bool:
    """`user.is_admin`, where `user` is not what the path names: then it is who is asking."""
    is_named = isinstance(node, form.Name) and not CALLER_WORDS.isdisjoint(words(node.id))
    return is_named and not names_object(node, labels)


def _asks_whether_known(test: form.Expr, labels: Labels) -> bool:
    """`not current_user`, `user is None`, `user.is_active`: that turns away strangers, and lets in all others."""
    match test:
        case form.Unary(operand=inner) | form.Compare(left=inner, rights=[form.Const(value=None)]):
            return _asks_whether_known(inner, labels)
        case form.Boolean(values=values):
            return all(_asks_whether_known(value, labels) for value in values)
        case form.Attr(attr=attr) if attr in _KNOWN:
            return True
        case form.Call(func=func):
            return _asks_whether_known(func, labels)
    return is_caller(test, labels)


def _hands_on(call: form.Call, labels: Labels) -> bool:
    return any(names_object(a.value, labels) or names_caller(a.value, labels) for a in call.args)
