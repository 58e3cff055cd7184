"""Which statuses a test expects of a response: what it compares with, and what it hands to asserting helpers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus

from assay.scanner.linker.project import last_name, literal_item
from assay.scanner.linker.scopes import FunctionSymbol, How
from assay.scanner.readers.python import form
from assay.scanner.suite.frames import Frame
from assay.scanner.suite.texts import Texts

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_STATUS = frozenset({"status_code", "status", "status_int", "code"})
_NUMBER = re.compile(r"(?:HTTP|assert|expect)?_?(?:HTTP_?|status_?)?([1-5]\d\d)(?:_\w+)?", re.IGNORECASE)
_BY_NAME = {**{s.name: s.value for s in HTTPStatus}, **{s.name.lower(): s.value for s in HTTPStatus}}
_SAYING = {
    "assertRedirects": 302, "assert_redirects": 302, "assertRedirect": 302, "assertRedirectsToLogin": 302,
    "assertLoginRequired": 302, "assert_login_required": 302, "assertForbidden": 403, "assert_forbidden": 403,
    "assertUnauthorized": 401, "assert_unauthorized": 401, "assertNotFound": 404, "assert_not_found": 404,
    "assert_no_permission": 403, "assertNoPermission": 403, "assert_permission_denied": 403,
    "assertPermissionDenied": 403, "assertBadRequest": 400, "assert_bad_request": 400,
}  # fmt: skip
_REFUSING = re.compile(r".*(Forbidden|Unauthori[sz]ed|PermissionDenied|NotAuthenticated|AccessDenied|NotAuthorized)\w*")
_RAISING = frozenset({"raises", "assertRaises", "assertRaisesRegex", "assertRaisesMessage"})
_EXPECTED = re.compile(r".*status.*|expected\w*|code")
"""Keywords by which helpers take the status that a response should have."""


def expectations(function: FunctionSymbol) -> dict[form.Call, list[form.Expr | int]]:
    """What is expected of each call's response, as expressions for statuses or as numbers."""
    found: dict[form.Call, list[form.Expr | int]] = {}
    for node in function.nodes:
        for response, expected in _in(node):
            for call in _origins(response, function):
                found.setdefault(call, []).append(expected)
        if isinstance(node, form.With):
            for call, status in _raising(node):
                found.setdefault(call, []).append(status)
    return found


def statuses(expected: Iterable[form.Expr | int], frame: Frame, texts: Texts) -> frozenset[int]:
    """The numbers that expressions for statuses come to."""
    return frozenset(n for e in expected for n in ([e] if isinstance(e, int) else _numbers(e, frame, texts)))


def stated(call: form.Call) -> list[form.Expr | int]:
    """The status that the call itself is told to expect: `client.get(url, status=403)`."""
    return [a.value for a in call.args if a.name is not None and a.star == 0 and _EXPECTED.fullmatch(a.name)]


def _in(node: form.Expr | form.Stmt) -> Iterator[tuple[form.Expr, form.Expr | int]]:
    """The responses that a node speaks of, and what it expects of them."""
    match node:
        case form.Compare(left=left, ops=ops, rights=rights):
            for op, one, two in zip(ops, [left, *rights], rights, strict=False):
                for side, other in ((one, two), (two, one)) if op in ("==", "in", "is") else ():
                    if isinstance(side, form.Attr) and side.attr in _STATUS:
                        yield side.value, other
        case form.Call(func=func, args=args) if args:
            name = last_name(func) or ""
            values = [a.value for a in args]
            for value in values:
                if isinstance(value, form.Attr) and value.attr in _STATUS:
                    yield from ((value.value, other) for other in values if other is not value)
            if not re.match(r"_?(assert|check|expect|verify|ensure|is_|should)", name) and "status" not in name.lower():
                return
            yield from ((v, e) for v in values for e in _said(name, values) if isinstance(v, form.Name | form.Call))


def _said(name: str, values: list[form.Expr]) -> Iterator[form.Expr | int]:
    """What a helper that is given a response asserts of it, by its name and its other arguments."""
    if name in _SAYING:
        yield _SAYING[name]
    elif (number := _NUMBER.fullmatch(name)) is not None:
        yield int(number[1])
    yield from (v for v in values if isinstance(v, form.Const | form.Attr | form.Name))


def _raising(node: form.With) -> Iterator[tuple[form.Call, int]]:
    """Requests in `with pytest.raises(Forbidden)`."""
    for item in node.items:
        call = item.value
        if not isinstance(call, form.Call) or last_name(call.func) not in _RAISING or not call.args:
            continue
        name = last_name(call.args[0].value) or ""
        if _REFUSING.fullmatch(name):
            yield from ((inner, 403) for inner in form.walk_body(node.body) if isinstance(inner, form.Call))


def _origins(node: form.Expr, function: FunctionSymbol) -> Iterator[form.Call]:
    """The calls that gave the response."""
    if isinstance(node, form.Await):
        yield from _origins(node.value, function)
    elif isinstance(node, form.Call):
        yield node
    elif isinstance(node, form.Name):
        bindings = function.scope.bindings.get(node.id, ())
        made = [b for b in bindings if b.how in (How.ASSIGN, How.WITH) and b.value is not None]
        before = [b for b in made if b.value is not None and b.value.end <= node.start]
        if before and before[-1].value is not None:
            yield from _origins(before[-1].value, function)


def _numbers(node: form.Expr, frame: Frame, texts: Texts, depth: int = 6) -> Iterator[int]:
    if not depth:
        return
    match node:
        case form.Const(value=int() as number) if not isinstance(number, bool):
            yield number
        case form.Display(items=items):
            for item in items:
                yield from _numbers(item, frame, texts, depth - 1)
        case form.Attr(attr="value", value=inner):
            yield from _numbers(inner, frame, texts, depth - 1)
        case form.Attr(attr=attr) if (named := _named(attr)) is not None:
            yield named
        case form.Subscript(value=base, index=form.Const(value=key)):
            for value in texts.values(base, frame):
                chosen = literal_item(value.node, key)
                if chosen is not None:
                    yield from _numbers(chosen, value.frame, texts, depth - 1)
        case form.Name() | form.Attr():
            for value in texts.values(node, frame):
                yield from _numbers(value.node, value.frame, texts, depth - 1)


def _named(attr: str) -> int | None:
    """`HTTP_403_FORBIDDEN`, `FORBIDDEN`."""
    number = _NUMBER.fullmatch(attr)
    return int(number[1]) if number is not None else _BY_NAME.get(attr)
