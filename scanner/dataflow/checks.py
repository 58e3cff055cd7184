"""What a test proves about the value it looks at: one of a fixed set, of a type, of a harmless pattern."""

from __future__ import annotations

import re
from typing import Protocol

from assay.scanner.dataflow.reaching import path_of
from assay.scanner.model.origin import Origin
from assay.scanner.readers.python import form

_WORD_TESTS = frozenset({"isdigit", "isdecimal", "isnumeric", "isalnum", "isalpha", "isidentifier"})
_RANGE = re.compile(r"(.)-(.)")
_HARMLESS = re.compile(r"[\w.+*?{},|()\[\]^$:@/=<>P-]*", re.ASCII)


class Facts(Protocol):
    """What has to be known about the other side of a test."""

    def is_fixed(self, node: form.Expr) -> bool:
        """Whether the expression is a constant or a collection of constants."""
        ...

    def pattern_of(self, node: form.Expr) -> str | None:
        """The regular expression that a constant or a compiled pattern holds."""
        ...


def settled_by(test: form.Expr, truth: bool, value: form.Expr, facts: Facts) -> Origin | None:
    """The origin that a value may be said to have where `test` turned out as `truth`; None where it proves nothing."""
    match test:
        case form.Unary(op="not", operand=operand):
            return settled_by(operand, not truth, value, facts)
        case form.Boolean(op=op, values=values):
            if (op == "and") is not truth:
                return None
            return next((o for v in values if (o := settled_by(v, truth, value, facts)) is not None), None)
        case form.Compare(left=left, ops=[op], rights=[right]):
            return _compared(left, op, right, truth, value, facts)
        case form.Call() if truth:
            return _matched(test, value, facts)
        case form.Walrus(value=inner):
            return settled_by(inner, truth, value, facts)
    return None


def _compared(
    left: form.Expr,
    op: str,
    right: form.Expr,
    truth: bool,
    value: form.Expr,
    facts: Facts,
) -> Origin | None:
    holds = truth if op in ("in", "==", "is") else not truth
    if op in ("is", "is not", "==", "!=") and isinstance(right, form.Const) and right.value is None:
        # `re.fullmatch(...) is None` turned out false: it matched.
        return _matched(left, value, facts) if isinstance(left, form.Call) and not holds else None
    if not holds or not _same(left, value):
        return None
    if op in ("in", "not in") and not _is_text(right) and facts.is_fixed(right):
        return Origin.CONSTANT_SET
    if op in ("==", "!=") and facts.is_fixed(right):
        return Origin.CONSTANT_SET
    return None


def _same(node: form.Expr, value: form.Expr) -> bool:
    if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr in ("lower", "upper"):
        # `x.upper() in {"ASC", "DESC"}` leaves x only its case.
        return _same(node.func.value, value)
    return path_of(node) is not None and path_of(node) == path_of(value)


def _is_text(node: form.Expr) -> bool:
    return isinstance(node, form.Const | form.Template)


def _matched(test: form.Expr, value: form.Expr, facts: Facts) -> Origin | None:
    if not isinstance(test, form.Call):
        return None
    name = test.func.attr if isinstance(test.func, form.Attr) else getattr(test.func, "id", "")
    if name in _WORD_TESTS and isinstance(test.func, form.Attr) and _same(test.func.value, value):
        return Origin.PATTERN
    if name == "isinstance" and len(test.args) == 2 and _same(test.args[0].value, value):
        kinds = test.args[1].value
        kinds_named = kinds.items if isinstance(kinds, form.Display) else [kinds]
        typed = all(
            form.dotted(k) in ("int", "float", "bool", "UUID", "uuid.UUID", "date", "datetime") for k in kinds_named
        )
        return Origin.TYPED if typed else None
    if name not in ("fullmatch", "match") or not isinstance(test.func, form.Attr):
        return None
    arguments = [a.value for a in test.args]
    # `re.fullmatch(pattern, x)`, or `PATTERN.fullmatch(x)` of a compiled one.
    pattern, subject = (test.func.value, arguments[0]) if len(arguments) == 1 else (arguments[0], arguments[1])
    text = facts.pattern_of(pattern) if _same(subject, value) else None
    return Origin.PATTERN if text and lets_no_metacharacter_through(text, whole=name == "fullmatch") else None


def lets_no_metacharacter_through(pattern: str, *, whole: bool) -> bool:
    """Whether an anchored pattern matches only letters, digits and a few harmless marks.

    A pattern that isn't plainly so counts as letting them through.
    """
    body = pattern.removeprefix("^").removeprefix(r"\A")
    anchored = body.endswith(("$", r"\Z"))
    if not whole and not anchored:
        return False
    body = body.removesuffix("$").removesuffix(r"\Z")
    body = re.sub(r"\\[wd]", "a", body)
    body = re.sub(r"\\([-._:@/])", "_", body)
    outside = re.sub(r"\[[^\]]*\]", "a", body)
    classes = re.findall(r"\[([^\]]*)\]", body)
    plain_ranges = all(a.isalnum() and b.isalnum() for c in classes for a, b in _RANGE.findall(c))
    return (
        "\\" not in body
        and "." not in outside
        and not any(c.startswith("^") for c in classes)
        and plain_ranges
        and _HARMLESS.fullmatch(body) is not None
    )
