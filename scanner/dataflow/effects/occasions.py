"""Which stretches of a function run only now and then: when something isn't there yet, or is out of date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.readers.python import form

_MISSING = "it is made when it isn't there yet"
_OUT_OF_DATE = "it renews what is out of date"
_NOT_FOUND = ("DoesNotExist", "NoResultFound", "NotFound", "NotFoundError", "Missing")
_OF_AGE = frozenset(
    {
        "expired",
        "expires",
        "expiry",
        "expire",
        "expiration",
        "stale",
        "outdated",
        "fresh",
        "ttl",
        "overdue",
        "timedelta",
    }
)
_COUNTING = frozenset({"exists", "aexists", "count", "acount", "all"})
_NARROWING = frozenset({"filter", "filter_by", "where", "get", "afilter", "exclude"})
_FAULTS = frozenset({"error", "errors", "err", "failure", "problem", "response", "resp", "redirect", "denied"})


@dataclass(frozen=True, slots=True)
class Occasion:
    """A stretch of text, and when it runs: `text` says so."""

    start: int
    end: int
    text: str

    def holds(self, node: form.Node) -> bool:
        return self.start <= node.start < self.end


def occasions(function: FunctionSymbol) -> tuple[Occasion, ...]:
    """The stretches of the function that don't run each time it is called."""
    return tuple(_in_block(function.node.body))


def _in_block(body: list[form.Stmt]) -> Iterator[Occasion]:
    for index, statement in enumerate(body):
        match statement:
            case form.If(test=test, body=inner, orelse=orelse):
                yield from _of_test(test, inner)
                yield from _of_found(test, inner, body[index + 1 :])
                path = _held(test)
                if orelse and path is not None and (_assigns(orelse, path) or _is_picked_or_made(path, inner, orelse)):
                    yield Occasion(orelse[0].start, orelse[-1].end, _MISSING)
                yield from _in_block(inner)
                yield from _in_block(orelse)
            case form.Assign(value=value) | form.Return(value=value) if value is not None:
                yield from _of_value(value)
            case form.Try(body=tried, handlers=handlers, orelse=orelse, final=final):
                yield from _of_attempt(tried, handlers)
                for inner in (tried, *(h.body for h in handlers), orelse, final):
                    yield from _in_block(inner)
            case form.With(body=inner):
                yield from _in_block(inner)
            case form.For(body=inner, orelse=orelse) | form.While(body=inner, orelse=orelse):
                yield from _in_block(inner)
                yield from _in_block(orelse)


def _of_test(test: form.Expr, body: list[form.Stmt]) -> Iterator[Occasion]:
    if not body:
        return
    start, end = body[0].start, body[-1].end
    if any(not _OF_AGE.isdisjoint(words(name)) for name in _names(test)):
        yield Occasion(start, end, _OUT_OF_DATE)
    lacking = set(_lacking(test))
    if (lacking and not _assigned(body).isdisjoint(lacking)) or _finds_nothing(test):
        yield Occasion(start, end, _MISSING)


def _of_found(test: form.Expr, body: list[form.Stmt], rest: list[form.Stmt]) -> Iterator[Occasion]:
    """`if found: return found`, and what is made behind it."""
    path = _held(test)
    if path is None or not body or not rest or not isinstance(body[-1], form.Return) or body[-1].value is None:
        return
    if not _FAULTS.isdisjoint(words(path)):
        return
    returned = [n for n in form.walk(body[-1].value) if isinstance(n, form.Name | form.Attr)]
    if any(form.dotted(node) == path for node in returned):
        yield Occasion(rest[0].start, rest[-1].end, _MISSING)


def _of_value(value: form.Expr) -> Iterator[Occasion]:
    """`find() or make()`, `found if found else make()`."""
    match value:
        case form.Boolean(op="or", values=[form.Call() | form.Name() | form.Attr() | form.Await(), *others]):
            yield Occasion(others[0].start, others[-1].end, _MISSING)
        case form.Conditional(test=test, body=body, orelse=orelse):
            path = _held(test)
            if path is not None and form.dotted(body) == path:
                yield Occasion(orelse.start, orelse.end, _MISSING)


