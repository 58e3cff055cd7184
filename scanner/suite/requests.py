"""The requests that a test sends: by itself, in its helpers and fixtures, and in what its class does before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, product

from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.readers.python import form
from assay.scanner.suite.clients import ANY_VERB, NAMES, SOCKETS, VERBS, sent_by
from assay.scanner.suite.collected import SET_UP, Collected, Suite, is_fixture
from assay.scanner.suite.expectations import expectations, stated, statuses
from assay.scanner.suite.frames import Frame, Framed
from assay.scanner.suite.mounted import Mounts
from assay.scanner.suite.texts import Text, Texts

_MOST_ROWS = 60
"""Rows of a parametrised test, and turns of a loop, that are looked at."""
_DEEPEST = 5
_MOST_CLASSES = 400
_PLAUSIBLE = re.compile(
    r".*(client|app|api|browser|webtest|http|session|conn|agent|server|user|anon|admin)\w*|"
    r"c\d?|ac|tc|cli|self|cls|super"
)
_OPTIONS = frozenset({"method", "json", "headers", "follow_redirects", "content_type", "query_string", "params"})
"""Keywords that methods of clients take."""
_ROWS = frozenset({"parametrize", "expand", "parameterized", "data"})


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One request of one test. `statuses` are those that the test expects, as far as they can be told; `top` is the
    place in the test from which it is sent, None where what runs around the test sends it.
    """

    method: str
    path: Text
    statuses: frozenset[int]
    call: form.Call
    scope: Scope
    top: form.Call | None


