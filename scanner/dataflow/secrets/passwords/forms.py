"""What a password is when it is stored or compared: hashed, digested, encrypted, or as it was typed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.scanner.dataflow.lexicon import masks
from assay.scanner.dataflow.secrets.destinations import own_name
from assay.scanner.dataflow.secrets.digests import Digests
from assay.scanner.dataflow.secrets.names import is_password
from assay.scanner.dataflow.secrets.passwords.functions import PasswordFunctions
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import Binding, FunctionSymbol, How, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.crypto import Keeping
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_DEEPEST = 6
_MOST_CALLERS = 12
_TRANSPARENT = frozenset(
    {
        "str", "bytes", "encode", "decode", "strip", "format", "join", "repr", "smart_str", "force_bytes", "force_str",
        "get_secret_value", "hexdigest", "digest", "hex", "lower",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a password's form, by which function it came about, and where that is."""

    keeping: Keeping
    by: str
    evidence: Evidence
    is_certain: bool = True
    """Not so for a parameter of which no caller is known: it may get a hash."""


class PasswordForms:
    """Works it out for expressions of one project."""

    def __init__(self, project: Project, functions: PasswordFunctions, digests: Digests) -> None:
        self._project = project
        self._functions = functions
        self._digests = digests

    def of(self, node: form.Expr, scope: Scope, depth: int = 0) -> Kept | None:
        """What the expression gives where it is a password; None for what is none: nothing, a constant, a value that
        was read from where it is kept.
        """
        if depth > _DEEPEST:
            return None
        match node:
            case form.Const() | form.Compare() | form.Dict() | form.Lambda():
                return None
            case form.Await(value=inner) | form.Starred(value=inner) | form.Walrus(value=inner):
                return self.of(inner, scope, depth)
            case form.Conditional(body=body, orelse=orelse):
                return self._plainest([body, orelse], scope, depth)
            case form.Boolean(values=values):
                return self._plainest(values, scope, depth)
            case form.Binary(left=left, right=right):
                return self._plainest([left, right], scope, depth)
            case form.Template():
                return self._plainest([hole.value for hole in node.holes], scope, depth)
            case form.Subscript(value=inner, index=form.Slice()):
                return self.of(inner, scope, depth)
            case form.Call():
                return self._of_call(node, scope, depth)
            case form.Name():
                return self._of_name(node, scope, depth)
            case form.Attr() | form.Subscript():
                return self._of_part(node, scope)
        return None

    def _plainest(self, nodes: list[form.Expr], scope: Scope, depth: int) -> Kept | None:
        found = [kept for node in nodes if (kept := self.of(node, scope, depth)) is not None]
        return min(found, key=lambda k: _PLAINEST.index(k.keeping), default=None)

    def _of_call(self, call: form.Call, scope: Scope, depth: int) -> Kept | None:
        found = self._functions.called(call, scope)
        if found is not None:
            name, function = found
            text = last_part(name)
            keeping, _ = self._functions.strength(call, scope, function)
            return Kept(keeping, text, scope.module.evidence(call, f"`{text}`"))
        digest = self._digests.name_of(call, scope)
        if digest is not None:
            return Kept(Keeping.DIGEST, last_part(digest), scope.module.evidence(call, f"`{last_part(digest)}`"))
        field = own_name(call)
        if field is not None and is_password(field) and last_name(call.func) in ("get", "pop", "getlist"):
            return self._plain(call, field, scope)
        function_called = self._project.callee_function(call, scope)
        if function_called is not None and function_called.name != "__init__":
            return self._returned(function_called, call, scope, depth)
        if last_name(call.func) in _TRANSPARENT:
            receiver = [call.func.value] if isinstance(call.func, form.Attr) else []
            return self._plainest([*receiver, *(arg.value for arg in call.args)], scope, depth)
        return Kept(Keeping.UNKNOWN, form.dotted(call.func) or "", scope.module.evidence(call, "what does this give?"))

    def _returned(self, function: FunctionSymbol, call: form.Call, scope: Scope, depth: int) -> Kept | None:
        """What a function of the project returns: hashed where any way through it hashes."""
        found = [
            kept
            for statement in function.returns
            if statement.value is not None and (kept := self.of(statement.value, function.scope, depth + 1)) is not None
        ]
        hashed = next((k for k in found if k.keeping is Keeping.HASHED), None)
        for inner in (function, *self._implementations(function)) if hashed is None else ():
            where = self._functions.hashes(inner)
            if where is not None:
                return Kept(Keeping.HASHED, function.name, where)
        unknown = Kept(Keeping.UNKNOWN, function.name, scope.module.evidence(call, "what does this give?"))
        return hashed or min(found, key=lambda k: _PLAINEST.index(k.keeping), default=unknown)

    def _implementations(self, function: FunctionSymbol) -> list[FunctionSymbol]:
        """What may run for a method that only declares: those of subclasses, of classes beside a protocol."""
        owner = function.owner
        if owner is None or function.returns:
            return []
        is_protocol = self._project.is_subclass(owner, "typing.Protocol", "typing_extensions.Protocol")
        classes = owner.module.classes if is_protocol else self._project.subclasses(owner)
        return [cls.methods[function.name] for cls in classes if cls is not owner and function.name in cls.methods]

    def _of_name(self, node: form.Name, scope: Scope, depth: int) -> Kept | None:
        bindings = scope.lookup(node.id, node.start)
        assigned = [
            b
            for b in bindings
            if b.how in (How.ASSIGN, How.AUGMENT) and b.value is not None and b.value.end < node.start
        ]
        if assigned and assigned[-1].value is not None:
            return self.of(assigned[-1].value, assigned[-1].scope, depth + 1)
        parameter = next((b for b in bindings if b.how is How.PARAMETER), None)
        if parameter is not None and parameter.function is not None and parameter.param is not None:
            for call, caller in self._project.callers(parameter.function)[:_MOST_CALLERS]:
                argument = self._project.bound_argument(call, parameter.function, parameter.param)
                kept = self.of(argument, caller, depth + 1) if argument is not None else None
                if kept is not None and kept.keeping is not Keeping.PLAIN:
                    return kept
        if is_password(node.id) and bindings:
            plain = self._plain(node, node.id, scope)
            return replace(plain, is_certain=parameter is None or self._comes_from_client(parameter))
        return None if masks(node.id) else Kept(Keeping.UNKNOWN, node.id, scope.module.evidence(node, "what is this?"))

    def _comes_from_client(self, parameter: Binding) -> bool:
        """A parameter that somebody is known to fill in: a caller, or the framework."""
        if isinstance(parameter.value, form.Call):  # `password: str = Form()`
            return True
        return parameter.function is not None and bool(self._project.callers(parameter.function))

    def _of_part(self, node: form.Attr | form.Subscript, scope: Scope) -> Kept | None:
        name = own_name(node)
        if name is None or masks(name):
            return None
        if not is_password(name):
            return Kept(Keeping.UNKNOWN, name, scope.module.evidence(node, "what is this?"))
        validated = self._validated(node, name, scope)
        return validated or self._plain(node, name, scope)

    def _validated(self, node: form.Attr | form.Subscript, name: str, scope: Scope) -> Kept | None:
        """A field whose class hashes what it is given: a validator of pydantic's, a setter."""
        owner = self._project.infer(node.value, scope)
        classes = [owner.cls] if isinstance(owner, Instance) and owner.cls is not None else []
        for cls in classes:
            where = self._functions.hashed_by_class(cls, name)
            if where is not None:
                return Kept(Keeping.HASHED, cls.name, where)
        return None

    def _plain(self, node: form.Expr, name: str, scope: Scope) -> Kept:
        return Kept(Keeping.PLAIN, name, scope.module.evidence(node, f"`{name}` as it was typed"))


_PLAINEST = (
    Keeping.PLAIN,
    Keeping.REVERSIBLE,
    Keeping.DIGEST,
    Keeping.TOO_CHEAP,
    Keeping.HASHED,
    Keeping.UNKNOWN,
)
