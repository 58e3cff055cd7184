"""What a function's own code changes, and which functions it runs: worked out once for each function."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from assay.scanner.dataflow.effects.body import Body, Edge, LibraryMethod
from assay.scanner.dataflow.effects.change import NONE, Caveats, Change
from assay.scanner.dataflow.effects.changes import Recognizer
from assay.scanner.dataflow.effects.libraries import ENQUEUING, HANDING_ON
from assay.scanner.dataflow.effects.names import (
    LOG_METHODS,
    is_logger,
    records_audit,
    why_beside_the_point,
    why_now_and_then,
)
from assay.scanner.dataflow.effects.occasions import occasions
from assay.scanner.dataflow.effects.sessions import signed_in, signed_out
from assay.scanner.dataflow.effects.uses import only_notes_use
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How
from assay.scanner.linker.values import BoundMethod, Instance, SuperProxy, Value
from assay.scanner.model.effect import EffectKind
from assay.scanner.readers.python import form

_NAMING = frozenset({How.FUNCTION, How.IMPORT_FROM, How.IMPORT})
_CHANGING_VERBS = frozenset(
    {
        "create", "delete", "remove", "update", "save", "insert", "destroy", "send", "publish", "enqueue", "charge",
        "pay", "transfer", "cancel", "approve", "revoke", "grant", "reset", "disable", "enable", "activate",
        "deactivate", "store", "persist", "archive", "purge", "register", "unregister", "upload", "submit",
    }
)  # fmt: skip
_SAVING = frozenset({"save", "asave", "save_to_db", "commit", "persist"})
_CONSTRUCTORS = ("__init__", "__post_init__")


class Bodies:
    """The bodies of a project's functions, each read when asked for."""

    def __init__(self, project: Project, recognizer: Recognizer) -> None:
        self._project = project
        self._recognizer = recognizer
        self.records = recognizer.records
        self._read: dict[FunctionSymbol, Body] = {}

    @property
    def read(self) -> tuple[FunctionSymbol, ...]:
        """The functions that were asked for: once all endpoints have been followed, those that requests run."""
        return tuple(self._read)

    def of(self, function: FunctionSymbol) -> Body:
        if function not in self._read:
            self._read[function] = self._body(function)
        return self._read[function]

    def _body(self, function: FunctionSymbol) -> Body:
        body = Body()
        for node in function.nodes:
            if isinstance(node, form.Call):
                self._call(node, function, body)
            elif isinstance(node, form.Assign | form.AugAssign):
                self._assignment(node, function, body)
            elif isinstance(node, form.Lambda):
                for inner in form.walk(node.body):
                    if isinstance(inner, form.Call):
                        self._call(inner, function, body)
        body.edges = [_saving(edge, function) for edge in body.edges]
        for occasion in occasions(function) if body.changes or body.edges else ():
            now_and_then = Caveats(occasion=occasion.text)
            body.changes = [c if not occasion.holds(c.node) else c.under(now_and_then) for c in body.changes]
            body.edges = [e if not occasion.holds(e.node) else e.under(now_and_then) for e in body.edges]
        return body

    # --- assignments ---

    def _assignment(self, node: form.Assign | form.AugAssign, function: FunctionSymbol, body: Body) -> None:
        for target in node.targets if isinstance(node, form.Assign) else [node.target]:
            if isinstance(target, form.Attr):
                change = self._recognizer.of_assignment(target.value, target.attr, node, function.scope)
                if change is not None:
                    body.changes.append(change)
            elif isinstance(target, form.Subscript):
                signed = signed_in(target, node, function)
                if signed is not None:
                    body.changes.append(signed)

    # --- calls ---

    def _call(self, call: form.Call, function: FunctionSymbol, body: Body) -> None:
        scope = function.scope
        callee = self._project.infer(call.func, scope)
        if self._recognizer.is_commit(call, callee):
            body.commits = True
            return
        name = last_name(call.func) or ""
        if (
            name in LOG_METHODS
            and name != "debug"
            and isinstance(call.func, form.Attr)
            and is_logger(last_name(call.func.value) or "")
        ):
            body.logs.append(call)
        if name == "setattr" and len(call.positional) == 3:
            change = self._recognizer.of_assignment(call.positional[0], "", call, scope)
        else:
            change = self._recognizer.of_call(call, callee, scope)
        if change is None and name in ("clear", "flush", "pop", "delete_cookie"):
            change = signed_out(call, function)
        if change is not None:
            body.changes.append(change)
            if change.kind is EffectKind.AUDIT:
                return
        if not self._follow(call, callee, function, body) and change is None and callee is None:
            self._unknown(call, name, body)
        self._handed_over(call, callee, name, function, body)

    def _follow(self, call: form.Call, callee: Value | None, function: FunctionSymbol, body: Body) -> bool:
        """Note the function of the project that is called; False where none is known."""
        match callee:
            case FunctionSymbol():
                body.edges.append(self._edge(call, callee))
            case BoundMethod(function=method, receiver=receiver):
                owner = call.func.value if isinstance(call.func, form.Attr) else None
                above = owner is not None and isinstance(self._project.infer(owner, function.scope), SuperProxy)
                on_self = not above and _is_self(owner, function)
                if above and isinstance(call.func, form.Attr):
                    body.inherited.append(LibraryMethod(call, method.name, function.owner))
                else:
                    body.edges.append(self._edge(call, method, receiver.cls, on_self=on_self))
                    if not on_self and receiver.origin is None:
                        self._overrides(call, method, receiver, body)
            case ClassSymbol():
                made = [self._project.method(callee, name) for name in _CONSTRUCTORS]
                body.edges += [self._edge(call, method, callee) for method in made if method is not None]
            case Instance(cls=cls) if cls is not None:
                called = self._project.method(cls, "__call__")
                if called is None:
                    return False
                body.edges.append(self._edge(call, called, cls))
            case _:
                return (
                    self._own_library_method(call, function, body)
                    or self._task(call, function, body)
                    or self._method_of_row(call, function, body)
                )
        return True

    def _edge(
        self,
        node: form.Expr,
        callee: FunctionSymbol,
        cls: ClassSymbol | None = None,
        *,
        on_self: bool = False,
        doubt: str | None = None,
    ) -> Edge:
        excuse, occasion = why_beside_the_point(callee.name), why_now_and_then(callee.name)
        caveats = Caveats(excuse, occasion, doubt) if excuse or occasion or doubt else NONE
        return Edge(node, callee, cls or callee.owner, on_self, caveats)

    def _overrides(self, call: form.Call, method: FunctionSymbol, receiver: Instance, body: Body) -> None:
        cls = receiver.cls or method.owner
        for subclass in self._project.subclasses(cls) if cls is not None else ():
            override = subclass.methods.get(method.name)
            if override is not None:
                doubt = f"which `{method.name}` runs is known only when it does"
                body.edges.append(self._edge(call, override, subclass, doubt=doubt))

    def _own_library_method(self, call: form.Call, function: FunctionSymbol, body: Body) -> bool:
        """`self.perform_create(...)` or `super().form_valid(form)` of which the library has the code."""
        if not isinstance(call.func, form.Attr) or function.owner is None:
            return False
        owner = call.func.value
        if _is_self(owner, function):
            body.inherited.append(LibraryMethod(call, call.func.attr, None))
            return True
        if isinstance(self._project.infer(owner, function.scope), SuperProxy):
            body.inherited.append(LibraryMethod(call, call.func.attr, function.owner))
            return True
        return False

    def _method_of_row(self, call: form.Call, function: FunctionSymbol, body: Body) -> bool:
        """`session.get(User, 1).rename(...)`: what a query gives is a row of the model."""
        if not isinstance(call.func, form.Attr) or call.func.attr not in self._methods:
            return False
        model = self._recognizer.records.record_at(call.func.value, function.scope)
        methods = [m for m in self._methods[call.func.attr] if m.owner is not None and m.owner.name == model]
        body.edges += [self._edge(call, method) for method in methods[:1]]
        return bool(methods)

    def _task(self, call: form.Call, function: FunctionSymbol, body: Body) -> bool:
        """`task.delay(...)`: the worker runs what the task does."""
        if not isinstance(call.func, form.Attr) or call.func.attr not in ENQUEUING:
            return False
        task = self._project.infer(_task_of(call.func.value), function.scope)
        if not isinstance(task, FunctionSymbol):
            return False
        body.changes.append(_handed_on(task, call, function))
        body.edges.append(self._edge(call, task))
        return True

    def _handed_over(
        self, call: form.Call, callee: Value | None, name: str, function: FunctionSymbol, body: Body
    ) -> None:
        """Functions that are given to a library, which runs them."""
        if isinstance(callee, FunctionSymbol | BoundMethod | ClassSymbol):
            return
        for argument in call.args:
            node = argument.value
            if isinstance(node, form.Name):
                if not any(b.how in _NAMING for b in function.scope.lookup(node.id)):
                    continue
            elif not (isinstance(node, form.Attr) and node.attr in self._defined):
                continue
            value = self._project.infer(node, function.scope)
            handed = value.function if isinstance(value, BoundMethod) else value
            if isinstance(handed, FunctionSymbol):
                body.edges.append(self._edge(call, handed))
                if name in HANDING_ON:
                    body.changes.append(_handed_on(handed, call, function))

    def _unknown(self, call: form.Call, name: str, body: Body) -> None:
        """A method of something that can't be told: the only one of that name in the project is meant, most likely.

        A name of one word is as likely one of a library's.
        """
        if not isinstance(call.func, form.Attr):
            return
        known = self._methods.get(name, ()) if len(words(name)) > 1 else ()
        if 0 < len(known) <= _MOST_MEANT:
            doubt = None if len(known) == 1 else f"which `{name}` runs is known only when it does"
            body.edges += [self._edge(call, method, doubt=doubt) for method in known]
        elif words(name)[:1] and words(name)[0] in _CHANGING_VERBS and name not in _COMMON:
            body.unfollowed.append(call)

    @cached_property
    def _methods(self) -> Mapping[str, tuple[FunctionSymbol, ...]]:
        found: dict[str, list[FunctionSymbol]] = {}
        for cls in self._project.classes:
            for name, method in cls.methods.items():
                if not name.startswith("__"):
                    found.setdefault(name, []).append(method)
        return {name: tuple(methods) for name, methods in found.items()}

    @cached_property
    def _defined(self) -> frozenset[str]:
        return frozenset(f.name for f in self._project.functions)


