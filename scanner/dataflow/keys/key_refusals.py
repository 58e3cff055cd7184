"""Whether a service refuses to start with the key that its code states."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Module, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_LEAVING = frozenset({"exit", "_exit", "abort", "quit"})
_READING = frozenset({"getattr", "get", "getenv", "get_secret_value", "strip", "lower", "str"})
"""How calls are named that give the key as it is."""
_OPPOSITE = {"!=": "==", "not in": "in", ">=": "<", ">": "<="}
_MOST_MODULES = 40


class Answer(Enum):
    """What a check of a key does with a certain text."""

    REFUSED = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class _Check:
    """A test of a key, which it calls by one of the names. `ends_if` says that the start ends where it holds: an
    `assert` ends it where it doesn't.
    """

    test: form.Expr
    scope: Scope
    names: frozenset[str]
    ends_if: bool

    @property
    def shown(self) -> str:
        return f"the service doesn't start where this {'holds' if self.ends_if else 'is false'}"


class KeyRefusals:
    """Looks for checks that end the start: `if key == "changeme": raise`, wherever the key is spoken of by its name."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def of(self, name: str, text: str | None, module: Module) -> tuple[Answer, Evidence] | None:
        """What refuses the text as the key of that name, which the module states; None where nothing looks at it."""
        perhaps: tuple[Answer, Evidence] | None = None
        for check in self._checks_around(module, name):
            answer = self._answer(check.test, check, text)
            evidence = check.scope.module.evidence(check.test, check.shown)
            if answer is Answer.REFUSED:
                return answer, evidence
            if answer is Answer.UNKNOWN:
                perhaps = answer, evidence
        return perhaps

    def refuses_empty(self, name: str, read: form.Expr | form.Stmt | None, scope: Scope) -> bool:
        """Whether the start ends while the key of that name is empty: by a check of it, or in the helper that reads
        it.
        """
        helper = self._project.callee_function(read, scope) if isinstance(read, form.Call) else None
        if helper is not None and any(_fails_empty(test, ends_if) for test, ends_if in _ending(helper.nodes)):
            return True
        checks = self._checks_around(scope.module, name)
        return any(_fails_empty(part, c.ends_if) for c in checks for part in _parts(c.test, c.names))

    def _checks_around(self, module: Module, name: str) -> Iterator[_Check]:
        importing = (m for m in self._project.modules.values() if m.role is Role.PROD and m is not module)
        near = [m for m in importing if module in self._project.imports(m)]
        for around in (module, *near[:_MOST_MODULES]):
            yield from self._checks(around, name)

    def _checks(self, module: Module, name: str) -> Iterator[_Check]:
        """Those of the key, under other names that it is given as well, and in functions that it is handed to."""
        for scope in module.scopes:
            nodes = tuple(form.walk_body(scope.body, into_definitions=False))
            names = self._names(nodes, name, scope)
            for test, ends_if in _ending(nodes):
                if _speaks_of(test, names):
                    yield _Check(test, scope, names, ends_if)
            for node in nodes:
                if isinstance(node, form.Call) and any(_is_named(a.value, name) for a in node.args):
                    yield from self._in_callee(node, scope, name)

    def _names(self, nodes: Iterable[form.Expr | form.Stmt], name: str, scope: Scope) -> frozenset[str]:
        """The key's name, variables that are given it, and those of loops over names of keys."""
        found = {name}
        for node in nodes:
            match node:
                case form.Assign(value=value, targets=[form.Name(id=target)]) if _is_same(value, found):
                    found.add(target)
                case form.For(target=target, iter=several) if self._lists(several, found, scope):
                    found.update(part.id for part in form.walk(target) if isinstance(part, form.Name))
        return frozenset(found)

    def _lists(self, several: form.Expr, names: Collection[str], scope: Scope) -> bool:
        if _speaks_of(several, names):
            return True
        listed = (string_value(*i, self._project) for i in list_items(several, scope, self._project))
        return any(text is not None and text.lower() == name.lower() for text in listed for name in names)

    def _in_callee(self, call: form.Call, scope: Scope, name: str) -> Iterator[_Check]:
        function = self._project.callee_function(call, scope)
        taken = self._parameter(call, function, name) if function is not None else None
        if function is None or taken is None:
            return
        for test, ends_if in _ending(function.nodes):
            if _speaks_of(test, {taken}):
                yield _Check(test, function.scope, frozenset({taken}), ends_if)

    def _parameter(self, call: form.Call, function: FunctionSymbol, name: str) -> str | None:
        for param in function.parameters:
            argument = self._project.bound_argument(call, function, param)
            if argument is not None and _is_named(argument, name):
                return param.name
        return None

    def _answer(self, test: form.Expr, check: _Check, text: str | None) -> Answer | None:
        """What the test makes of the text; None for one that only asks whether there is a key."""
        if isinstance(test, form.Boolean):
            answers = [self._answer(part, check, text) for part in _parts(test, check.names)]
            return next((a for a in (Answer.REFUSED, Answer.UNKNOWN) if a in answers), None)
        if _asks_for_presence(test):
            return None
        return Answer.REFUSED if text is not None and self._refuses(test, check, text) else Answer.UNKNOWN

    def _refuses(self, test: form.Expr, check: _Check, text: str) -> bool:
        names, scope = check.names, check.scope
        match test:
            case form.Compare(left=left, ops=[written], rights=[right]):
                op = written if check.ends_if else _OPPOSITE.get(written, "")
                if isinstance(left, form.Call) and last_name(left.func) == "len":
                    least = _int(right)
                    return least is not None and op in ("<", "<=") and len(text) < least + (op == "<=")
                if op == "==":
                    other = right if _speaks_of(left, names) else left
                    return string_value(other, scope, self._project) == text
                if op == "in" and _speaks_of(left, names):
                    listed = [string_value(*item, self._project) for item in list_items(right, scope, self._project)]
                    return text in listed or text.lower() in listed
                if op == "in":
                    part = string_value(left, scope, self._project)
                    return part is not None and part in text
            case form.Call(func=form.Attr(attr="startswith"), args=[first, *_]) if check.ends_if:
                prefix = string_value(first.value, scope, self._project)
                return prefix is not None and text.startswith(prefix)
        return False


