"""Permissions of Django REST framework: which classes decide about an action, and whether they let anyone in.

https://www.django-rest-framework.org/api-guide/permissions/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from assay.scanner.framework import Guard, Sited
from assay.scanner.frameworks.django.constants import definition
from assay.scanner.frameworks.django.guards import asks_for_a_user
from assay.scanner.frameworks.django.rest_framework.viewsets import Action
from assay.scanner.frameworks.django.settings import Settings
from assay.scanner.frameworks.django.views import View, constant_strings, method_tests
from assay.scanner.linker.project import Project, last_name, last_part, literal_item
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form

_OPEN = frozenset({"AllowAny", "BasePermission"})
_OPEN_FOR_READS = frozenset(
    {"IsAuthenticatedOrReadOnly", "DjangoModelPermissionsOrAnonReadOnly", "TokenHasReadWriteScopeOrReadOnly"}
)
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_IDENTITY = frozenset({"user", "auth", "is_authenticated", "is_staff", "is_superuser", "successful_authenticator"})
_COMPARISONS = frozenset({"isinstance", "compare_digest", "constant_time_compare"})
_DEEPEST = 6


@dataclass(slots=True)
class _Request:
    """For which action and verb `get_permissions` is asked, and what has been assigned on the way."""

    action: str
    verb: str
    stated: list[Sited] | None
    assigned: dict[str, Sited] = field(default_factory=dict)


def permission_guards(
    view: View, action: Action, verb: str, settings: Settings | None, project: Project
) -> list[Guard]:
    """The permission classes that keep anonymous callers from the action; empty when it is open."""
    alternatives = _alternatives(view, action, verb, settings, project)
    guards = [[g for c in classes if (g := _guard(c, verb, project)) is not None] for classes in alternatives]
    if not guards or not all(guards):
        return []
    return guards[0]


def _alternatives(
    view: View, action: Action, verb: str, settings: Settings | None, project: Project
) -> list[list[Sited]]:
    """The lists of permission classes that may apply: several where a condition can't be decided."""
    if view.cls is None:
        decorated = _decorated(view.function, project) if view.function is not None else None
        return [decorated if decorated is not None else default_permissions(settings, project)]
    request = _Request(action.name, verb, _stated(view, action, project))
    return _asked(view.cls, None, request, settings, project, 0)


def _stated(view: View, action: Action, project: Project) -> list[Sited] | None:
    """`permission_classes` of the action, of `as_view()`, or of the class by its MRO; None for none."""
    assert view.cls is not None
    options = action.options
    if options is not None and isinstance(options.node, form.Call):
        own = options.node.keyword("permission_classes")
        if own is not None:
            return _listed(Sited(own, options.scope), project)
    given = view.initkwarg("permission_classes")
    if given is not None:
        return _listed(given, project)
    attribute = project.class_attribute(view.cls, "permission_classes")
    return _listed(Sited(*attribute), project) if attribute is not None else None


def _decorated(function: FunctionSymbol, project: Project) -> list[Sited] | None:
    """`@permission_classes([...])` of an `@api_view` function."""
    for decorator in function.decorators:
        if isinstance(decorator, form.Call) and last_name(decorator.func) == "permission_classes":
            return _listed(Sited(decorator.positional[0], function.outer), project) if decorator.positional else []
    return None


def default_permissions(settings: Settings | None, project: Project) -> list[Sited]:
    """`REST_FRAMEWORK["DEFAULT_PERMISSION_CLASSES"]`; empty (AllowAny) when it isn't set."""
    entry = settings.entry("REST_FRAMEWORK", "DEFAULT_PERMISSION_CLASSES") if settings is not None else None
    return _listed(entry, project) if entry is not None else []


def _listed(sited: Sited, project: Project, depth: int = 0) -> list[Sited]:
    """The elements of a list of classes, through names, concatenation and unpacking."""
    sited = definition(sited, project)
    match sited.node:
        case form.Display(items=items):
            found: list[Sited] = []
            for item in items:
                if isinstance(item, form.Starred) and depth < _DEEPEST:
                    found += _listed(Sited(item.value, sited.scope), project, depth + 1)
                else:
                    found.append(Sited(item, sited.scope))
            return found
        case form.Binary(op="+", left=left, right=right) if depth < _DEEPEST:
            return [
                *_listed(Sited(left, sited.scope), project, depth + 1),
                *_listed(Sited(right, sited.scope), project, depth + 1),
            ]
    return [sited]


# --- get_permissions ---


