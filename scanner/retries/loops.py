"""Loops that try again by hand: they catch a failure and go on, and leave when there was none.

A loop that nothing but a switch ends listens or polls: it isn't a retry. Neither is one that goes through pages, hosts
or rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from assay.scanner.dataflow.constants import int_value
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import How, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.retry import Ending, Pause
from assay.scanner.readers.python import form
from assay.scanner.retries.found import Found, Stop, Wait
from assay.scanner.retries.mild import mildly_handled
from assay.scanner.retries.ways_out import goes_on, succeeds, tests_of_exits

AGAIN = frozenset(
    {"retry", "retries", "retrying", "retried", "attempt", "attempts", "try", "tries", "trial", "again", "backoff"}
)
"""Words of code that tries again."""
SLEEPING = frozenset({"sleep", "wait", "pause"})
_CLOCKS = frozenset({"time", "monotonic", "perf_counter", "now", "utcnow"})
_PROMPTS = frozenset({"input", "prompt", "confirm", "getpass"})
_PICKING = frozenset({"choice", "next", "pop", "popleft", "pick", "rotate"})
_HOSTS = frozenset(
    """proxy proxies host hosts server servers node nodes peer peers mirror mirrors instance instances replica replicas
    endpoint endpoints address addresses key keys""".split()
)
_TIMERS = frozenset({"timeout", "timeout_at", "fail_after", "move_on_after"})


class Loop:
    """One loop with a `try` in it, as a retry."""

    def __init__(self, node: form.For | form.While, scope: Scope, project: Project) -> None:
        self.node = node
        self.scope = scope
        self.project = project
        under_with = [inner for s in node.body if isinstance(s, form.With) for inner in s.body]
        self.tried = next(s for s in (*node.body, *under_with) if isinstance(s, form.Try))
        self.inside = tuple(form.walk_body(node.body, into_definitions=False))

    @cached_property
    def repeating(self) -> list[form.Handler]:
        """Handlers after which the loop goes on."""
        return [h for h in self.tried.handlers if goes_on(h.body)]

    @property
    def is_retry(self) -> bool:
        return bool(self.repeating) and self._is_counted and self._leaves and not self._goes_through

    def found(self) -> Found:
        """The policy that the loop is."""
        mild = mildly_handled(self.repeating, self.scope, self.project)
        return Found("loop", self.node, self.scope, self._stop(), self._wait(), self.scope.enclosing_function, mild)

    # --- is it a retry? ---

    @property
    def _is_counted(self) -> bool:
        """It runs a number of times, or for ever, or over delays: not over data."""
        if isinstance(self.node, form.While):
            return True
        called = self.node.iter.func if isinstance(self.node.iter, form.Call) else None
        if last_name(called) in ("range", "count") if called is not None else False:
            return True
        return any(_mentions(argument, self._loop_names) for argument in self._sleeps)

    @property
    def _leaves(self) -> bool:
        """It ends when the attempt has succeeded."""
        after = [s for s in self.node.body if s.start >= self.tried.end]
        success = [*self.tried.body, *self.tried.orelse, *after]
        if any(isinstance(node, form.Yield) or _asks_somebody(node) for node in self.inside):
            return False  # it hands on what it hears of, or a person decides
        if any(succeeds(statement) for statement in success):
            return True
        asked = _names(self.node.test) if isinstance(self.node, form.While) else set()
        targets = {name for s in success for name in _assigned(form.walk(s, into_definitions=False))}
        return bool((asked - self._counters) & targets)

    @property
    def _goes_through(self) -> bool:
        """Each time it asks for something else: its counter is a page, a port, a part of a name."""
        counters = {name for name in self._counters if not AGAIN & set(words(name))} | self._picked
        if not counters:
            return False
        derived = {
            last_name(target) or ""
            for node in self.inside
            if isinstance(node, form.Assign) and node.value is not None and _mentions(node.value, counters)
            for target in node.targets
        } - self._counters
        slept = {name for argument in self._sleeps for name in _names(argument)}
        asked = (counters | derived) - slept
        return any(
            _mentions(argument.value, asked)
            for node in form.walk_body(self.tried.body, into_definitions=False)
            if isinstance(node, form.Call) and not _is_log(node)
            for argument in node.args
        )

    @property
    def _picked(self) -> set[str]:
        """Another host or proxy each time: `proxy = random.choice(proxies)`."""
        return {
            last_name(target) or ""
            for node in self.inside
            if isinstance(node, form.Assign) and isinstance(node.value, form.Call)
            if last_name(node.value.func) in _PICKING
            for target in node.targets
            if any(not _HOSTS.isdisjoint(words(name)) for name in _names(target) | _names(node.value))
        }

    # --- when does it end? ---

    def _stop(self) -> Stop:
        evidence = self.scope.module.evidence
        if isinstance(self.node, form.For):
            count = self._count(self.node.iter)
            if count is None or count.ending is not Ending.ENDLESS:
                return count or Stop(Ending.BOUNDED, None, evidence(self.node.iter, "it ends here"))
        elif _mentions(self.node.test, self._counters) or _asks_clock(self.node.test):
            return Stop(Ending.BOUNDED, self._most(self.node.test), evidence(self.node.test, "it ends here"))
        timer = self._timer()
        if timer is not None:
            return Stop(Ending.BOUNDED, None, timer)
        before_and_after = [n for n in self.node.body if n.end <= self.tried.start or n.start >= self.tried.end]
        of_failures = [test for h in self.repeating for test in tests_of_exits(h.body)]
        for test in (*of_failures, *tests_of_exits(before_and_after)):
            if _mentions(test, self._counters) or _asks_clock(test):
                return Stop(Ending.BOUNDED, self._most(test), evidence(test, "it ends here"))
        unsure = next((test for test in of_failures if not _roots(test) <= self._caught), None)
        if unsure is not None:
            return Stop(Ending.UNKNOWN, None, evidence(unsure, "it may end here"))
        helper = next(filter(self._may_raise, self._called_after_failures), None)
        if helper is not None:
            return Stop(Ending.UNKNOWN, None, evidence(helper, "it may end here"))
        told = next((argument for argument in self._sleeps if _roots(argument) & self._caught_names), None)
        if told is not None:
            return Stop(Ending.UNKNOWN, None, evidence(told, "it waits as long as it is told"))
        return Stop(Ending.ENDLESS)

    def _count(self, node: form.Expr) -> Stop | None:
        """Of `range(3)`; `itertools.count()` has no end."""
        if not isinstance(node, form.Call):
            return None
        if last_name(node.func) == "count":
            return Stop(Ending.ENDLESS)
        numbers = [int_value(part, self.scope, self.project) for part in node.positional]
        known = [n for n in numbers if n is not None]
        count = len(range(*known)) if len(known) == len(numbers) and 0 < len(known) < 4 and known[2:] != [0] else None
        return Stop(Ending.BOUNDED, count, self.scope.module.evidence(node, "it ends here"))

    def _most(self, test: form.Expr) -> int | None:
        """What the counter is compared with, or what it is counted down from."""
        for node in form.walk(test):
            if isinstance(node, form.Compare) and len(node.rights) == 1:
                sides = [int_value(side, self.scope, self.project) for side in (node.left, node.rights[0])]
                stated = [n for n in sides if n is not None and n > 1]
                if stated:
                    return max(stated)
        start = [
            int_value(b.value, self.scope, self.project)
            for name in self._counters & _names(test)
            for b in self.scope.lookup(name)
            if b.how is How.ASSIGN and b.value is not None and b.offset < self.node.start
        ]
        return start[0] if len(start) == 1 and start[0] is not None and start[0] > 0 else None

    def _timer(self) -> Evidence | None:
        """`async with asyncio.timeout(30):` around it."""
        function = self.scope.enclosing_function
        for node in function.nodes if function is not None else ():
            if isinstance(node, form.With) and node.start < self.node.start < node.end:
                for item in node.items:
                    if isinstance(item.value, form.Call) and last_name(item.value.func) in _TIMERS:
                        return self.scope.module.evidence(item.value, "it ends here")
        return None

    @property
    def _called_after_failures(self) -> Iterator[form.Call]:
        for handler in self.repeating:
            nodes = form.walk_body(handler.body, into_definitions=False)
            yield from (n for n in nodes if isinstance(n, form.Call) and not _is_log(n))

    def _may_raise(self, call: form.Call) -> bool:
        """Whether it is a helper that may give up: one that itself raises."""
        callee = self.project.callee_function(call, self.scope)
        return callee is not None and any(isinstance(node, form.Raise) for node in callee.nodes)

    # --- how long does it wait? ---

    def _wait(self) -> Wait:
        waits = [self._pause(argument) for argument in self._sleeps]
        if not waits:
            called = self._sleeping_callee()
            return Wait(Pause.FIXED, called) if called is not None else Wait(Pause.NONE)
        order = (Pause.GROWING, Pause.FIXED, Pause.NONE)
        return min(waits, key=lambda w: order.index(w.pause))

    @cached_property
    def _sleeps(self) -> list[form.Expr]:
        """How long it sleeps, wherever it does."""
        calls = [n for n in self.inside if isinstance(n, form.Call) and n.args]
        return [c.args[0].value for c in calls if SLEEPING & set(words(last_name(c.func) or ""))]

    def _pause(self, argument: form.Expr) -> Wait:
        shown = self.scope.module.evidence(argument, "it waits")
        if int_value(argument, self.scope, self.project) == 0:
            return Wait(Pause.NONE, shown)
        parts = list(form.walk(argument))
        called = {w for n in parts if isinstance(n, form.Call) for w in words(last_name(n.func) or "")}
        grows = (
            _mentions(argument, self._changing)
            or bool(called)
            or any(isinstance(n, form.Binary) and n.op in ("**", "<<") for n in parts)
        )
        return Wait(Pause.GROWING if grows else Pause.FIXED, shown)

    def _sleeping_callee(self) -> Evidence | None:
        """A function of the project that waits, called after the failure."""
        bodies = [h.body for h in self.repeating] + [[s for s in self.node.body if s.start >= self.tried.end]]
        for body in bodies:
            for node in form.walk_body(body, into_definitions=False):
                callee = self.project.callee_function(node, self.scope) if isinstance(node, form.Call) else None
                for inner in callee.nodes if callee is not None else ():
                    if isinstance(inner, form.Call) and last_name(inner.func) == "sleep":
                        return self.scope.module.evidence(node, "it waits")
        return None

    # --- names ---

    @cached_property
    def _loop_names(self) -> set[str]:
        return _names(self.node.target) if isinstance(self.node, form.For) else set()

    @cached_property
    def _changing(self) -> set[str]:
        """Names that have another value each time."""
        return self._loop_names | set(_assigned(self.inside))

    @cached_property
    def _counters(self) -> set[str]:
        """Names that are counted up or down."""
        counted = {last_name(n.target) or "" for n in self.inside if isinstance(n, form.AugAssign)}
        for node in self.inside:
            if isinstance(node, form.Assign) and node.value is not None:
                for target in node.targets:
                    name = last_name(target)
                    if name is not None and any(
                        isinstance(n, form.Binary) and n.op in ("+", "-") and _mentions(n, {name})
                        for n in form.walk(node.value)
                    ):
                        counted.add(name)
        return self._loop_names | counted

    @property
    def _caught_names(self) -> set[str]:
        return {h.name for h in self.tried.handlers if h.name is not None}

    @cached_property
    def _caught(self) -> set[str]:
        """The names of what is caught, and of types it may be."""
        types = {n for h in self.tried.handlers if h.type is not None for n in _names(h.type)}
        return self._caught_names | types | {"isinstance", "getattr", "hasattr", "str"}


def _assigned(nodes: Iterable[form.Expr | form.Stmt]) -> Iterator[str]:
    for node in nodes:
        targets = node.targets if isinstance(node, form.Assign) else []
        targets = [node.target] if isinstance(node, form.AugAssign) else targets
        yield from (name for target in targets for name in _names(target))


def _names(node: form.Expr) -> set[str]:
    return {last_name(n) or "" for n in form.walk(node) if isinstance(n, form.Name | form.Attr)}


def _roots(node: form.Expr) -> set[str]:
    return {n.id for n in form.walk(node) if isinstance(n, form.Name)}


def _mentions(node: form.Expr, names: set[str]) -> bool:
    return bool(names) and any(isinstance(n, form.Name | form.Attr) and last_name(n) in names for n in form.walk(node))


def _asks_clock(test: form.Expr) -> bool:
    return any(isinstance(n, form.Call) and last_name(n.func) in _CLOCKS for n in form.walk(test))


def _asks_somebody(node: form.Node) -> bool:
    return isinstance(node, form.Call) and not _PROMPTS.isdisjoint(words(last_name(node.func) or ""))


def _is_log(call: form.Call) -> bool:
    owner = call.func.value if isinstance(call.func, form.Attr) else None
    return owner is not None and "log" in (last_name(owner) or "").lower()