class Requests:
    """Finds the requests of tests. Only functions that may lead to one are looked into."""

    def __init__(self, suite: Suite, texts: Texts) -> None:
        self.suite = suite
        self._texts = texts
        self._mounts = Mounts(suite)
        self._calls: dict[FunctionSymbol, list[tuple[form.Call, Scope]]] = {}
        self._expectations: dict[FunctionSymbol, dict[form.Call, list[form.Expr | int]]] = {}
        self._variants: dict[FunctionSymbol, list[tuple[set[str], ClassSymbol | None, list[Request]]]] = {}
        self._fixtures_of: dict[FunctionSymbol, list[FunctionSymbol]] = {}
        self._set_ups: dict[ClassSymbol, list[FunctionSymbol]] = {}
        self._active: list[tuple[FunctionSymbol, form.Call]] = []
        self._find_sending()

    def _find_sending(self) -> None:
        """Note the calls in each function of the tests that send a request, or run what may."""
        todo: set[str] = set()
        for module in self.suite.modules:
            for call, scope in module.calls_named(NAMES):
                if _is_plausible(call, scope):
                    self._note(call, scope, todo)
            for call, scope in module.calls:
                if _is_chosen(call, scope):
                    self._note(call, scope, todo)
        done: set[str] = set()
        while todo:
            done |= todo
            names, todo = todo, set()
            for module in self.suite.modules:
                for call, scope in module.calls_named(names):
                    self._note(call, scope, todo)
            todo -= done
        self._names = done
        self._sends_in_fixtures = any(is_fixture(f) for f in self._calls)

    def _note(self, call: form.Call, scope: Scope, names: set[str]) -> None:
        function = scope.enclosing_function
        if function is None:
            return
        calls = self._calls.setdefault(function, [])
        if all(call is not known for known, _ in calls):
            calls.append((call, scope))
        if not function.name.startswith("test") or function.outer.function is not None:
            names.add(function.name)

    def of(self, test: Collected) -> Iterator[Request]:
        """What the test sends, for each class and each row of its parameters."""
        for cls in test.classes[:_MOST_CLASSES] or (None,):
            for function in self._before(test, cls):
                yield from (replace(r, top=None) for r in self._of_function(function, cls))
            yield from self._of_function(test.function, cls)

    def _of_function(self, function: FunctionSymbol, cls: ClassSymbol | None) -> list[Request]:
        """What it sends in that class; classes that share all that this hangs on share the work."""
        if function not in self._calls:
            return []
        variants = self._variants.setdefault(function, [])
        known = next((sent for asked, of, sent in variants if self._is_alike(asked, of, cls)), None)
        if known is None:
            asked = self._texts.start(cls)
            known = [
                request
                for row in self._rows(function, cls)
                for request in self._sent(function, Frame(function.scope, cls, row), frozenset(), None)
            ]
            variants.append((asked, cls, known))
        return [replace(r, path=self._texts.specific(r.path, cls)) for r in known] if cls is not None else known

    def _is_alike(self, asked: set[str], one: ClassSymbol | None, other: ClassSymbol | None) -> bool:
        if one is None or other is None or one is other:
            return one is other
        return all(self._texts.meaning(one, name) == self._texts.meaning(other, name) for name in asked)

    # --- around the test ---

    def _before(self, test: Collected, cls: ClassSymbol | None) -> Iterator[FunctionSymbol]:
        """The fixtures and methods that run before the test and may send something."""
        if test.function not in self._fixtures_of:
            found = self._fixtures(test.function, set()) if self._sends_in_fixtures else ()
            self._fixtures_of[test.function] = [f for f in found if f in self._calls]
        yield from self._fixtures_of[test.function]
        if cls is not None:
            if cls not in self._set_ups:
                methods = (self.suite.project.method(cls, name) for name in SET_UP)
                self._set_ups[cls] = [m for m in methods if m is not None and m in self._calls]
            yield from self._set_ups[cls]

    def _fixtures(self, function: FunctionSymbol, seen: set[FunctionSymbol]) -> Iterator[FunctionSymbol]:
        """The fixtures that the function asks for, theirs included, and those that run in any case."""
        asked = [self.suite.fixture(p.name, function) for p in function.parameters]
        used = [*asked, *self.suite.automatic_fixtures(function), *self._used(function)]
        for fixture in used:
            if fixture is not None and fixture not in seen:
                seen.add(fixture)
                yield fixture
                yield from self._fixtures(fixture, seen)

    def _used(self, function: FunctionSymbol) -> Iterator[FunctionSymbol | None]:
        """`@pytest.mark.usefixtures("name")` on it or on its class."""
        owner = function.owner
        for decorator in (*function.decorators, *(owner.node.decorators if owner is not None else ())):
            if isinstance(decorator, form.Call) and last_name(decorator.func) == "usefixtures":
                for arg in decorator.args:
                    if isinstance(arg.value, form.Const) and isinstance(arg.value.value, str):
                        yield self.suite.fixture(arg.value.value, function)

    # --- rows ---

    def _rows(self, function: FunctionSymbol, cls: ClassSymbol | None) -> Iterator[dict[str, Framed]]:
        """The arguments that decorators give the test, combined."""
        owner = function.owner
        tables: list[list[dict[str, Framed]]] = []
        for decorator in (*function.decorators, *(owner.node.decorators if owner is not None else ())):
            if isinstance(decorator, form.Call) and last_name(decorator.func) in _ROWS:
                rows = list(islice(self._table(decorator, function, cls), _MOST_ROWS))
                if rows:
                    tables.append(rows)
        for chosen in islice(product(*tables), _MOST_ROWS):
            yield {name: value for row in chosen for name, value in row.items()}

    def _table(
        self, decorator: form.Call, function: FunctionSymbol, cls: ClassSymbol | None
    ) -> Iterator[dict[str, Framed]]:
        outer = Frame(function.outer, cls)
        if last_name(decorator.func) == "parametrize":
            names = self._row_names(decorator.argument(0, "argnames"))
            values = decorator.argument(1, "argvalues")
        else:  # `parameterized.expand([...])`
            names = [p.name for p in function.parameters]
            values = decorator.args[0].value if decorator.args else None
        if values is None or not names:
            return
        for item in self._texts.items(values, outer):
            node = item.node
            if isinstance(node, form.Call) and last_name(node.func) in ("param", "case"):
                parts = node.positional
            elif len(names) > 1 or (last_name(decorator.func) != "parametrize" and isinstance(node, form.Display)):
                parts = node.items if isinstance(node, form.Display) else []
            else:
                parts = [node]
            yield {name: Framed(part, item.frame) for name, part in zip(names, parts, strict=False)}

    def _row_names(self, node: form.Expr | None) -> list[str]:
        if isinstance(node, form.Const) and isinstance(node.value, str):
            return [name.strip() for name in node.value.split(",") if name.strip()]
        if isinstance(node, form.Display):
            return [i.value for i in node.items if isinstance(i, form.Const) and isinstance(i.value, str)]
        return []

    # --- in a function ---

    def _sent(
        self, function: FunctionSymbol, frame: Frame, above: frozenset[int], top: form.Call | None
    ) -> Iterator[Request]:
        if function not in self._expectations:
            self._expectations[function] = expectations(function)
        expected = self._expectations[function]
        for call, scope in self._calls.get(function, ()):
            for turn in self._turns(call, frame):
                inside = replace(turn, scope=scope) if scope is not turn.scope else turn
                own = statuses((*expected.get(call, ()), *stated(call)), inside, self._texts) | above
                yield from self._of_call(function, call, inside, own, top or call)

    def _of_call(
        self, function: FunctionSymbol, call: form.Call, frame: Frame, expected: frozenset[int], top: form.Call
    ) -> Iterator[Request]:
        if frame.depth < _DEEPEST and (function, call) not in self._active:
            name = last_name(call.func)
            target = self._texts.target(call, frame) if name in self._names else None
            if target is not None and target[0] in self._calls and not is_fixture(target[0]):
                self._active.append((function, call))
                yield from self._sent(target[0], target[1], expected, top)
                self._active.pop()
                return
        found = sent_by(call, frame, self._texts)
        if found is not None:
            prefix = self._mounts.prefix(call, frame.scope)
            for method, path in product(found.methods, found.paths):
                whole = (prefix, *path) if prefix and isinstance(path[0], str) else path
                yield Request(method, whole, expected, call, frame.scope, top)

    def _turns(self, call: form.Call, frame: Frame) -> Iterator[Frame]:
        """The run in each turn of the innermost loop whose names the call speaks of."""
        loops: dict[form.Expr, bool] = {}
        for node in form.walk(call):
            if isinstance(node, form.Name):
                for binding in frame.scope.lookup(node.id, node.start):
                    if binding.how is How.FOR and binding.value is not None and binding.offset <= node.start:
                        loops[binding.value] = binding.index is not None
        rows = [loop for loop, is_row in loops.items() if is_row]
        if len(rows) != 1:
            yield frame
            return
        items = self._texts.items(rows[0], frame)[:_MOST_ROWS]
        if not items:
            yield frame
        for item in items:
            yield replace(frame, turns={**frame.turns, rows[0]: item})


