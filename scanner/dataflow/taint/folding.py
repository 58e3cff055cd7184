"""Constant folding: what operators and functions give for known operands, as Python would work it out."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, cast

from assay.scanner.dataflow.taint.values import Const, Key, Tree, Value

_LONGEST = 10_000
"""Characters or digits beyond which a result is no longer worked out."""

_BINARY: dict[str, Callable[[Any, Any], object]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "&": operator.and_, "|": operator.or_, "^": operator.xor,
    "<<": operator.lshift, ">>": operator.rshift,
}  # fmt: skip
_COMPARE: dict[str, Callable[[Any, Any], object]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "is": operator.eq, "is not": operator.ne,
}  # fmt: skip
_TEXT_METHODS = frozenset(
    {
        "capitalize", "casefold", "center", "count", "endswith", "expandtabs", "find", "format", "index", "isalnum",
        "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isspace", "istitle",
        "isupper", "join", "ljust", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind",
        "rindex", "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase",
        "title", "upper", "zfill",
    }
)  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., object]] = {
    "builtins.abs": abs, "builtins.bool": bool, "builtins.chr": chr, "builtins.float": float, "builtins.int": int,
    "builtins.len": len, "builtins.max": max, "builtins.min": min, "builtins.ord": ord, "builtins.repr": repr,
    "builtins.round": round, "builtins.str": str, "builtins.sum": sum, "builtins.divmod": divmod,
}  # fmt: skip
_FAILS = (ArithmeticError, AttributeError, IndexError, KeyError, LookupError, TypeError, ValueError)
"""What the folded code would raise: there is no result then."""


def binary(op: str, left: Key, right: Key) -> Const | None:
    """`left op right`; None where it fails, or grows too large to be worth it."""
    if op not in _BINARY or _is_large(op, left, right):
        return None
    try:
        return _const(_BINARY[op](left, right))
    except _FAILS:
        return None


def _is_large(op: str, left: Key, right: Key) -> bool:
    sizes = [len(v) if isinstance(v, str) else abs(v) if isinstance(v, int) else 0 for v in (left, right)]
    if op == "*":
        return isinstance(left, str) + isinstance(right, str) > 0 and sizes[0] * sizes[1] > _LONGEST
    if op in ("**", "<<"):
        return sizes[1] > 64 or sizes[0] > 10**6
    return sum(sizes) > _LONGEST if isinstance(left, str) else max(sizes) > 10**30


def compare(op: str, left: Key, right: Key) -> bool | None:
    """`left op right`; None where it fails or isn't known."""
    try:
        if op == "in" or op == "not in":
            found = isinstance(left, str) and isinstance(right, str) and left in right
            return found is (op == "in") if isinstance(right, str) else None
        return bool(_COMPARE[op](left, right)) if op in _COMPARE else None
    except _FAILS:
        return None


def method(text: str, name: str, args: Sequence[Key]) -> Value | None:
    """`text.name(*args)`; None where it fails or isn't worked out."""
    if name not in _TEXT_METHODS or any(isinstance(a, int) and abs(a) > _LONGEST for a in args):
        return None
    try:
        return of_python(getattr(text, name)(*args))
    except _FAILS:
        return None


def function(name: str, args: Sequence[Key]) -> Value | None:
    """`name(*args)` of a builtin; None where it fails or isn't worked out."""
    if name not in _FUNCTIONS:
        return None
    try:
        return of_python(_FUNCTIONS[name](*args))
    except _FAILS:
        return None


def sliced(text: str, lower: Key, upper: Key, step: Key) -> Value | None:
    """`text[lower:upper:step]`."""
    try:
        return _const(text[cast(int, lower) : cast(int, upper) : cast(int, step)])
    except _FAILS:
        return None


def of_python(value: object) -> Value | None:
    """A Python value as an abstract one."""
    if isinstance(value, list | tuple):
        items = [of_python(v) for v in value[:_LONGEST]]
        known = [(index, item) for index, item in enumerate(items) if item is not None]
        return Tree(type(value).__name__, tuple(known)) if len(known) == len(items) else None
    return _const(value)


def _const(value: object) -> Const | None:
    if isinstance(value, str) and len(value) > _LONGEST:
        return None
    return Const(value) if value is None or isinstance(value, str | int | float | bool) else None