def _asked(
    cls: ClassSymbol,
    after: ClassSymbol | None,
    request: _Request,
    settings: Settings | None,
    project: Project,
    depth: int,
) -> list[list[Sited]]:
    """What `get_permissions` gives, by the project's method or by the library's."""
    bindings = project.class_member(cls, "get_permissions", after)
    method = bindings[-1].function if bindings else None
    if method is None or depth > _DEEPEST:
        assigned = request.assigned.get("self.permission_classes")
        if assigned is not None:
            return [_listed(assigned, project)]
        return [request.stated if request.stated is not None else default_permissions(settings, project)]
    return _Interpreter(cls, method, request, settings, project, depth).run()


class _Interpreter:
    """Runs a `get_permissions` method for one action: branches on action and verb are decided, others all taken."""

    def __init__(
        self,
        cls: ClassSymbol,
        method: FunctionSymbol,
        request: _Request,
        settings: Settings | None,
        project: Project,
        depth: int,
    ) -> None:
        self._cls = cls
        self._method = method
        self._request = request
        self._settings = settings
        self._project = project
        self._depth = depth
        self._found: list[list[Sited]] = []

    def run(self) -> list[list[Sited]]:
        self._body(self._method.node.body)
        return self._found

    def _body(self, body: list[form.Stmt]) -> bool:
        """True when the statements surely return."""
        for statement in body:
            match statement:
                case form.Return(value=value):
                    if value is not None:
                        self._found += self._returned(value)
                    return True
                case form.Assign(targets=targets, value=value) if value is not None:
                    names = [name for target in targets if (name := form.dotted(target)) is not None]
                    self._request.assigned.update(dict.fromkeys(names, Sited(value, self._method.scope)))
                case form.If():
                    if self._branches(statement):
                        return True
                case form.Try(body=inner) | form.With(body=inner):
                    if self._body(inner):
                        return True
        return False

    def _branches(self, statement: form.If) -> bool:
        """True when the branches that may run surely return."""
        outcome = self._decide(statement.test)
        if outcome is not None:
            return self._body(statement.body if outcome else statement.orelse)
        before = dict(self._request.assigned)
        left = self._body(statement.body)
        self._request.assigned = before
        return self._body(statement.orelse) and left

    def _returned(self, value: form.Expr) -> list[list[Sited]]:
        scope = self._method.scope
        match value:
            case form.Name(id=name) if name in self._request.assigned:
                return self._returned(self._request.assigned[name].node)
            case form.Attr() if (dotted := form.dotted(value)) in self._request.assigned:
                return self._returned(self._request.assigned[dotted or ""].node)
            case form.Attr(attr="permission_classes"):
                stated = self._request.stated
                return [stated if stated is not None else default_permissions(self._settings, self._project)]
            case form.Comprehension(generators=[generator, *_]):
                return self._returned(generator.iter)
            case form.Call(func=form.Attr(attr="get_permissions")):
                return _asked(
                    self._cls, self._method.owner, self._request, self._settings, self._project, self._depth + 1
                )
            case form.Conditional(test=test, body=body, orelse=orelse):
                outcome = self._decide(test)
                taken = [body] if outcome is True else [orelse] if outcome is False else [body, orelse]
                return [found for part in taken for found in self._returned(part)]
            case form.Binary(op="+", left=left, right=right):
                return [one + other for one in self._returned(left) for other in self._returned(right)]
            case form.Subscript(value=owner) | form.Call(func=form.Attr(value=owner, attr="get")):
                table = definition(Sited(owner, scope), self._project)
                item = literal_item(table.node, self._request.action)
                default = value.argument(1, "default") if isinstance(value, form.Call) else None
                if item is not None:
                    return [_listed(Sited(item, table.scope), self._project)]
                return self._returned(default) if default is not None else []
        return [[_instantiated(c) for c in _listed(Sited(value, scope), self._project)]]

    def _decide(self, test: form.Expr) -> bool | None:
        match test:
            case form.Unary(op="not", operand=operand):
                inner = self._decide(operand)
                return None if inner is None else not inner
            case form.Boolean(op=op, values=values):
                outcomes = [self._decide(v) for v in values]
                if op == "and":
                    return False if False in outcomes else True if None not in outcomes else None
                return True if True in outcomes else False if None not in outcomes else None
            case form.Compare(left=left, ops=[op], rights=[right]) if op in ("==", "in", "!=", "not in"):
                actual = {"action": self._request.action, "method": self._request.verb}.get(last_name(left) or "")
                right_at = definition(Sited(right, self._method.scope), self._project).node
                items = right_at.items if isinstance(right_at, form.Display) else [right_at]
                named = constant_strings(items)
                if last_name(right) == "SAFE_METHODS":
                    named = list(_READS)
                if actual is None or not named:
                    return None
                return (actual in named) is (op in ("==", "in"))
        return None