def _of_attempt(tried: list[form.Stmt], handlers: list[form.Handler]) -> Iterator[Occasion]:
    """`try: row = read()`, `except DoesNotExist: row = make()`."""
    for handler in handlers:
        caught = _names(handler.type) if handler.type is not None else ()
        if handler.body and any(name.endswith(_NOT_FOUND) for name in caught):
            is_kept = any(_assigns(handler.body, path) for path in _assigned(tried))
            is_answer = isinstance(tried[-1], form.Return) and isinstance(handler.body[-1], form.Return)
            if is_kept or is_answer:
                yield Occasion(handler.body[0].start, handler.body[-1].end, _MISSING)


def _lacking(test: form.Expr) -> Iterator[str]:
    """What the test finds missing: `x` of `x is None`, `not x`."""
    match test:
        case form.Unary(op="not", operand=operand):
            path = _held(operand)
        case form.Compare(left=left, ops=["is" | "=="], rights=[form.Const(value=None | 0 | "")]):
            path = _subject(left)
        case form.Boolean(values=values):
            for value in values:
                yield from _lacking(value)
            return
        case _:
            return
    if path is not None:
        yield path


def _held(test: form.Expr) -> str | None:
    """What the test finds there: `x` of `x`, `x is not None`, `x.exists()`."""
    match test:
        case form.Compare(left=left, ops=["is not" | "!="], rights=[form.Const(value=None)]):
            return _subject(left)
        case form.Name() | form.Attr() | form.Call() | form.Await() | form.Walrus():
            return _subject(test)
    return None


def _subject(node: form.Expr) -> str | None:
    match node:
        case form.Await(value=inner):
            return _subject(inner)
        case form.Walrus(target=target):
            return form.dotted(target)
        case form.Name() | form.Attr():
            return form.dotted(node)
    return None


def _finds_nothing(test: form.Expr) -> bool:
    """`not hasattr(user, "profile")`, and tests of a whole table: `Category.query.count() == 0`."""
    match test:
        case form.Unary(op="not", operand=form.Call(func=form.Name(id="hasattr"))):
            return True
        case (
            form.Unary(op="not", operand=operand) | form.Compare(left=operand, ops=["=="], rights=[form.Const(value=0)])
        ):
            query = operand.value if isinstance(operand, form.Await) else operand
            names = {last_name(node.func) for node in form.walk(query) if isinstance(node, form.Call)}
            return not _COUNTING.isdisjoint(names) and _NARROWING.isdisjoint(names)
    return False


def _assigns(body: list[form.Stmt], path: str) -> bool:
    return path in _assigned(body)


def _is_picked_or_made(path: str, picking: list[form.Stmt], making: list[form.Stmt]) -> bool:
    """`if found: row = found[0]`, `else: row = make()`."""
    if not picking or not isinstance(picking[-1], form.Assign) or picking[-1].value is None:
        return False
    is_found = any(form.dotted(n) == path for n in form.walk(picking[-1].value) if isinstance(n, form.Name | form.Attr))
    return is_found and not _assigned(picking[-1:]).isdisjoint(_assigned(making))


def _assigned(body: list[form.Stmt]) -> set[str]:
    nodes = (n for n in form.walk_body(body, into_definitions=False) if isinstance(n, form.Assign))
    targets = [inner for n in nodes for t in n.targets for inner in (t.items if isinstance(t, form.Display) else [t])]
    return {path for target in targets if (path := form.dotted(target)) is not None}


def _names(test: form.Expr) -> Iterator[str]:
    for node in form.walk(test):
        name = last_name(node) if isinstance(node, form.Name | form.Attr) else None
        if name is not None:
            yield name
