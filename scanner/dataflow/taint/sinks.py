"""Sinks: which of a call's arguments an interpreter gets, and whether it would do harm with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from assay.scanner.dataflow.taint import archives, python_functions, texts
from assay.scanner.dataflow.taint.arguments import Arguments
from assay.scanner.dataflow.taint.shapes import OLD_LXML, XML_PARSERS
from assay.scanner.dataflow.taint.values import (
    Const,
    Key,
    Lib,
    Ref,
    Slot,
    Text,
    Thing,
    Tree,
    Value,
    doubtful,
    options_of,
)
from assay.scanner.libraries import Condition, Sink, SinkKind
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.dataflow.taint.evaluation import Evaluation

_TEXT_TYPES = frozenset({"builtins.str", "builtins.bytes", python_functions.NORMAL_PATH})
_IMPORTS = frozenset({"__import__", "import_module", "import_string", "find_spec", "locate"})
_CONTENT_TYPES = frozenset({"content-type", "content_type", "mimetype", "media_type"})
_ROLES = frozenset(
    {"role", "roles", "is_admin", "admin", "is_staff", "is_superuser", "permissions", "scopes", "tenant"}
)
_IDENTITIES = frozenset({"user", "user_id", "userid", "uid", "username", "account_id", "tenant_id", "email"})


class Sinks:
    """The sinks that one run of a function comes to."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._eval = evaluation
        self._engine = evaluation.engine

    def assigned(self, node: form.Node, owner: Value, attr: str | None, key: Value, value: Value) -> None:
        """`owner[key] = value`, `owner.attr = value`."""
        self._typed_otherwise(attr, key, value)
        for option in options_of(owner):
            name = option.name if isinstance(option, Lib) else option.type_name if isinstance(option, Thing) else ""
            if not name and isinstance(node, form.Subscript | form.Attr) and isinstance(option, Slot | Thing):
                linked = self._engine.of_link(self._engine.project.infer(node.value, self._eval.scope))
                name = linked.name if isinstance(linked, Lib) else getattr(linked, "type_name", "")
            if not name:
                continue
            full = self._engine.models.name_of(f"{name}.{attr}" if attr is not None else name)
            named = f"{full}.{key.value}" if attr is None and isinstance(key, Const) else full
            for sink in self._engine.models.sinks.get(named) or self._engine.models.sinks.get(full) or ():
                if sink.assigned:
                    self._reach(node, full, sink, None, Arguments((key, value), {}))
                    if sink.kind is SinkKind.SESSION:
                        self._privilege(node, full, key, value)

    def _typed_otherwise(self, attr: str | None, key: Value, value: Value) -> None:
        """`response.mimetype = "text/plain"`, `response.headers["Content-Type"] = ...`: what goes out is no HTML."""
        name = attr if attr is not None else key.value if isinstance(key, Const) else None
        if str(name).lower() in _CONTENT_TYPES and isinstance(value, Const) and "html" not in str(value.value):
            self._engine.not_html.add(self._eval.scope)

    def _privilege(self, node: form.Node, name: str, key: Value, value: Value) -> None:
        """What later code takes for granted: a role that a client names itself, or an identity that may be unproven."""
        word = str(key.value).lower() if isinstance(key, Const) else ""
        if word in _ROLES:
            self._eval.use(node, SinkKind.SESSION, name.rpartition(".")[2], value)
        elif word in _IDENTITIES:
            traces = doubtful(self._eval.traces(value), "it may have been proven before")
            self._eval.use(node, SinkKind.SESSION, name.rpartition(".")[2], Thing("", traces))

    def reach(self, node: form.Node, name: str, receiver: Value | None, arguments: Arguments) -> None:
        sinks = self._engine.models.sinks.get(name)
        if sinks is None and not name.startswith("*."):
            last = f"*.{name.rsplit('.', 1)[-1]}"
            if receiver is not None or name.split(".", 1)[0] in self._engine.models.unbound.get(last, ()):
                sinks = self._engine.models.sinks.get(last)
        for sink in sinks or ():
            if not sink.assigned:
                self._reach(node, name, sink, receiver, arguments)

    def _reach(self, node: form.Node, name: str, sink: Sink, receiver: Value | None, arguments: Arguments) -> None:
        callee = name.rsplit(".", 1)[-1]
        values = self.chosen(sink.arguments, receiver, arguments)
        if not values:
            return
        if sink.safe:
            self._engine.keep(node, sink.kind, self._eval.scope, callee, sink.safe)
            return
        doubt = self.holds(sink.when, arguments)
        if doubt is False:
            self._engine.keep(node, sink.kind, self._eval.scope, callee, _why_not(sink))
            return
        doubts = [d for d in (sink.doubt, doubt) if d]
        for value in values:
            if not self._is_other(sink.kind, value):
                given = self._as_given(node, sink, name, value, receiver, arguments, doubts)
                self._eval.use(node, sink.kind, callee, given)

    def _as_given(
        self,
        node: form.Node,
        sink: Sink,
        name: str,
        value: Value,
        receiver: Value | None,
        arguments: Arguments,
        doubts: list[str],
    ) -> Value:
        """What the interpreter makes of an argument: a command's text, a document with its parser, a message."""
        if sink.kind is SinkKind.CODE and name.rpartition(".")[2] in _IMPORTS and self._begins_fixed(value):
            doubts = [*doubts, "the package that it begins with is fixed"]
        if sink.is_script:
            value = Tree("dict", (("$where", self._eval.frozen(value)),))
        function = self._eval.function
        if sink.kind is SinkKind.ARCHIVE and function and archives.members_are_looked_at(node, function.node.body):
            doubts = [*doubts, archives.LOOKED_AT]
        if doubts:
            value = Thing("", doubtful(self._eval.traces(value), doubts[0]))
        match sink.kind:
            case SinkKind.COMMAND if self._runs_shell(arguments):
                return self._as_shell_text(value)
            case SinkKind.XML if not sink.when:
                return self._parse(name, value, receiver, arguments)
            case SinkKind.LOG:
                return self._message(value, arguments)
        return value

    def _parse(self, name: str, document: Value, receiver: Value | None, arguments: Arguments) -> Value:
        """A document with what is known of its parser: see `shapes`."""
        given = arguments.keywords.get("parser") or (arguments.positional[1] if len(arguments.positional) > 1 else None)
        keyword = arguments.keywords.get("resolve_entities")
        entries: list[tuple[Key, Value]] = [("document", document)]
        cell = self._eval.cell(receiver) if receiver is not None else None
        if keyword is not None:
            entries.append(("parser", Tree("object", (("resolve_entities", keyword),), type_name=name)))
        elif cell is not None and cell.type_name in XML_PARSERS and receiver is not None:
            entries.append(("parser", self._eval.frozen(receiver)))
        elif given is not None and given != Const(None) and self._is_parser(given):
            entries.append(("parser", self._eval.frozen(given)))
        entries.append(("default", Const(OLD_LXML if name.startswith("lxml.") else None)))
        return Tree("parse", tuple((k, self._eval.frozen(v)) for k, v in entries))

    def _is_parser(self, value: Value) -> bool:
        cell = self._eval.cell(value)
        return isinstance(value, Slot) or (cell is not None and cell.type_name in XML_PARSERS) or (
            isinstance(value, Thing) and not value.traces and value.type_name not in _TEXT_TYPES)  # fmt: skip

    def _begins_fixed(self, value: Value) -> bool:
        """Whether a dotted name has a part that is written in the code before what a client chooses."""
        return all(
            isinstance(option, Text) and any(isinstance(p, str) and "." in p and len(p) > 1 for p in option.parts[:-1])
            for option in options_of(value)
        )

    def _is_other(self, kind: SinkKind, value: Value) -> bool:
        """Whether it isn't what this kind is about: a dict that goes out as JSON, an open file that has a path."""
        cell = self._eval.cell(value) if isinstance(value, Ref | Tree) else None
        if kind is SinkKind.HTML:
            return _is_response(value) or (cell is not None and cell.kind in ("dict", "list"))
        if kind is SinkKind.URL:
            return isinstance(value, Thing) and value.type_name.endswith("Request")  # it was judged when it was made
        return kind is SinkKind.PATH and cell is not None and cell.kind == "object"

    def _message(self, value: Value, arguments: Arguments) -> Value:
        """What is logged: `%r` in the message escapes line breaks."""
        first, *rest = arguments.positional or (value,)
        if isinstance(first, Const) and isinstance(first.value, str) and "%" in first.value and rest:
            return texts.percent(first.value, [self._eval.flat(v) for v in rest], {}, None)
        return value

    def _runs_shell(self, arguments: Arguments) -> bool:
        shell = arguments.keywords.get("shell")
        return isinstance(shell, Const) and bool(shell.value)

    def _as_shell_text(self, value: Value) -> Value:
        """With a shell, the first item of a list is the command's text; whatever follows are its parameters."""
        cell = self._eval.cell(value)
        return cell.entries.get(0, cell.all) if cell is not None and cell.is_sequence else value

    def chosen(self, places: tuple[int | str, ...], receiver: Value | None, arguments: Arguments) -> list[Value]:
        """The arguments at some places: a number is a position, -1 the receiver, `*` stands for all."""
        found: list[Value] = []
        for place in places:
            if place == "*":
                found += arguments.all
            elif place in (-1, "receiver"):
                found += [receiver] if receiver is not None else []
            elif isinstance(place, int):
                found += arguments.positional[place : place + 1]
                if place >= len(arguments.positional) and arguments.star is not None:
                    found.append(arguments.star.below(place - len(arguments.positional)))
                if place >= len(arguments.positional) and arguments.others is not None:
                    found.append(arguments.others)
            elif place in arguments.keywords:
                found.append(arguments.keywords[place])
            elif arguments.double is not None:
                found.append(arguments.double.below(place))
        return found

    def holds(self, conditions: Iterable[Condition], arguments: Arguments) -> Literal[False] | str | None:
        """Whether the conditions hold: None where they do, False where one doesn't, what is in doubt else."""
        doubt: str | None = None
        for condition in conditions:
            holds = self._holds(condition, arguments)
            if holds is False:
                return False
            if holds is None:
                doubt = f"it depends on `{condition.argument}`"
        return doubt

    def _holds(self, condition: Condition, arguments: Arguments) -> bool | None:
        value = arguments.keywords.get(condition.argument)
        if value is None and condition.position is not None and condition.position < len(arguments.positional):
            value = arguments.positional[condition.position]
        if value is None:
            is_open = arguments.others is not None or arguments.double is not None
            return None if is_open else "absent" in condition.values
        outcomes = {self._matches(v, condition) for v in options_of(value)}
        return outcomes.pop() if len(outcomes) == 1 else None

    def _matches(self, value: Value, condition: Condition) -> bool | None:
        match value:
            case Const(value=constant):
                return any(constant == v and type(constant) is type(v) for v in condition.values)
            case Lib(name=name) | Thing(type_name=name) if name:
                return any(isinstance(v, str) and (v == name or name.endswith(f".{v.rsplit('.', 1)[-1]}"))
                           for v in condition.values)  # fmt: skip
            case Text(parts=[str() as first, *_]):
                return any(isinstance(v, str) and first.split(";")[0].strip() == v for v in condition.values)
        return None


def _is_response(value: Value) -> bool:
    """Whether it is no text: a response that was made before is judged where that was done."""
    return isinstance(value, Thing) and value.type_name not in (*_TEXT_TYPES, "", "markupsafe.Markup")


def _why_not(sink: Sink) -> str:
    return f"{', '.join(f'`{c.argument}`' for c in sink.when)} makes it harmless"