def _ending(nodes: Iterable[form.Expr | form.Stmt]) -> Iterator[tuple[form.Expr, bool]]:
    """Tests that decide whether the start ends, each with whether it ends where the test holds. What a variable was
    asked before stands for it: `is_weak = key == "changeme"`.
    """
    asked: dict[str, form.Expr] = {}
    for node in nodes:
        match node:
            case form.Assign(value=form.Compare() | form.Comprehension() as value, targets=[form.Name(id=name)]):
                asked[name] = value
            case form.If(test=test, body=body) if _ends(body):
                yield asked.get(test.id, test) if isinstance(test, form.Name) else test, True
            case form.Assert(test=test):
                yield test, False


def _parts(test: form.Expr, names: Collection[str]) -> list[form.Expr]:
    """What the test asks of the key."""
    return [v for v in test.values if _speaks_of(v, names)] if isinstance(test, form.Boolean) else [test]


def _fails_empty(test: form.Expr, ends_if: bool) -> bool:
    """Whether the test ends the start for an empty text."""
    if not ends_if:
        return isinstance(test, form.Name | form.Attr | form.Subscript)
    match test:
        case form.Unary(op="not", operand=form.Name() | form.Attr() | form.Subscript() | form.Call()):
            return True
        case form.Compare(ops=["=="], rights=[form.Const(value="")]):
            return True
        case form.Compare(left=form.Call(func=form.Name(id="len")), ops=["<" | "<="]):
            return True
    return False


def _is_same(value: form.Expr | None, names: Collection[str]) -> bool:
    """Whether it is the key itself: read by its name, or out of its wrapping."""
    if isinstance(value, form.Call) and last_name(value.func) not in _READING:
        return False
    kinds = form.Name | form.Attr | form.Subscript | form.Call | form.Conditional
    return isinstance(value, kinds) and _speaks_of(value, names)


def _int(node: form.Expr) -> int | None:
    """A number that is written out."""
    return node.value if isinstance(node, form.Const) and isinstance(node.value, int) else None


def _is_named(node: form.Expr, name: str) -> bool:
    if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and not node.args:
        node = node.func.value  # `key.get_secret_value()`
    return (last_name(node) or "").lower() == name.lower()


def _speaks_of(node: form.Expr, names: Iterable[str]) -> bool:
    spoken = {
        n.lower() for part in form.walk(node) if isinstance(part, form.Name | form.Attr) and (n := last_name(part))
    }
    keys = {str(part.value).lower() for part in form.walk(node) if isinstance(part, form.Const)}
    return any(name.lower() in spoken | keys for name in names)


def _asks_for_presence(test: form.Expr) -> bool:
    match test:
        case form.Unary(op="not", operand=form.Name() | form.Attr() | form.Subscript()):
            return True
        case form.Compare(ops=["is" | "is not" | "==" | "!="], rights=[form.Const(value=None | "")]):
            return True
        case form.Compare(left=form.Const(), ops=["not in"]):
            return True
    return isinstance(test, form.Name | form.Attr)


def _ends(body: list[form.Stmt]) -> bool:
    """Whether the branch ends the start, by an error or an exit."""
    for node in form.walk_body(body, into_definitions=False):
        if isinstance(node, form.Raise):
            return True
        if isinstance(node, form.Call) and last_name(node.func) in _LEAVING:
            return True
    return False