def _instantiated(sited: Sited) -> Sited:
    """The class of `IsAdminUser()`."""
    return Sited(sited.node.func, sited.scope) if isinstance(sited.node, form.Call) else sited


# --- one class ---


def _guard(sited: Sited, verb: str, project: Project) -> Guard | None:
    node = _instantiated(sited).node
    if not _keeps_out(node, sited, verb, project, 0):
        return None
    name = last_name(node) or "permission_classes"
    if isinstance(node, form.Const) and isinstance(node.value, str):
        name = last_part(node.value)
    return Guard(name, sited.module.evidence(sited.node, f"permission class {name}"))


def _keeps_out(node: form.Expr, at: Sited, verb: str, project: Project, depth: int) -> bool:
    """Whether a permission class (or a combination of some) refuses anonymous callers."""
    if depth > _DEEPEST:
        return False
    match node:
        case form.Binary(op="|", left=left, right=right):
            return all(_keeps_out(side, at, verb, project, depth + 1) for side in (left, right))
        case form.Binary(op="&", left=left, right=right):
            return any(_keeps_out(side, at, verb, project, depth + 1) for side in (left, right))
        case form.Unary():
            return False
        case form.Const(value=str() as dotted_name):
            return _named_keeps_out(dotted_name, at, verb, project)
    value = project.infer(node, at.scope)
    if isinstance(value, ClassSymbol):
        return _class_keeps_out(value, verb, project)
    if isinstance(value, External):
        return _library_keeps_out(value.name, verb)
    if isinstance(value, Instance) and value.cls is not None:
        return _class_keeps_out(value.cls, verb, project)
    followed = definition(Sited(node, at.scope), project)
    if followed.node is not node:
        return _keeps_out(followed.node, followed, verb, project, depth + 1)
    # A class that a factory makes, `HasScope("read")` say: one writes those to keep people out.
    return value is not None


def _named_keeps_out(dotted_name: str, at: Sited, verb: str, project: Project) -> bool:
    module_name, _, name = dotted_name.rpartition(".")
    module = project.module_named(module_name, at.module.path)
    value = project.member(module, name) if isinstance(module, Module) else External(dotted_name)
    if isinstance(value, ClassSymbol):
        return _class_keeps_out(value, verb, project)
    return _library_keeps_out(dotted_name, verb)


def _library_keeps_out(dotted_name: str, verb: str) -> bool:
    name = last_part(dotted_name)
    return name not in _OPEN and not (name in _OPEN_FOR_READS and verb in _READS)


def _class_keeps_out(cls: ClassSymbol, verb: str, project: Project) -> bool:
    """By its own `has_permission` where it has one, and by its library base."""
    method = project.method(cls, "has_permission")
    externals = [b for b in project.mro(cls) if isinstance(b, External)]
    by_base = any(_library_keeps_out(b.name, verb) for b in externals if b.name.startswith("rest_framework"))
    if method is None:
        return by_base
    calls_super = any(isinstance(n, form.Call) and last_name(n.func) == "super" for n in method.walk())
    if calls_super and by_base:
        return True
    if verb in _READS and _lets_reads_through(method):
        return False
    return any(_asks_who(node) for node in _followed(method, project))


def _followed(method: FunctionSymbol, project: Project) -> Iterator[form.Expr | form.Stmt]:
    """The method's nodes, and those of the project functions it calls."""
    for node in method.walk():
        yield node
        if isinstance(node, form.Call):
            called = project.callee_function(node, method.scope)
            if called is not None and called is not method:
                yield from called.walk()


def _asks_who(node: form.Expr | form.Stmt) -> bool:
    if isinstance(node, form.Attr):
        return node.attr in _IDENTITY and last_name(node.value) in ("request", "user", "req")
    return isinstance(node, form.Call) and last_name(node.func) in _COMPARISONS


def _returns_false(body: list[form.Stmt]) -> bool:
    last = body[-1]
    is_false = isinstance(last, form.Return) and isinstance(last.value, form.Const) and not last.value.value
    return is_false or isinstance(last, form.Raise)


def _lets_reads_through(method: FunctionSymbol) -> bool:
    """Whether reads pass before the method asks who is there."""
    for node in method.walk():
        if isinstance(node, form.If) and asks_for_a_user(node.test) is False and _returns_false(node.body):
            return False
        if isinstance(node, form.If) and any(names >= {"GET"} and same for names, same in method_tests(node.test)):
            if isinstance(node.test, form.Boolean) and node.test.op == "and":
                continue
            first = node.body[0]
            if isinstance(first, form.Return) and isinstance(first.value, form.Const) and first.value.value is True:
                return True
        match node:
            case form.Return(value=form.Boolean(op="or") as either):
                if any(names >= {"GET"} and same for names, same in method_tests(either)):
                    return True
    return False