def _is_plausible(call: form.Call, scope: Scope) -> bool:
    """Whether it looks like a request at all: dictionaries have `get` too."""
    name = last_name(call.func)
    if name in SOCKETS:
        return True
    if not isinstance(call.func, form.Attr) or not call.args:
        return False
    receiver = call.func.value
    receiver_name = (last_name(receiver.func if isinstance(receiver, form.Call) else receiver) or "").lower()
    first = call.args[0].value
    if isinstance(first, form.Const):
        text = first.value if isinstance(first.value, str) else ""
        if name in VERBS and not text.startswith(("/", "http")):
            return isinstance(first.value, str) and "client" in receiver_name
        if name in ANY_VERB:
            return bool(text)
        return True
    if _is_declared_client(receiver, scope) or any(a.name in _OPTIONS for a in call.args):
        return True
    return _PLAUSIBLE.fullmatch(receiver_name) is not None or isinstance(first, form.Template | form.Binary | form.Call)


def _is_declared_client(receiver: form.Expr, scope: Scope) -> bool:
    """Whether an annotation says that it is a client."""
    if not isinstance(receiver, form.Name):
        return False
    annotations = (b.annotation for b in scope.lookup(receiver.id, receiver.start))
    return any(a is not None and "Client" in (last_name(a) or "") for a in annotations)


def _is_chosen(call: form.Call, scope: Scope) -> bool:
    """`getattr(client, method)(path)`, at once or by a name."""
    if isinstance(call.func, form.Call):
        return last_name(call.func.func) == "getattr" and bool(call.args)
    if not isinstance(call.func, form.Name) or not call.args:
        return False
    for binding in scope.bindings.get(call.func.id, ()):
        value = binding.value
        if binding.how is How.ASSIGN and value is not None:
            if isinstance(value, form.Call) and last_name(value.func) == "getattr":
                return True
            if (
                isinstance(value, form.Attr)
                and value.attr in VERBS
                and _PLAUSIBLE.fullmatch((last_name(value.value) or "").lower())
            ):
                return True
    return False
