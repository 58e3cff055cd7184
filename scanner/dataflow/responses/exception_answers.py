"""Answers to exceptions: what a client is told where the code has caught one, and whether its text goes along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from assay.scanner.dataflow.blocks import Block, is_debug_condition
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.dataflow.responses.exception_texts import Caught, Told, is_trace, texts
from assay.scanner.dataflow.responses.exception_types import (
    Text,
    caught_types,
    is_anything,
    text_of,
    writes_text,
)
from assay.scanner.dataflow.responses.replies import Replies, Reply
from assay.scanner.dataflow.responses.serving import Serving
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.answer import ExceptionAnswer
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.python import form

_CHECKING = frozenset(
    "test check checks ping probe diagnose diagnostics connection dry dryrun debug healthcheck".split()
)
_OUTCOME = "the outcome of a check is what it is asked for"
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class _Carrier:
    """A name that holds text of the exception, from an offset on."""

    name: str
    start: int
    told: Told

    @property
    def caught(self) -> Caught:
        return self.told.caught


def exception_answers(serving: Serving, replies: Replies, project: Project) -> Iterator[ExceptionAnswer]:
    """One for each answer that is made where an exception was caught, or that holds something of one."""
    ordinals = Ordinals()
    seen = set[Location]()
    for function in serving.speaking:
        answering = _Function(function, serving, replies, project)
        for found in answering.answers(ordinals):
            if found.location not in seen:
                seen.add(found.location)
                yield found


class _Function:
    def __init__(self, function: FunctionSymbol, serving: Serving, replies: Replies, project: Project) -> None:
        self._function = function
        self._serving = serving
        self._replies = replies
        self._project = project
        self._caught = list(self._exceptions())
        self._carriers = list(self._carrying()) if self._caught else []

    def answers(self, ordinals: Ordinals) -> Iterator[ExceptionAnswer]:
        if not self._caught:
            return
        scope, module = self._function.scope, self._function.module
        is_answering = self._function in self._serving.answering or self._function in self._serving.error_handlers
        for node in self._function.nodes:
            if not isinstance(node, form.Return | form.Raise | form.ExprStmt | form.Assign):
                continue
            caught = self._around(node.start)
            for reply in self._replies.of_statement(node, scope):
                if not (is_answering or reply.is_stated):
                    continue
                carried = self._carried(reply)
                if caught is None and not carried:
                    continue
                source = carried[0][0].caught if carried else caught
                assert source is not None
                exposed, doubtful, harmless = self._judged(carried)
                if self._is_debugging(node):
                    exposed, doubtful = (), ()
                yield ExceptionAnswer(
                    self._function.id,
                    ordinals.next(self._function.id, "exception answer"),
                    module.location(reply.site.node),
                    module.role,
                    _spelled(source),
                    source.place,
                    exposed,
                    doubtful,
                    harmless,
                    self._excuse() if exposed or doubtful else None,
                )

    # --- what is caught ---

    def _exceptions(self) -> Iterator[Caught]:
        module, scope = self._function.module, self._function.scope
        for node in self._function.nodes:
            if not isinstance(node, form.Try):
                continue
            for handler in node.handlers:
                types = tuple(caught_types(handler.type, scope, self._project))
                place = module.span(handler.start, handler.type.end if handler.type else handler.start + len("except"))
                start, end = handler.body[0].start, handler.body[-1].end
                evidence = Evidence(place, "what is caught")
                yield Caught(handler.name, types, start, end, evidence, node.body)
        types = tuple(self._registered())
        names = [p.name for p in self._function.parameters if p.name in _PARAMETERS] if types else []
        if names:
            node = self._function.node
            evidence = Evidence(self._function.location, "answers for exceptions")
            yield Caught(names[0], types, node.body[0].start, node.body[-1].end, evidence)

    def _registered(self) -> Iterator[ClassSymbol | External | None]:
        for kind in self._serving.error_handlers.get(self._function, ()):
            if isinstance(kind, ClassSymbol | External):
                yield kind
            elif kind == 500:  # Flask hands in an error of its own, with the exception in it
                is_own = any(last_name(_called(d)) in _OF_FLASK for d in self._function.decorators)
                yield External("werkzeug.exceptions.InternalServerError" if is_own else "builtins.Exception")
        parameters = [p.name for p in self._function.parameters]
        is_of_rest_framework = parameters == ["exc", "context"]
        hooked = _HOOKED.get(self._function.name) == len(parameters) and self._function.owner is not None
        if is_of_rest_framework or hooked:
            yield External("builtins.Exception")

    def _around(self, offset: int) -> Caught | None:
        around = [c for c in self._caught if c.start <= offset < c.end]
        return max(around, key=lambda c: c.start) if around else None

    def _carrying(self) -> Iterator[_Carrier]:
        """Names that are given text of an exception, in source order."""
        found: list[_Carrier] = []
        for node in self._function.nodes:
            names, value = _given(node)
            names = [name for name in names if (words(name) or ("",))[-1] not in _REFERENCES]
            if not names or value is None:
                continue
            around = [c for c in self._caught if c.start <= node.start < c.end]
            known = {c.name: c for c in around if c.name is not None}
            known |= {c.name: c.caught for c in found if c.start < node.start}
            told = next(texts(value, known, around), None)
            found += (_Carrier(name, node.end, told) for name in names if told is not None)
        yield from found

    # --- what is told ---

    def _carried(self, reply: Reply) -> list[tuple[Told, Scope]]:
        """Where the bodies hold text of an exception."""
        return [found for body in reply.bodies for found in self._in_body(body, reply, _DEEPEST)]

    def _in_body(self, body: Sited, reply: Reply, depth: int) -> Iterator[tuple[Told, Scope]]:
        if body.scope is self._function.scope:
            at = body.node.start
            around = [c for c in self._caught if c.start <= at < c.end]
            known = {c.name: c for c in around if c.name is not None}
            carriers = {c.name: c for c in self._carriers if c.start <= at and self._holds_at(c, at)}
            known |= {name: carrier.caught for name, carrier in carriers.items()}
            for told in texts(body.node, known, around):
                carrier = carriers.get(told.node.id) if isinstance(told.node, form.Name) else None
                is_certain = told.is_certain and (carrier is None or carrier.told.is_certain)
                yield replace(told, is_certain=is_certain), body.scope
            return
        handed: dict[str, tuple[Told, Scope]] = {}
        for node in form.walk(body.node) if depth else ():
            bindings = body.scope.lookup(node.id, node.start) if isinstance(node, form.Name) else ()
            given = reply.given.get((bindings[0].scope, node.id)) if bindings and isinstance(node, form.Name) else None
            found = next(self._in_body(Sited(*given), reply, depth - 1), None) if given is not None else None
            if found is not None and isinstance(node, form.Name):
                handed[node.id] = found
        for told in texts(body.node, {name: found[0].caught for name, found in handed.items()}, []):
            yield next(iter(handed.values())) if told.is_certain else (replace(told, is_certain=False), body.scope)

    def _holds_at(self, carrier: _Carrier, offset: int) -> bool:
        """A name that was filled in one `except` clause says nothing in the next one."""
        around = self._around(offset)
        inside = carrier.caught.start <= carrier.start <= carrier.caught.end
        return not inside or around is None or around is carrier.caught or around.start < carrier.caught.start

    def _judged(
        self, carried: list[tuple[Told, Scope]]
    ) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...], str | None]:
        exposed, doubtful = list[Evidence](), list[Evidence]()
        harmless: str | None = None
        for told, scope in carried:
            evidence = scope.module.evidence(told.node, "the text of the exception")
            tells = self._text(told.caught, told.node)
            if tells is Text.FOR_CLIENTS:
                harmless = "the text of the exception was written for clients"
            elif tells is Text.INTERNAL and told.is_certain:
                exposed.append(evidence)
            else:
                doubtful.append(evidence)
        return tuple(dict.fromkeys(exposed)), tuple(dict.fromkeys(doubtful)), harmless

    def _text(self, caught: Caught, node: form.Expr) -> Text:
        if is_trace(node) or (isinstance(node, form.Attr) and node.attr == "original_exception"):
            return Text.INTERNAL
        told = {self._text_of_type(raised, caught) for raised in self._narrowed(caught, node)}
        for worst in (Text.INTERNAL, Text.UNKNOWN, Text.OF_RAISER):
            if worst in told:
                return worst
        return Text.FOR_CLIENTS

    def _text_of_type(self, raised: ClassSymbol | External | None, caught: Caught) -> Text:
        told = text_of(raised)
        if not isinstance(raised, External) or is_anything(raised) or not caught.tried:
            return told
        is_own = writes_text(caught.tried, raised, self._function.scope, self._project)
        if is_own or (is_own is False and told is Text.OF_RAISER):
            return Text.FOR_CLIENTS
        return told

    def _narrowed(self, caught: Caught, node: form.Expr) -> tuple[ClassSymbol | External | None, ...]:
        """The types that are left where a condition around asks for one: `if isinstance(error, HTTPException):`."""
        for block in self._replies.block(self._function.module, node.start).within_function():
            asked = _asked_type(block, caught.name)
            if asked is not None:
                return tuple(caught_types(asked, self._function.scope, self._project))
        return caught.types

    def _is_debugging(self, node: form.Node) -> bool:
        blocks = self._replies.block(self._function.module, node.start).within_function()
        return any(
            isinstance(b.header, form.If) and not b.is_otherwise and is_debug_condition(b.header.test) for b in blocks
        )

    def _excuse(self) -> str | None:
        served = self._serving.answering.get(self._function)
        spoken = set(words(self._function.name))
        for _, endpoint in served.endpoints if served is not None else ():
            parts = [p for p in endpoint.path.split("/") if p and not p.startswith(("{", "<", ":"))]
            spoken |= set(words(parts[-1])) if parts else set()
        return _OUTCOME if spoken & _CHECKING else None


_PARAMETERS = frozenset("e ex exc err error exception exc_info".split())


_HOOKED = {"process_exception": 2, "handle_exception": 1}
"""Methods that Django's middleware and views of its REST framework have for exceptions, with their parameters."""
_OF_FLASK = ("errorhandler", "app_errorhandler")
_REFERENCES = frozenset({"id", "ref", "reference", "uuid"})
"""Last words of names for where more is told: `event_id = capture_exception(error)`."""