_MOST_MEANT = 4
_SIGNING = frozenset({"s", "si", "signature", "set"})
_COMMON = frozenset({"update", "remove", "insert", "register", "store", "save", "delete", "send", "create"})
"""Methods of sets, dicts, files and sockets too."""


def _saving(edge: Edge, function: FunctionSymbol) -> Edge:
    """`topic.views += 1`, `topic.save()`: a method of the row's own writes what has been assigned before."""
    if edge.callee.name not in _SAVING or not isinstance(edge.node, form.Call):
        return edge
    notes = only_notes_use(edge.node, function.scope)
    return edge.under(Caveats(notes)) if notes is not None else edge


def _task_of(node: form.Expr) -> form.Expr:
    """The task of a signature: `task.s(1)`, `task.si(1).set(queue="mails")`."""
    while isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr in _SIGNING:
        node = node.func.value
    return node


def _handed_on(task: FunctionSymbol, call: form.Call, function: FunctionSymbol) -> Change:
    if records_audit(task.name):
        return Change(EffectKind.AUDIT, task.name, "record", call, function.scope)
    caveats = Caveats(f"what `{task.name}` does is what counts")
    return Change(EffectKind.QUEUE, task.name, "send", call, function.scope, caveats)


def _is_self(node: form.Expr | None, function: FunctionSymbol) -> bool:
    params = function.node.params
    return (
        isinstance(node, form.Name)
        and function.owner is not None
        and bool(params)
        and not function.is_static()
        and node.id == params[0].name
    )
