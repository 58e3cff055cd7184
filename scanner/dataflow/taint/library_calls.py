"""Calls of libraries: what their models say of the result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assay.scanner.dataflow.taint import folding, python_functions
from assay.scanner.dataflow.taint.arguments import Arguments
from assay.scanner.dataflow.taint.shapes import XML_PARSERS
from assay.scanner.dataflow.taint.state import path_of
from assay.scanner.dataflow.taint.values import (
    UNKNOWN,
    Anonymous,
    Cell,
    Const,
    Func,
    Key,
    Lib,
    Partial,
    Thing,
    Tree,
    Value,
    cleared,
    doubtful,
)
from assay.scanner.libraries import Label
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.dataflow.taint.evaluation import Evaluation

_TABLES = frozenset({"config", "settings", "environ", "conf", "session", "objects", "query"})
"""What a library's object is called that is asked for values by their names."""


class LibraryCalls:
    """The calls of libraries in one run of a function."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._eval = evaluation
        self._engine = evaluation.engine

    def call(self, node: form.Node, name: str, receiver: Value | None, arguments: Arguments) -> Value:
        """A library's function or method; its result remembers what it says something about."""
        name = self._engine.models.name_of(name)
        found = self._library(node, name, receiver, arguments)
        about = self._about(name, arguments, receiver)
        return replace(found, about=about) if about and isinstance(found, Thing) and not found.about else found

    def _library(self, node: form.Node, name: str, receiver: Value | None, arguments: Arguments) -> Value:
        models = self._engine.models
        self._eval.sinks.reach(node, name, receiver, arguments)
        if name in self._engine.leaving:
            self._eval.leaves = True
        matched = self._matched(name, receiver, arguments)
        if matched is not None:
            return matched
        special = python_functions.SPECIAL.get(name)
        if special is not None:
            return special(self._eval, node, arguments)
        constants = [v.value for v in arguments.positional if isinstance(v, Const)]
        if len(constants) == len(arguments.all) and constants:
            folded = folding.function(name, constants)
            if folded is not None:
                return self._eval.allocate(folded, node) if isinstance(folded, Tree) else folded
        last = f"*.{name.rsplit('.', 1)[-1]}"
        kinds = models.sanitizers.get(name) or (models.sanitizers.get(last) if receiver is not None else None)
        result = models.type_of(name)
        label = self._source_label(name, arguments)
        if label is not None:
            return cleared(self._eval.source(node, name, label), kinds or frozenset())
        if kinds is not None:
            inputs = self._eval.traces(receiver, *arguments.all)
            return cleared(Thing(result, inputs), kinds)
        if name in XML_PARSERS:
            options: dict[Key, Value] = {k: v for k, v in arguments.keywords.items() if isinstance(v, Const)}
            return self._eval.state.allocate((node,), Cell("object", options, type_name=result))
        propagator = models.propagators.get(name) or (models.propagators.get(last) if receiver is not None else None)
        if propagator is not None:
            chosen = self._eval.sinks.chosen(propagator.arguments, receiver, arguments) if propagator.arguments else [
                *([receiver] if receiver is not None else []), *arguments.all]  # fmt: skip
            if name in python_functions.NORMALISING:
                result = python_functions.NORMAL_PATH
            return Thing(result, self._eval.traces(*chosen))
        if receiver is not None or _is_method(name):
            # What an object of a library gives is its own: rows of a query are not the query's parameters.
            return Thing(result, self._eval.traces(receiver))
        self._called_back(node, arguments)
        traces = doubtful(self._eval.traces(*arguments.all), f"it isn't known what `{name}` does with it")
        return Thing(result, traces)

    def _source_label(self, name: str, arguments: Arguments) -> Label | None:
        """What a client chooses of the call's result; None where the call is no source."""
        told = self._engine.models.sources_if.get(name)
        if told is not None and self._eval.sinks.holds(told.when, arguments) is not False:
            return told.gives
        return self._engine.models.sources.get(name)

    def _matched(self, name: str, receiver: Value | None, arguments: Arguments) -> Value | None:
        """`PATTERN.fullmatch(text)`, and what a match has to say."""
        if name in ("re.Pattern.fullmatch", "re.Pattern.match"):
            cell = self._eval.cell(receiver) if receiver is not None else None
            pattern = cell.entries.get("pattern") if cell is not None else None
            subject = arguments.get(0, "string")
            how = name.rpartition(".")[2]
            return python_functions.match_of(self._eval, how, pattern, subject, arguments.node(0, "string"))
        if name == "re.Pattern.sub":
            cell = self._eval.cell(receiver) if receiver is not None else None
            pattern = cell.entries.get("pattern") if cell is not None else None
            return python_functions.substituted(
                self._eval, pattern, arguments.get(0, "repl"), arguments.get(1, "string"))  # fmt: skip
        if name.startswith("re.Match.") and isinstance(receiver, Thing):
            kinds = python_functions.matched_kinds(receiver.about)
            return cleared(Thing("", receiver.traces), kinds)
        return None

    def _about(self, name: str, arguments: Arguments, receiver: Value | None) -> tuple[str, ...]:
        if name == "pathlib.Path.resolve":
            return (python_functions.RESOLVED,)
        if isinstance(receiver, Thing) and receiver.about:
            return receiver.about
        if name in python_functions.ABOUT or name in ("hmac.new", "hmac.digest"):
            node = arguments.node(1 if name.startswith("hmac.") else 0)
            path = path_of(node) if node is not None else None
            first = arguments.positional[0] if arguments.positional else None
            if isinstance(first, Thing) and first.about:
                return first.about
            return (path,) if path is not None else ()
        return ()

    def _called_back(self, node: form.Node, arguments: Arguments) -> None:
        """A function of the project that is handed to a library is called by it, with nothing that is known."""
        for value in arguments.all:
            if isinstance(value, Func | Anonymous | Partial) and not isinstance(value, Anonymous):
                rest = [v for v in arguments.positional if v is not value]
                if isinstance(value, Func) and value.symbol is self._eval.function:
                    continue
                leaves = self._eval.leaves
                self._eval.calls.apply(node, value, Arguments(tuple(rest), dict(arguments.keywords)))
                self._eval.leaves = leaves

    def item(self, owner: Lib, node: form.Subscript) -> Value:
        """`os.environ["HOME"]`, a parametrised generic, ..."""
        label = self._engine.models.sources.get(owner.name)
        return self._eval.source(node, owner.name, label) if label is not None else UNKNOWN


def _is_method(name: str) -> bool:
    """Whether a dotted name is that of a method: of a class, or of a library's settings."""
    owners = name.split(".")[1:-1]
    return any(owner[:1].isupper() for owner in owners) or (bool(owners) and owners[-1] in _TABLES)
