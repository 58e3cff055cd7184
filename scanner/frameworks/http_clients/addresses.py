"""Addresses: what is known of the URL that a request goes to, with `{}` for the computed parts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import takewhile
from urllib.parse import urljoin

from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.reaching import State
from assay.scanner.dataflow.strings import Source, TextReader
from assay.scanner.dataflow.text import TextHole
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.readers.python import form

_COMPUTED = "{}"
_JOINS = frozenset({"urllib.parse.urljoin", "requests.compat.urljoin", "urljoin", "posixpath.join", "os.path.join"})
_WRAPPERS = frozenset({"URL", "Url", "furl", "str", "HttpUrl", "AnyHttpUrl"})
_REPEATED = re.compile(r"(?:\{\}){2,}")
_DEEPEST = 4


class _NoSources:
    """Nothing is told of where a value begins: all that matters here is what it is."""

    def of_parameter(self, function: FunctionSymbol, param: form.Param) -> Source | None:  # noqa: ARG002
        return None

    def of_expression(self, node: form.Expr, state: State) -> Source | None:  # noqa: ARG002
        return None


class Addresses:
    """Reads the addresses in one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._reader = TextReader(project, _NoSources())

    def at(self, node: form.Expr, call: form.Call, scope: Scope) -> str | None:
        """The address that the expression is when the call is made; None where all of it is computed."""
        found = self._pattern(node, self._reader.state_at(call, scope), _DEEPEST)
        return found if found.replace(_COMPUTED, "") else None

    def of(self, node: form.Expr, scope: Scope) -> str | None:
        """The address that the expression is wherever it stands."""
        found = self._pattern(node, self._reader.flow(scope).end, _DEEPEST)
        return found if found.replace(_COMPUTED, "") else None

    def _pattern(self, node: form.Expr, state: State, depth: int) -> str:
        texts = {
            "".join(piece if isinstance(piece, str) else self._filled(piece, depth) for piece in text.pieces)
            for text in self._reader.texts(node, state)
        }
        return _REPEATED.sub(_COMPUTED, _common(sorted(texts)))

    def _filled(self, hole: TextHole, depth: int) -> str:
        """A hole by its default, or by what the library call in it joins."""
        node, scope = hole.node, hole.scope
        if isinstance(node, form.Call) and node.args and depth:
            callee = self._project.callee_name(node, scope) or form.dotted(node.func) or ""
            state = self._reader.state_at(node, scope)
            if callee in _JOINS:
                parts = [self._pattern(argument, state, depth - 1) for argument in node.positional]
                return _joined(parts, last_part(callee))
            if last_part(callee) in _WRAPPERS:
                return self._pattern(node.args[0].value, state, depth - 1)
        if isinstance(node, form.Binary) and node.op == "/" and depth:
            state = State(scope, {})
            sides = [self._pattern(side, state, depth - 1) for side in (node.left, node.right)]
            return _joined(sides, "join") if "/" in sides[0] else _COMPUTED
        known = string_value(node, scope, self._project)
        return known if known is not None else _COMPUTED


def _joined(parts: Iterable[str], how: str) -> str:
    """The parts as `urljoin` joins them, or as a path's."""
    base, *rest = parts
    for part in rest:
        if how == "urljoin" and not base.startswith(_COMPUTED) and not part.startswith(_COMPUTED):
            base = urljoin(base, part)
        else:
            base = f"{base.rstrip('/')}/{part.lstrip('/')}"
    return base


def below(base: str, url: str | None) -> str | None:
    """An address relative to a client's own one."""
    if url is None:
        return f"{base.rstrip('/')}/{_COMPUTED}"
    return url if "://" in url else f"{base.rstrip('/')}/{url.lstrip('/')}" if url.strip("/") else base


def _common(texts: list[str]) -> str:
    """What several addresses have in common, up to the end of a part of the path."""
    if len(texts) == 1:
        return texts[0]
    pairs = zip(texts[0], texts[-1], strict=False)  # of sorted texts, the first and the last differ most
    same = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return same[: same.rfind("/") + 1] + _COMPUTED
