"""Guards: what the outcome of a test shows about the values that it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from assay.scanner.dataflow.taint.patterns import harmless_for
from assay.scanner.dataflow.taint.python_functions import NORMAL_PATH, RESOLVED, matched_kinds
from assay.scanner.dataflow.taint.shapes import fixes_authority
from assay.scanner.dataflow.taint.state import State, merge, path_of
from assay.scanner.dataflow.taint.values import (
    EVERYTHING,
    FIXED,
    Const,
    Func,
    Klass,
    Lib,
    Slot,
    Text,
    Thing,
    Trace,
    Value,
    cleared,
    doubtful,
    is_fixed,
    joined,
    labelled,
    lacking,
    options_of,
)
from assay.scanner.libraries import Label, SinkKind
from assay.scanner.linker.project import last_name
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.dataflow.taint.evaluation import Evaluation

_WORDS = frozenset({"isdigit", "isdecimal", "isnumeric", "isalnum", "isalpha", "isidentifier"})
_SAME_BUT_CASE = frozenset({"lower", "upper", "strip", "casefold", "lstrip", "rstrip", "title"})
_HARMLESS_TYPES = frozenset(
    {
        "builtins.int", "builtins.float", "builtins.bool", "uuid.UUID", "datetime.date", "datetime.datetime",
        "decimal.Decimal", "ipaddress.IPv4Address", "ipaddress.IPv6Address", "numbers.Number", "numbers.Integral",
    }
)  # fmt: skip
_HOSTS = frozenset({"netloc", "hostname", "host", "domain"})
_ADDRESS_TESTS = frozenset(
    {"is_private", "is_global", "is_loopback", "is_reserved", "is_link_local", "is_multicast", "is_unspecified"}
)
_PATH = frozenset({SinkKind.PATH})
_LINES = frozenset({SinkKind.HEADER, SinkKind.LOG})
_WEB = frozenset({SinkKind.URL, SinkKind.REDIRECT})


class Guards:
    """Narrows the state of one run of a function by the outcomes of tests."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._eval = evaluation
        self._asked: dict[str, tuple[form.Expr, Value]] = {}

    def refined(self, test: form.Expr, truth: bool) -> State | None:
        """The state in which the test turned out so; None where it can't."""
        before, was_recalling = self._eval.state, self._eval.is_recalling
        self._eval.state, self._eval.is_recalling = before.copy(), True
        try:
            return self._eval.state if self._apply(test, truth) else None
        finally:
            self._eval.state, self._eval.is_recalling = before, was_recalling

    def _apply(self, test: form.Expr, truth: bool) -> bool:
        """Narrow the current state; False where the outcome is impossible."""
        match test:
            case form.Unary(op="not", operand=operand):
                return self._apply(operand, not truth)
            case form.Boolean(op=op, values=values) if (op == "and") is truth:
                return all(self._apply(v, truth) for v in values)
            case form.Boolean(values=values):
                return self._one_of(values, truth)
            case form.Compare(left=left, ops=[op], rights=[right]):
                self._compared(left, op, right, truth)
                return True
            case form.Call():
                self._called(test, truth)
                return True
            case form.Walrus(target=target, value=inner):
                self._apply(inner, truth)
                return self._is_possible(target, truth)
            case form.Await(value=inner):
                return self._apply(inner, truth)
        return self._is_possible(test, truth)

    def _one_of(self, values: list[form.Expr], truth: bool) -> bool:
        """Of `a or b` that is true, the first true one is behind false ones."""
        start = self._eval.state
        ways: list[State | None] = []
        for value in values:
            self._eval.state = start.copy()
            if self._apply(value, truth):
                ways.append(self._eval.state)
            self._eval.state = start
            if not self._apply(value, not truth):
                break
        merged = merge(ways)
        if merged is None:
            return False
        self._eval.state = merged
        return True

    def _is_possible(self, node: form.Expr, truth: bool) -> bool:
        value = self._eval.value(node)
        known = self._eval.truth(value)
        if known is not None and known is not truth:
            return False
        if isinstance(value, Thing) and value.about and value.about[-1] in _ADDRESS_TESTS:
            if truth is (value.about[-1] == "is_global"):
                self._address_checked(value.about[0])
        elif truth and isinstance(value, Thing) and matched_kinds(value.about):
            self._clear_path(value.about[0], matched_kinds(value.about))
        elif isinstance(value, Thing) and value.about and value.about[-1] in _HOSTS and not truth:
            self._clear_path(value.about[0], _WEB)
        elif truth and self._found(node):
            pass
        elif not truth:
            # Nothing is left of a text that is empty.
            self.clear(node, EVERYTHING)
        elif isinstance(value, Text | Thing | Slot) or len(options_of(value)) > 1:
            self._set(node, lambda v: joined(o for o in options_of(v) if self._eval.truth(o) is not False))
        return True

    # --- changing what is known ---

    def _set(self, node: form.Expr, change: Callable[[Value], Value]) -> None:
        path = path_of(node)
        if path is None:
            return
        value = self._eval.value(node)
        changed = change(value)
        if changed == value:
            return
        if isinstance(node, form.Name):
            self._eval.state.env[node.id] = changed
        else:
            self._eval.state.facts[path] = changed

    def clear(self, node: form.Expr, kinds: frozenset[SinkKind]) -> None:
        """The expression is harmless for these sinks from here on."""
        value = self._eval.value(node)
        self._prove_slots(value, kinds)
        self._set(node, lambda v: cleared(v, kinds, self._eval.state.heap))
        about = value.about if isinstance(value, Thing) else ()
        if about and (len(about) == 1 or about[-1] in _HOSTS) and kinds <= _WEB | _PATH:
            self._clear_path(about[0], kinds)
        inner = self._asked_of(node, kinds)
        if inner is not None:
            self.clear(inner, kinds)

    def _asked_of(self, node: form.Expr, kinds: frozenset[SinkKind]) -> form.Expr | None:
        """`x` of `x.lower()`, `str(x)`, and for paths also of `os.path.abspath(x)`."""
        if not isinstance(node, form.Call):
            return None
        func = node.func
        if isinstance(func, form.Attr) and func.attr in _SAME_BUT_CASE:
            return func.value
        name = last_name(func)
        if name == "str" and len(node.args) == 1:
            return node.args[0].value
        if name in ("abspath", "realpath", "normpath", "Path") and node.args and kinds <= _PATH:
            return node.args[0].value
        if name == "resolve" and isinstance(func, form.Attr) and kinds <= _PATH:
            return func.value
        return None

    def _prove_slots(self, value: Value, kinds: frozenset[SinkKind]) -> None:
        """It holds of what the caller gives, too, where the value was made of nothing else."""
        for option in options_of(value):
            slots = {t.origin for t in self._eval.traces(option) if isinstance(t.origin, Slot)}
            if len(slots) == 1:
                self.prove(slots.pop(), kinds)

    def prove(self, slot: Slot, kinds: frozenset[SinkKind]) -> None:
        """A test has shown it of what the caller gives."""
        proved = self._eval.state.proved
        proved[slot] = proved.get(slot, frozenset()) | kinds

    def _clear_path(self, path: str, kinds: frozenset[SinkKind]) -> None:
        """Clear the variable that something was worked out from."""
        state = self._eval.state
        value = state.env.get(path, state.facts.get(path))
        if value is None:
            if "(" in path or "." in path or "[" in path:
                state.facts[path] = Thing()
            return
        self._prove_slots(value, kinds)
        changed = cleared(value, kinds, state.heap)
        if path in state.env:
            state.env[path] = changed
        else:
            state.facts[path] = changed

    def _address_checked(self, path: str) -> None:
        """The host's address is a public one: what a redirect leads to, or a second look-up, isn't."""
        state = self._eval.state
        value = state.env.get(path, state.facts.get(path))
        if value is None:
            return
        self._prove_slots(value, frozenset({SinkKind.URL}))
        changed = Thing(
            "", doubtful(self._eval.traces(value), "its address is checked, but redirects may lead elsewhere")
        )
        if path in state.env:
            state.env[path] = changed
        else:
            state.facts[path] = changed

    def looked_up(self, targets: Iterable[form.Expr], asked: form.Expr, found: Value) -> None:
        """A variable holds what a call found: see `_found`, which is asked of few of them."""
        for target in targets:
            if isinstance(target, form.Name):
                self._asked[target.id] = (asked, found)

    def _found(self, node: form.Expr) -> bool:
        """`if record is None: raise` behind `record = find(name)`: there is a record of that name, so it is no longer
        just any text, and a person has to say whether that is enough.
        """
        asked, found = self._asked.get(node.id, (None, None)) if isinstance(node, form.Name) else (None, None)
        if asked is None or found is None:
            return False
        env = self._eval.state.env
        made_of = {t.origin for t in self._eval.traces(found) if t.doubt is None}
        names = {n.id for n in form.walk(asked) if isinstance(n, form.Name)}
        by = [n for n in sorted(names) if isinstance(env.get(n), Thing | Slot | Text)]
        traces = {name: self._eval.traces(env[name]) for name in by}
        doubted = [name for name in by if traces[name] and made_of.isdisjoint(t.origin for t in traces[name])]
        for name in doubted:
            env[name] = Thing("", doubtful(traces[name], "a record was looked up by it first"))
        return bool(doubted)

    # --- comparisons ---

    def _compared(self, left: form.Expr, op: str, right: form.Expr, truth: bool) -> None:
        holds = truth if op in ("==", "in", "is") else not truth
        if op in ("==", "!=", "is", "is not"):
            self._equal(left, right, holds)
            self._equal(right, left, holds)
        elif op in ("in", "not in"):
            self._member(left, right, holds)

    def _equal(self, node: form.Expr, other: form.Expr, holds: bool) -> None:
        if isinstance(other, form.Const) and other.value is None:
            if isinstance(node, form.Call) and not holds:
                self._called(node, True)  # `re.fullmatch(...) is not None`
            elif not holds and not self._found(node):
                found = self._eval.value(node)
                if isinstance(found, Thing) and matched_kinds(found.about):
                    self._clear_path(found.about[0], matched_kinds(found.about))
            return
        value = self._eval.value(other)
        about = self._eval.value(node)
        if isinstance(about, Thing) and len(about.about) > 1 and about.about[-1] in _HOSTS:
            if holds and not _is_clients(self._eval.traces(value)):
                self._clear_path(about.about[0], _WEB)
            return
        if not holds:
            return
        if self._is_containment(node):
            return
        if isinstance(node, form.Attr) and node.attr == "parent" and not self._eval.traces(value):
            self.clear(node.value, _PATH)
            return
        if is_fixed(value):
            self._settle(node, value)
        elif not self._eval.traces(value):
            self.clear(node, EVERYTHING)

    def _settle(self, node: form.Expr, value: Value) -> None:
        """The expression is one of some constants."""
        self.clear(node, EVERYTHING)
        if path_of(node) is not None:
            self._set(node, lambda _: value)

    def _is_containment(self, node: form.Expr) -> bool:
        """`os.path.commonpath([base, path]) == base` and the like: the path lies below the base."""
        if not isinstance(node, form.Call) or last_name(node.func) not in ("commonpath", "commonprefix"):
            return False
        for arg in node.args:
            items = arg.value.items if isinstance(arg.value, form.Display) else [arg.value]
            for item in items:
                self.clear(item, _PATH)
        return True

    def _member(self, item: form.Expr, container: form.Expr, holds: bool) -> None:
        needle = self._eval.value(item)
        if isinstance(needle, Const) and isinstance(needle.value, str):
            self._contained(needle.value, container, holds)
            return
        whole = self._eval.value(container)
        if isinstance(whole, Const) and isinstance(whole.value, str):
            self._of_characters(item, whole.value, holds)
            return
        if not holds:
            return
        if isinstance(container, form.Attr) and container.attr == "parents":
            self.clear(container.value, _PATH)
            return
        if isinstance(needle, Thing) and len(needle.about) > 1 and needle.about[-1] in _HOSTS:
            if not _is_clients(self._eval.traces(self._eval.value(container))):
                self._clear_path(needle.about[0], _WEB)
            return
        value = self._eval.value(container)
        if isinstance(value, Text):
            return
        if self._eval.traces(self._known_items(value)):
            return
        cell = self._eval.cell(value)
        if cell is not None and cell.kind != "object":
            items = cell.any_key if cell.kind == "dict" else cell.all
            if is_fixed(items):
                self._settle(item, items)
                return
        if isinstance(value, Klass):
            self._settle(item, FIXED)
        else:
            self.clear(item, EVERYTHING)

    def _of_characters(self, item: form.Expr, text: str, holds: bool) -> None:
        """A part of a constant is harmless; a character that is none of some is no line break, say."""
        if holds:
            self.clear(item, EVERYTHING)
        else:
            for character in text:
                self._set(item, lambda v, piece=character: lacking(v, piece))  # type: ignore[misc]

    def _known_items(self, value: Value) -> Value:
        """Of a dict only the keys are compared with."""
        cell = self._eval.cell(value)
        return cell.any_key if cell is not None and cell.kind == "dict" else value

    def _contained(self, needle: str, text: form.Expr, holds: bool) -> None:
        """`"'" in text`: where it isn't, the text lacks what it would need."""
        if holds:
            return
        self._set(text, lambda v: lacking(v, needle))
        if isinstance(text, form.Subscript) and needle in _QUOTES and _is_all_but_the_ends(text.index):
            path = path_of(text.value)
            if path is not None and f"{path}.<{needle}>" in self._eval.state.facts:
                # It is one literal, from quote to quote.
                self.clear(text.value, frozenset({SinkKind.CODE}))
        if needle in ("//", "\\"):
            self._rooted(text, "//")

    # --- calls ---

    def _called(self, call: form.Call, truth: bool) -> None:
        func = call.func
        name = last_name(func)
        if isinstance(func, form.Attr):
            if name in _WORDS and truth:
                self.clear(func.value, EVERYTHING)
                return
            if name in ("isprintable", "isascii") and truth:
                self.clear(func.value, _LINES if name == "isprintable" else frozenset())
                return
            if name in ("startswith", "endswith"):
                self._starts(call, func, truth)
                return
            if name == "is_relative_to" and truth:
                self.clear(func.value, _PATH)
                return
        if name == "isinstance" and len(call.args) == 2:
            self._instance(call.args[0].value, call.args[1].value, truth)
            return
        if name in ("fullmatch", "match") and truth:
            self._matched(call, whole=name == "fullmatch")
            return
        if name == "bool" and len(call.args) == 1:
            self._apply(call.args[0].value, truth)
            return
        if name == "all" and truth and len(call.args) == 1:
            self._every(call.args[0].value)
            return
        if name == "compare_digest" and truth:
            self._signed(call)
            return
        self._predicate(call, truth)

    def _signed(self, call: form.Call) -> None:
        """A value whose signature fits comes from somebody who knows the key."""
        for arg in call.args:
            value = self._eval.value(arg.value)
            if isinstance(value, Thing) and value.about:
                self._clear_path(value.about[0], EVERYTHING)

    def _starts(self, call: form.Call, func: form.Attr, truth: bool) -> None:
        prefixes = self._eval.value(call.args[0].value) if call.args else None
        if prefixes is None or func.attr != "startswith":
            return
        cell = self._eval.cell(prefixes)
        found = list(cell.entries.values()) if cell is not None and cell.rest is None else list(options_of(prefixes))
        texts = [v.value for v in found if isinstance(v, Const) and isinstance(v.value, str)]
        if len(texts) == len(found) and texts:
            if truth and all(fixes_authority(t) for t in texts):
                self.clear(func.value, _WEB)
            elif truth and (texts == ["/"] or (len(texts) == 1 and texts[0] in _QUOTES)):
                self._rooted(func.value, texts[0])
            elif not truth and "$" in texts:
                self.clear(func.value, frozenset({SinkKind.DOCUMENT}))
            elif not truth and any(t in ("//", "/\\") for t in texts):
                self._rooted(func.value, "//")
        if truth and self._is_normalised(func.value) and not self._eval.traces(prefixes):
            self.clear(func.value, _PATH)

    def _rooted(self, node: form.Expr, what: str) -> None:
        """`x.startswith("/")` and `not x.startswith("//")` together keep a redirect on this host."""
        path = path_of(node)
        if path is None:
            return
        facts = self._eval.state.facts
        facts[f"{path}.<{what}>"] = Const(True)
        if f"{path}.</>" in facts and f"{path}.<//>" in facts:
            self.clear(node, frozenset({SinkKind.REDIRECT}))

    def _is_normalised(self, node: form.Expr) -> bool:
        """Whether `..` has been worked out of a path."""
        if isinstance(node, form.Call):
            name = last_name(node.func)
            if name in ("abspath", "realpath", "normpath", "resolve"):
                return True
            return name == "str" and len(node.args) == 1 and self._is_normalised(node.args[0].value)
        value = self._eval.value(node)
        return isinstance(value, Thing) and (value.type_name == NORMAL_PATH or RESOLVED in value.about)

    def _instance(self, node: form.Expr, kinds: form.Expr, truth: bool) -> None:
        if not truth:
            return
        items = kinds.items if isinstance(kinds, form.Display) else [kinds]
        names = [v.name if isinstance(v, Lib) else "" for v in map(self._eval.value, items)]
        if all(name in _HARMLESS_TYPES for name in names):
            self.clear(node, EVERYTHING)
        elif names == ["builtins.str"]:
            self._set(node, lambda v: labelled(v, Label.TEXT))
            self.clear(node, frozenset({SinkKind.DOCUMENT}))

    def _matched(self, call: form.Call, *, whole: bool) -> None:
        arguments = [a.value for a in call.args]
        func = call.func
        if len(arguments) == 1 and isinstance(func, form.Attr):
            cell = self._eval.cell(self._eval.value(func.value))
            pattern = cell.entries.get("pattern") if cell is not None else None
            subject = arguments[0]
        elif len(arguments) >= 2:
            pattern, subject = self._eval.value(arguments[0]), arguments[1]
        else:
            return
        if isinstance(pattern, Const) and isinstance(pattern.value, str):
            kinds = harmless_for(pattern.value, whole=whole)
            if kinds:
                self.clear(subject, kinds)

    def _every(self, node: form.Expr) -> None:
        """`all(c in ALLOWED for c in text)`."""
        if not isinstance(node, form.Comprehension) or len(node.generators) != 1:
            return
        generator = node.generators[0]
        name = generator.target.id if isinstance(generator.target, form.Name) else None
        tests = (
            node.element.values
            if isinstance(node.element, form.Boolean) and node.element.op == "or"
            else [node.element]
        )
        if name is not None and all(self._allows(test, name) for test in tests):
            self.clear(generator.iter, EVERYTHING)
        iterated = self._eval.element(self._eval.value(generator.iter))
        about = iterated.about if isinstance(iterated, Thing) else ()
        if about and all(isinstance(t, form.Attr) and t.attr == "is_global" for t in tests):
            self._address_checked(about[0])

    def _allows(self, test: form.Expr, name: str) -> bool:
        match test:
            case form.Call(func=form.Attr(value=form.Name(id=found), attr=attr)):
                return found == name and attr in _WORDS
            case form.Compare(left=form.Name(id=found), ops=["in"], rights=[right]):
                return found == name and not self._eval.traces(self._eval.value(right))
        return False

    def _predicate(self, call: form.Call, truth: bool) -> None:
        """A library's guard, or a function of the project that tells."""
        func = call.func
        owner = self._eval.value(func.value) if isinstance(func, form.Attr) else None
        callee = self._eval.attribute(owner, func) if owner is not None and isinstance(func, form.Attr) else (
            self._eval.value(func))  # fmt: skip
        for option in options_of(callee):
            if isinstance(option, Lib):
                self._library_guard(call, option.name, truth)
            elif isinstance(option, Func):
                self._own_guard(call, option, truth)

    def _library_guard(self, call: form.Call, name: str, truth: bool) -> None:
        models = self._eval.engine.models
        guard = models.guards.get(models.name_of(name)) or models.guards.get(f"*.{name.rsplit('.', 1)[-1]}")
        if guard is None or guard.holds is not truth:
            return
        kinds = frozenset(guard.cleans or SinkKind)
        if guard.argument == -1:
            if isinstance(call.func, form.Attr):
                self.clear(call.func.value, kinds)
        elif guard.argument < len(call.positional):
            self.clear(call.positional[guard.argument], kinds)
        else:
            for arg in call.args[:1]:
                self.clear(arg.value, kinds)

    def _own_guard(self, call: form.Call, callee: Func, truth: bool) -> None:
        calls = self._eval.calls
        arguments = calls.arguments(call)
        summary = self._eval.engine.summary(callee.symbol)
        for slot, kinds in (summary.if_true if truth else summary.if_false).items():
            node = self._eval.functions.argument_node(slot, callee, arguments)
            if node is not None:
                self.clear(node, kinds)


_QUOTES = ("'", '"')


def _is_all_but_the_ends(index: form.Expr) -> bool:
    """`[1:-1]`."""
    match index:
        case form.Slice(lower=form.Const(value=1), upper=form.Const(value=-1), step=None):
            return True
    return False


def _is_clients(traces: Iterable[Trace]) -> bool:
    """Whether a client chose more of it than the host that it asked for."""
    return any(t.label is not Label.HOST for t in traces)
