"""Whether a service refuses to start with the key that its code states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum, auto

from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Module, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_LEAVING = frozenset({"exit", "_exit", "abort", "quit"})
_MOST_MODULES = 40


class Answer(Enum):
    """What a check of a key does with a certain text."""

    REFUSED = auto()
    UNKNOWN = auto()


class KeyRefusals:
    """Looks for checks that end the start: `if key == "changeme": raise`, wherever the key is spoken of by its name."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def of(self, name: str, text: str | None, module: Module) -> tuple[Answer, Evidence] | None:
        """What refuses the text as the key of that name, which the module states; None where nothing looks at it."""
        perhaps: tuple[Answer, Evidence] | None = None
        for around in self._around(module):
            for node, scope, names in self._tests(around, name):
                answer = self._answer(node.test, names, text, scope)
                evidence = scope.module.evidence(node.test, "the service doesn't start where this holds")
                if answer is Answer.REFUSED:
                    return answer, evidence
                if answer is Answer.UNKNOWN:
                    perhaps = answer, evidence
        return perhaps

    def _around(self, module: Module) -> Iterable[Module]:
        importing = (m for m in self._project.modules.values() if m.role is Role.PROD and m is not module)
        near = [m for m in importing if module in self._project.imports(m)]
        return [module, *near[:_MOST_MODULES]]

    def _tests(self, module: Module, name: str) -> Iterator[tuple[form.If, Scope, frozenset[str]]]:
        """Statements that leave where a test of the key holds; in functions that the key is handed to as well."""
        for scope in module.scopes:
            for node in form.walk_body(scope.body, into_definitions=False):
                if isinstance(node, form.If) and _ends(node.body) and _speaks_of(node.test, {name}):
                    yield node, scope, frozenset({name})
                elif isinstance(node, form.Call) and any(_is_named(a.value, name) for a in node.args):
                    yield from self._in_callee(node, scope, name)

    def _in_callee(self, call: form.Call, scope: Scope, name: str) -> Iterator[tuple[form.If, Scope, frozenset[str]]]:
        function = self._project.callee_function(call, scope)
        taken = self._parameter(call, function, name) if function is not None else None
        for node in function.nodes if function is not None and taken is not None else ():
            if isinstance(node, form.If) and _ends(node.body) and _speaks_of(node.test, {str(taken)}):
                assert function is not None
                yield node, function.scope, frozenset({str(taken)})

    def _parameter(self, call: form.Call, function: FunctionSymbol, name: str) -> str | None:
        for param in function.parameters:
            argument = self._project.bound_argument(call, function, param)
            if argument is not None and _is_named(argument, name):
                return param.name
        return None

    def _answer(self, test: form.Expr, names: frozenset[str], text: str | None, scope: Scope) -> Answer | None:
        """What the test makes of the text; None for one that only asks whether there is a key."""
        if isinstance(test, form.Boolean):
            answers = [self._answer(value, names, text, scope) for value in test.values if _speaks_of(value, names)]
            return next((a for a in (Answer.REFUSED, Answer.UNKNOWN) if a in answers), None)
        if _asks_for_presence(test):
            return None
        return Answer.REFUSED if text is not None and self._holds(test, names, text, scope) else Answer.UNKNOWN

    def _holds(self, test: form.Expr, names: frozenset[str], text: str, scope: Scope) -> bool:
        match test:
            case form.Compare(left=form.Call(func=form.Name(id="len")), ops=["<" | "<=" as op], rights=[right]):
                least = _int(right)
                return least is not None and (len(text) < least or (op == "<=" and len(text) == least))
            case form.Compare(left=left, ops=["=="], rights=[right]):
                other = right if _speaks_of(left, names) else left
                return string_value(other, scope, self._project) == text
            case form.Compare(left=left, ops=["in"], rights=[right]) if _speaks_of(left, names):
                listed = [string_value(*item, self._project) for item in list_items(right, scope, self._project)]
                return text in listed or text.lower() in listed
            case form.Compare(left=left, ops=["in"]):
                part = string_value(left, scope, self._project)
                return part is not None and part in text
            case form.Call(func=form.Attr(attr="startswith"), args=[first, *_]):
                prefix = string_value(first.value, scope, self._project)
                return prefix is not None and text.startswith(prefix)
        return False


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
