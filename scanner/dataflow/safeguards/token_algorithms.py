"""By which algorithms a token may be signed that a call verifies, and who says so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.meanings import Stand
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.constants import definitions, list_items
from assay.scanner.dataflow.keys.places import node_at, scope_at
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.safeguards.options import CallOptions
from assay.scanner.libraries import Option, TokenCall
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.token import Algorithms
from assay.scanner.readers.python import form

_SHARED = ("HS",)
_PAIRS = ("RS", "ES", "PS", "Ed")
"""How algorithms begin that sign with a shared key, and those that sign with a pair of keys (RFC 7518 §3.1)."""
_HEADERS = frozenset({"get_unverified_header", "get_unverified_headers", "get_unverified_jwt_headers"})
_CONFIGURATION = frozenset({"settings", "config", "conf", "configuration", "environ", "env", "getenv", "options"})
_KEYS = frozenset({"key", "jwk", "keys", "jwks"})
_CHOOSERS = ("JsonWebToken", "JWT", "jwt")
"""Classes whose objects are told the algorithms once."""
_ALGORITHM = re.compile(r"(HS|RS|ES|PS)(256|384|512)")
_ALL_KNOWN = "get_default_algorithms"
_DEEPEST = 3


class TokenAlgorithms:
    """Answers for the calls of one project."""

    def __init__(self, project: Project, production: Production, options: CallOptions) -> None:
        self._project = project
        self._production = production
        self._options = options

    def of(self, call: form.Call, scope: Scope, model: TokenCall) -> tuple[Algorithms, list[Evidence]]:
        """What says it, and where."""
        if model.algorithms is None:
            return Algorithms.FIXED, []
        told = self._told(call, scope, model.algorithms)
        if told is None:
            if call.has_double_star:
                return Algorithms.UNKNOWN, [scope.module.evidence(call, "the algorithms may be among these arguments")]
            kind = Algorithms.ANY if model.takes_any else Algorithms.ABSENT
            return kind, [scope.module.evidence(call, "no algorithm is named")]
        node, around = told
        items = list_items(node, around, self._project) or self._of_setting(node, around) or [(node, around)]
        at = scope.module.evidence(call, "the algorithms are named")
        of_token = next((item for item in items if self._is_of_token(*item, _DEEPEST)), None)
        if of_token is not None:
            check = _comparison_of(*of_token)
            if check is not None:
                return Algorithms.UNKNOWN, [of_token[1].module.evidence(check, "the token's own header is looked at")]
            return Algorithms.TOKEN, [around.module.evidence(node, "the token's own header names it")]
        if all(self._is_of_key(item) for item, _ in items):
            return Algorithms.FIXED, [around.module.evidence(node, "the key says it")]
        named = [name for item in items for name in self._names(*item)]
        if None in named:
            text = "which algorithms these are can't be told"
            return Algorithms.UNKNOWN, [around.module.evidence(node, text)]
        families = {f for name in named for f in (_SHARED, _PAIRS) if str(name).startswith(f)}
        if len(families) > 1:
            shown = ", ".join(sorted({str(name) for name in named if name}))
            return Algorithms.MIXED, [around.module.evidence(node, f"it takes {shown}")]
        return Algorithms.PINNED, [at]

    def _told(self, call: form.Call, scope: Scope, option: Option) -> tuple[form.Expr, Scope] | None:
        """The expression for the algorithms: in the call, or where the object was made whose method it is."""
        node = self._options.argument(call, option.argument, option.position)
        if isinstance(node, form.Const) and node.value is None:
            return None
        if node is not None:
            return node, scope
        receiver = self._project.infer(call.func.value, scope) if isinstance(call.func, form.Attr) else None
        if isinstance(receiver, Instance) and receiver.origin is not None and receiver.scope is not None:
            chosen = receiver.origin.argument(0, "algorithms")
            if chosen is not None and last_part(receiver.type_name) in _CHOOSERS:
                return chosen, receiver.scope
        return None

    def _of_setting(self, node: form.Expr, scope: Scope) -> list[tuple[form.Expr, Scope]]:
        """The items of a list that is a setting of a framework, where it is stated."""
        places = (m.evidence.location for m in self._production.meanings(node, scope) if m.value is Stand.OBJECT)
        stated = ((node_at(place, self._project), scope_at(place, self._project)) for place in places)
        lists = ((n, around) for n, around in stated if isinstance(n, form.Display))
        return [item for n, around in lists for item in list_items(n, around, self._project)]

    def _names(self, node: form.Expr, scope: Scope) -> Iterator[str | None]:
        """The algorithms that the expression may be: empty for one that the configuration names, None for unknown."""
        if isinstance(node, form.Attr) and node.attr == "value":
            node = node.value  # of a member of an enumeration
        if isinstance(node, form.Attr) and _ALGORITHM.fullmatch(node.attr):
            yield node.attr  # `ALGORITHMS.HS256`
            return
        if any(isinstance(n, form.Call) and last_name(n.func) == _ALL_KNOWN for n in form.walk(node)):
            yield from (_SHARED[0], _PAIRS[0])
            return
        for meaning in self._production.meanings(node, scope):
            if isinstance(meaning.value, str):
                yield meaning.value
            elif meaning.value is UNKNOWN or meaning.value is None:
                stated = (node, *(n for n, _ in definitions(node, scope, self._project)))
                yield "" if any(map(_is_configured, stated)) else None
            else:
                yield None

    def _is_of_token(self, node: form.Expr, scope: Scope, depth: int) -> bool:
        """Whether the token's header, read before it is verified, gives it."""
        for part in form.walk(node):
            if isinstance(part, form.Call) and last_name(part.func) in _HEADERS:
                return True
            if isinstance(part, form.Name) and depth:
                values = definitions(part, scope, self._project)
                if any(self._is_of_token(*value, depth - 1) for value in values if value[0] is not node):
                    return True
        return False

    def _is_of_key(self, node: form.Expr) -> bool:
        """`key["alg"]`, `jwk.algorithm_name`: the issuer says it of its own key."""
        owner = node.value if isinstance(node, form.Attr | form.Subscript) else None
        if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr == "get":
            owner = node.func.value
        return owner is not None and bool(_KEYS & set(words(last_name(owner) or "")))


def _comparison_of(node: form.Expr, scope: Scope) -> form.Compare | None:
    """Where the code around compares the expression with something."""
    spelled = _spelled(node)
    comparisons = (n for n in form.walk_body(scope.body, into_definitions=False) if isinstance(n, form.Compare))
    return next((c for c in comparisons if spelled and spelled in map(_spelled, (c.left, *c.rights))), None)


def _spelled(node: form.Expr) -> tuple[str, object] | None:
    """`header["alg"]`, `header.get("alg")` and `header` in a shape that can be compared."""
    key: form.Expr | None = None
    match node:
        case form.Subscript(value=value, index=key):
            node = value
        case form.Call(func=form.Attr(value=value, attr="get"), args=[form.Arg(value=key), *_]):
            node = value
    name = form.dotted(node)
    return (name, key.value if isinstance(key, form.Const) else None) if name is not None else None


def _is_configured(node: form.Expr) -> bool:
    spoken = {
        w for part in form.walk(node) if isinstance(part, form.Name | form.Attr) for w in words(last_name(part) or "")
    }
    return not _CONFIGURATION.isdisjoint(spoken)
