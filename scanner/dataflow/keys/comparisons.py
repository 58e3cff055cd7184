"""Comparisons of what clients send with secrets: which take as long as both texts are alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from assay.scanner.dataflow.constants import constant, definitions
from assay.scanner.dataflow.keys.sent import SentValues
from assay.scanner.dataflow.keys.sides import TRANSPARENT, is_named_secret, is_of_session, may_matter, name_of, stripped
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.secrets.ingredients import Ingredient, ingredients
from assay.scanner.dataflow.secrets.names import Secrecy, is_password, is_password_hash, secrecy
from assay.scanner.dataflow.secrets.undeployed import is_undeployed
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, How, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.key import Comparison, SecretComparison
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_CONSTANT_TIME = ("compare_digest", "constant_time_compare", "bytes_eq", "safe_str_cmp")
_KEYED = ("hmac.", "cryptography.hazmat.primitives.hmac.", "Crypto.Hash.HMAC.", "Cryptodome.Hash.HMAC.")
_HALF = frozenset(
    {
        "again", "challenge", "csrf", "current", "last", "new", "nonce", "old", "prev", "previous", "repeat",
        "repeated", "retype", "salt", "state", "xsrf",
    }
)  # fmt: skip
"""Words of names for what the same client sends twice, what is only asked to differ, and what is good for one try."""
_CONFIRMED = frozenset({"confirm", "confirmed", "confirmation"})
"""Words of passwords that are entered twice; tokens of that name confirm an address."""
_CHANGING = frozenset({"changed", "config", "configuration", "edit", "save", "settings", "update"})
"""Words of code that asks whether somebody has entered something new."""
_EXPECTED = frozenset({"actual", "calculated", "computed", "correct", "expected", "preset", "real", "saved", "stored"})
"""Words of names for the side that the service itself knows."""
_QUERIES = frozenset({"c", "columns", "F"})
_DEEPEST = 6


class _Origin(Enum):
    """Where one side of a comparison comes from."""

    SECRET = auto()
    """It is secret whatever it is called: made with a key, made of a password, declared to be so."""
    KEPT = auto()
    """A row, a session, a store or a setting has it."""
    SENT = auto()
    QUERY = auto()
    """It is no value, but a part of a query."""
    FIXED = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class _Side:
    name: str
    origin: _Origin
    evidence: Evidence | None = None
    is_of_session: bool = False

    @property
    def is_secret(self) -> bool:
        return self.origin is _Origin.SECRET or is_named_secret(self.name)

    @property
    def is_surely_secret(self) -> bool:
        is_short = secrecy(self.name) is Secrecy.PERHAPS or words(self.name)[-1:] == ("code",)
        return self.origin is _Origin.SECRET or (is_named_secret(self.name) and not is_short)


class Comparisons:
    """All of them in the production code of a project."""

    def __init__(self, gathered: Gathered, sent: SentValues) -> None:
        self._project = gathered.project
        self._sent = sent

    def all(self) -> Iterator[SecretComparison]:
        """Each once, in order of path and position."""
        ordinals = Ordinals()
        for module in sorted(self._project.modules.values(), key=lambda m: m.path):
            if module.role is not Role.PROD:
                continue
            found = [*self._compared(module.comparisons), *self._safe(module.calls_named(_CONSTANT_TIME))]
            for node, scope, kind, evidence in sorted(found, key=lambda f: f[0].start):
                what = kind.value
                yield SecretComparison(
                    function=around(scope),
                    ordinal=ordinals.next(around(scope), what),
                    location=module.location(node),
                    role=module.role,
                    comparison=kind,
                    evidence=evidence,
                    aside="it is for development or tests" if is_undeployed(scope) else None,
                )

    def _safe(
        self, calls: list[tuple[form.Call, Scope]]
    ) -> Iterator[tuple[form.Expr, Scope, Comparison, tuple[Evidence, ...]]]:
        for call, scope in calls:
            yield call, scope, Comparison.CONSTANT_TIME, (scope.module.evidence(call, "it always takes as long"),)

    def _compared(
        self, comparisons: list[tuple[form.Compare, Scope]]
    ) -> Iterator[tuple[form.Expr, Scope, Comparison, tuple[Evidence, ...]]]:
        for node, scope in comparisons:
            if node.ops not in (["=="], ["!="]) or not any(_may_matter(s, scope) for s in (node.left, *node.rights)):
                continue
            kind, evidence = self._judged(node, scope)
            if kind is not None:
                here = scope.module.evidence(node, "it ends at the first character that differs")
                yield node, scope, kind, (here, *evidence)

    def _judged(self, node: form.Compare, scope: Scope) -> tuple[Comparison | None, tuple[Evidence, ...]]:
        sides = [self._side(node.left, scope), self._side(node.rights[0], scope)]
        origins = {side.origin for side in sides}
        spoken = {word for side in sides if side.origin is not _Origin.SECRET for word in words(side.name)}
        if not _CHANGING.isdisjoint(words(scope.qualname)):
            return None, ()
        is_half = bool(spoken & _HALF) or bool(spoken & _CONFIRMED and any(is_password(s.name) for s in sides))
        if origins & {_Origin.QUERY, _Origin.FIXED} or len(origins) == 1 or is_half:
            return None, ()
        secret = next((s for s in sides if s.origin is _Origin.SECRET), None)
        secret = secret or next((s for s in sides if s.origin is _Origin.KEPT), None)
        other = next((s for s in sides if s is not secret), None)
        if secret is None or other is None or not (secret.is_secret or other.is_secret):
            return None, ()
        evidence = tuple(s.evidence for s in (secret, other) if s.evidence is not None)
        if other.origin is _Origin.SENT and secret.is_of_session:
            return (Comparison.OF_A_CODE if secret.is_surely_secret else None), evidence
        if other.origin is _Origin.SENT:
            is_sure = secret.is_surely_secret or (secret.origin is _Origin.KEPT and other.is_surely_secret)
            return (Comparison.PLAIN if is_sure else Comparison.OF_A_CODE), evidence
        if secret.origin is _Origin.SECRET:
            if other.origin is _Origin.KEPT:
                return (Comparison.PLAIN if is_password_hash(other.name) else None), evidence
            return Comparison.PERHAPS_SENT, evidence
        is_asked = secret.is_surely_secret and secrecy(other.name) is Secrecy.SECRET
        return (Comparison.PERHAPS_SENT if is_asked else None), evidence

    # --- one side ---

    def _side(self, node: form.Expr, scope: Scope) -> _Side:
        name = name_of(stripped(node))
        origin, evidence = self._origin(node, scope, _DEEPEST)
        return _Side(name, origin, evidence, is_of_session(stripped(node)))

    def _origin(self, node: form.Expr, scope: Scope, depth: int) -> tuple[_Origin, Evidence | None]:
        if not depth:
            return _Origin.UNKNOWN, None
        if isinstance(node, form.Const | form.Opaque) or self._is_fixed(node, scope):
            return _Origin.FIXED, None
        if self._is_query(node, scope):
            return _Origin.QUERY, None
        sent = self._sent.of(node, scope)
        if sent is not None:
            return _Origin.SENT, sent
        if self._is_secret(node, scope, depth):
            return _Origin.SECRET, scope.module.evidence(node, "this is secret")
        bare = stripped(node)
        name = name_of(bare)
        if isinstance(bare, form.Name):
            if is_named_secret(name) and _EXPECTED & set(words(name)):
                return _Origin.KEPT, scope.module.evidence(bare, "this is secret")
            for value, place in definitions(bare, scope, self._project):
                origin, evidence = self._origin(value, place, depth - 1)
                if origin in (_Origin.KEPT, _Origin.FIXED):
                    return origin, evidence
            return _Origin.UNKNOWN, None
        if is_of_session(bare):
            return _Origin.KEPT, None
        is_secret = is_named_secret(name) or self._is_looked_up(bare, scope)
        if is_secret and isinstance(bare, form.Attr | form.Subscript | form.Call):
            return _Origin.KEPT, scope.module.evidence(bare, "this is secret")
        return _Origin.UNKNOWN, None

    def _is_looked_up(self, node: form.Expr, scope: Scope) -> bool:
        """`passwords[user]`, `passwords.get(user)`: by what the client sends."""
        match node:
            case form.Subscript(index=key) | form.Call(func=form.Attr(attr="get"), args=[form.Arg(value=key), *_]):
                return not isinstance(key, form.Slice) and self._sent.of(key, scope) is not None
        return False

    def _is_fixed(self, node: form.Expr, scope: Scope) -> bool:
        """Whether it is a constant of the code, or a member of an enumeration."""
        if not isinstance(node, form.Name | form.Attr):
            return False
        if (
            isinstance(node, form.Attr)
            and node.attr.isupper()
            and isinstance(self._project.infer(node.value, scope), ClassSymbol)
        ):
            return True
        known = constant(node, scope, self._project)
        return known is not None and not known.configured and not (last_name(node) or "").startswith("_")

    def _is_query(self, node: form.Expr, scope: Scope) -> bool:
        """`Model.token`, `table.c.token`: the comparison makes SQL."""
        if not isinstance(node, form.Attr):
            return False
        owner = node.value
        name = last_name(owner) or ""
        if name in _QUERIES or isinstance(self._project.infer(owner, scope), ClassSymbol) or name == "cls":
            return True
        return name[:1].isupper() and not name.isupper()

    def _is_secret(self, node: form.Expr, scope: Scope, depth: int) -> bool:
        """Whether it is made with a key, is a digest of a password, or is declared as a secret."""
        match node:
            case form.Template():
                inner = [expression for hole in node.holes for expression in hole.expressions()]
                return any(self._is_secret(part, scope, depth - 1) for part in inner)
            case form.Binary(op="+", left=left, right=right):
                return any(self._is_secret(part, scope, depth - 1) for part in (left, right))
            case form.Await(value=inner) | form.Subscript(value=inner, index=form.Slice()):
                return self._is_secret(inner, scope, depth)
            case form.Name() if depth:
                found = definitions(node, scope, self._project)
                return any(self._is_secret(value, place, depth - 1) for value, place in found)
            case form.Call() if depth:
                return self._is_secret_call(node, scope, depth - 1)
        return False

    def _is_secret_call(self, call: form.Call, scope: Scope, depth: int) -> bool:
        if last_name(call.func) == "get_secret_value":
            return True
        callee = self._project.infer(call.func, scope)
        name = callee.name if isinstance(callee, External) else ""
        if name.startswith(_KEYED):
            return True
        if name.startswith("hashlib.") and call.positional:
            made_of = ingredients(call.positional[0], scope, self._project)
            return any(is_password(part.name) or self._is_own_key(part) for part in made_of)
        function = self._project.callee_function(call, scope)
        if function is not None and function.name != "__init__":
            returned = [r.value for r in function.returns if r.value is not None]
            return any(self._is_secret(value, function.scope, depth) for value in returned) if depth > 0 else False
        last = last_name(call.func) or ""
        if last in TRANSPARENT:
            parts = [call.func.value] if isinstance(call.func, form.Attr) else []
            return any(self._is_secret(part, scope, depth) for part in (*parts, *call.positional))
        return False

    def _is_own_key(self, part: Ingredient) -> bool:
        is_key = secrecy(part.name) is Secrecy.SECRET and not {"key", "secret"}.isdisjoint(words(part.name))
        return is_key and self._sent.of(part.node, part.scope) is None


def _may_matter(node: form.Expr, scope: Scope) -> bool:
    """Whether the side, or what its name stands for, speaks of a secret or a digest."""
    if may_matter(node):
        return True
    bindings = scope.lookup(node.id) if isinstance(node, form.Name) else ()
    return any(b.value is not None and b.how is How.ASSIGN and may_matter(b.value) for b in bindings)