def _called(decorator: form.Expr) -> form.Expr:
    return decorator.func if isinstance(decorator, form.Call) else decorator


def _given(node: form.Expr | form.Stmt) -> tuple[list[str], form.Expr | None]:
    """The names that a statement gives something, and what: `text = value`, `answer["error"] = value`."""
    match node:
        case form.Assign(targets=targets, value=value):
            held = [t.value if isinstance(t, form.Subscript) else t for t in targets]
            return [t.id for t in held if isinstance(t, form.Name)], value
        case form.AugAssign(target=form.Name(id=name), value=value):
            return [name], value
        case form.ExprStmt(
            value=form.Call(
                func=form.Attr(value=form.Name(id=name), attr="append" | "add"), args=[form.Arg(value=value)]
            )
        ):
            return [name], value
    return [], None


def _asked_type(block: Block, name: str | None) -> form.Expr | None:
    if not isinstance(block.header, form.If) or block.is_otherwise:
        return None
    match block.header.test:
        case form.Call(
            func=form.Name(id="isinstance"), args=[form.Arg(value=form.Name(id=asked)), form.Arg(value=kind)]
        ):
            return kind if asked == name else None
    return None


def _spelled(caught: Caught) -> str:
    named = [t.name.rsplit(".", 1)[-1] if t is not None else "an exception" for t in caught.types]
    return " or ".join(dict.fromkeys(named)) or "an exception"
