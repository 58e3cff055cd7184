"""Policies: which classes a view names for its permissions, throttles and serializers, action by action.

By its `@action`, by `as_view()`, by its class, by a method such as `get_permissions`, or else by the settings.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from assay.scanner.framework import Sited
from assay.scanner.frameworks.django.constants import definition
from assay.scanner.frameworks.django.rest_framework.anonymous import READS
from assay.scanner.frameworks.django.rest_framework.viewsets import Action
from assay.scanner.frameworks.django.settings import Settings
from assay.scanner.frameworks.django.views import View, constant_strings
from assay.scanner.linker.project import Project, last_name, literal_item
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.readers.python import form

_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Policy:
    """A choice that a view makes: the attribute that states it, the method that may work it out, its default's key."""

    attribute: str
    method: str
    setting: str | None = None


PERMISSIONS = Policy("permission_classes", "get_permissions", "DEFAULT_PERMISSION_CLASSES")
THROTTLES = Policy("throttle_classes", "get_throttles", "DEFAULT_THROTTLE_CLASSES")
SERIALIZER = Policy("serializer_class", "get_serializer_class")


@dataclass(slots=True)
class _Request:
    """For which action and verb the method is asked, and what has been assigned on the way."""

    policy: Policy
    action: str
    verb: str
    stated: list[Sited]
    assigned: dict[str, Sited] = field(default_factory=dict)


def chosen(
    policy: Policy, view: View, action: Action, verb: str, settings: Settings | None, project: Project
) -> list[list[Sited]]:
    """The lists of classes that may apply: several where a condition can't be decided."""
    if view.cls is None:
        decorated = _decorated(policy, view.function, project) if view.function is not None else None
        return [decorated if decorated is not None else default(policy, settings, project)]
    own = stated(policy.attribute, view, action, project)
    classes = _listed(own, project) if own is not None else default(policy, settings, project)
    return _asked(view.cls, None, _Request(policy, action.name, verb, classes), project, 0)


def stated(attribute: str, view: View, action: Action | None, project: Project) -> Sited | None:
    """What `@action(...)`, `as_view(...)` or the class by its MRO says of the attribute; None where nothing does."""
    assert view.cls is not None
    options = action.options if action is not None else None
    if options is not None and isinstance(options.node, form.Call):
        own = options.node.keyword(attribute)
        if own is not None:
            return Sited(own, options.scope)
    given = view.initkwarg(attribute)
    if given is not None:
        return given
    found = project.class_attribute(view.cls, attribute)
    return Sited(*found) if found is not None else None


def _decorated(policy: Policy, function: FunctionSymbol, project: Project) -> list[Sited] | None:
    """`@permission_classes([...])` of an `@api_view` function, which reads those below it alone."""
    names = [last_name(d.func if isinstance(d, form.Call) else d) for d in function.decorators]
    first = names.index("api_view") + 1 if "api_view" in names else 0
    for decorator in function.decorators[first:]:
        if isinstance(decorator, form.Call) and last_name(decorator.func) == policy.attribute:
            return _listed(Sited(decorator.positional[0], function.outer), project) if decorator.positional else []
    return None


def default(policy: Policy, settings: Settings | None, project: Project) -> list[Sited]:
    """What `REST_FRAMEWORK` says; empty where it doesn't, which stands for no restriction."""
    if settings is None or policy.setting is None:
        return []
    entry = settings.entry("REST_FRAMEWORK", policy.setting)
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


# --- methods ---


def _asked(
    cls: ClassSymbol, after: ClassSymbol | None, request: _Request, project: Project, depth: int
) -> list[list[Sited]]:
    """What the method gives, by the project's definition or by the library's."""
    bindings = project.class_member(cls, request.policy.method, after)
    method = bindings[-1].function if bindings else None
    if method is None or depth > _DEEPEST:
        assigned = request.assigned.get(f"self.{request.policy.attribute}")
        return [_listed(assigned, project) if assigned is not None else request.stated]
    return _Interpreter(cls, method, request, project, depth).run()


class _Interpreter:
    """Runs the method for one action: branches on action and verb are decided, of others all are taken."""

    def __init__(
        self, cls: ClassSymbol, method: FunctionSymbol, request: _Request, project: Project, depth: int
    ) -> None:
        self._cls = cls
        self._method = method
        self._request = request
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
            case form.Attr(attr=attr) if attr == self._request.policy.attribute:
                return [self._request.stated]
            case form.Comprehension(generators=[generator, *_]):
                return self._returned(generator.iter)
            case form.Call(func=form.Attr(attr=attr)) if attr == self._request.policy.method:
                return _asked(self._cls, self._method.owner, self._request, self._project, self._depth + 1)
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
        return [[instantiated(c) for c in _listed(Sited(value, scope), self._project)]]

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
                    named = list(READS)
                if actual is None or not named:
                    return None
                return (actual in named) is (op in ("==", "in"))
        return None


def instantiated(sited: Sited) -> Sited:
    """The class of `IsAdminUser()`."""
    return Sited(sited.node.func, sited.scope) if isinstance(sited.node, form.Call) else sited
