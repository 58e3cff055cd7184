"""Keys and session tokens that the service makes, and how its tables keep them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions, list_items
from assay.scanner.dataflow.keys.sent import SentValues
from assay.scanner.dataflow.lexicon import words
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.key import Keeping, StoredKey
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.table import Column, Table
from assay.scanner.readers.python import form

_LOOKUPS = (
    "Q", "aget", "exists", "fetch_one", "filter", "filter_by", "find_one", "first", "get", "get_by",
    "get_object_or_404",     "get_or_404", "get_or_none", "one", "where", "aget_object_or_404", "first_or_404",
)  # fmt: skip
"""Calls that look up a row by what their keywords say."""
_PAIRS = frozenset(
    {("api", "key"), ("access", "key"), ("auth", "key"), ("session", "key"), ("session", "id"), ("secret", "key")}
)
_WORDS = frozenset({"token", "tokens", "apikey", "apikeys", "apitoken", "apitokens"})
_OF_KEYS = frozenset({"token", "key", "secret", "apikey"})
_SHORT = frozenset({"key", "code", "value", "plaintext"})
"""Names of columns that are keys in a table of keys."""
_DIGESTS = frozenset({"hash", "hashed", "digest", "hmac", "sha256", "checksum"})
_ONE_TIME = frozenset(
    {
        "activation", "blacklist", "blacklisted", "blocklist", "confirm", "confirmation", "csrf", "denylist", "device",
        "email", "invitation", "invite", "invites", "magic", "outstanding", "push", "reset", "revoked", "share",
        "transfer", "txt", "unsubscribe", "verification", "verify",
    }
)  # fmt: skip
"""Words of tokens that work once, are signed themselves, or open one thing alone."""
_TEXTS = ("char", "str", "text", "varchar", "unicode", "uuid")
_RANDOM = frozenset(
    {
        "SystemRandom", "choice", "choices", "generate_api_key", "generate_key", "generate_token",
        "get_random_string", "getrandbits", "hexlify", "random_string", "token_bytes", "token_hex", "token_urlsafe",
        "urandom", "uuid4",
    }
)  # fmt: skip
_DIGESTING = frozenset(
    {"hexdigest", "digest", "sha256", "sha512", "blake2b", "make_password", "hash", "hashpw", "pbkdf2_hmac"}
)
_IDENTIFYING = frozenset(
    {"auth", "authenticate", "authentication", "authorize", "bearer", "jwt", "key", "login", "session", "token"}
)
"""Words of functions that find out who is calling."""
_ENDED = frozenset({"ended", "expire", "expired", "expires", "expiration", "expiry", "now", "valid"})
_LIBRARIES = {"rest_framework.authtoken": ("authtoken_token", "key")}
"""Applications for Django, with the table and its column."""
_DEEPEST = 3
_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Lookup:
    """A row that is looked up by a column's value."""

    call: form.Node
    value: form.Expr
    scope: Scope


class StoredKeys:
    """All of them in the tables of a project."""

    def __init__(self, gathered: Gathered, sent: SentValues) -> None:
        self._gathered = gathered
        self._project = gathered.project
        self._sent = sent

    def all(self) -> Iterator[StoredKey]:
        """Each once, in order of path and position."""
        columns = [
            (table, column)
            for table in self._gathered.tables
            if table.role is Role.PROD
            for column in table.columns
            if _may_be_key(table, column)
        ]
        lookups = self._lookups({column.name for _, column in columns}) if columns else {}
        for table, column in sorted(columns, key=lambda c: c[1].location):
            cls = next(
                (c for c in self._project.classes_named(table.model) if c.module.path == table.location.path), None
            )
            found = self._judged(column, cls, lookups.get(column.name, [])) if cls is not None else None
            if found is not None:
                keeping, evidence = found
                has_digest = any(_is_digest_of_keys(other, table) for other in table.columns if other is not column)
                if keeping is Keeping.PLAIN and has_digest:
                    keeping = Keeping.BESIDE_DIGEST
                shown = Evidence(column.location, "the column keeps it")
                yield StoredKey(
                    table=table.name,
                    column=column.name,
                    location=column.location,
                    role=table.role,
                    keeping=keeping,
                    evidence=(shown, *evidence),
                    is_one_time=bool(_ONE_TIME & {*words(table.name), *words(table.model), *words(column.name)}),
                )
        yield from self._of_libraries()

    def _of_libraries(self) -> Iterator[StoredKey]:
        for site in self._gathered.production.sites:
            for node, scope in self._gathered.production.given(site, "INSTALLED_APPS"):
                for item, around in list_items(node, scope, self._project):
                    if isinstance(item, form.Const) and item.value in _LIBRARIES and site.role is Role.PROD:
                        shown = around.module.evidence(item, "its table keeps the key that clients send")
                        table, column = _LIBRARIES[str(item.value)]
                        yield StoredKey(table, column, shown.location, site.role, Keeping.LIBRARY, (shown,))

    def _judged(
        self, column: Column, cls: ClassSymbol, lookups: list[_Lookup]
    ) -> tuple[Keeping, list[Evidence]] | None:
        """How the column keeps keys; None for what is no key of the service."""
        own = [lookup for lookup in lookups if self._is_of(lookup, cls)]
        if _DIGESTS & set(words(column.name)):
            return (Keeping.DIGEST, [_shown(own[0])]) if own else None
        digested = [lookup for lookup in own if self._is_digest(lookup.value, lookup.scope, _DEEPEST)]
        if digested:
            return Keeping.DIGEST, [_shown(digested[0])]
        made = self._made(column, cls) if own else None
        if made is None:
            return None
        sent = [(lookup, shown) for lookup in own if (shown := self._sent.of(lookup.value, lookup.scope)) is not None]
        if sent:
            is_used_up = all(_deletes(lookup, cls) for lookup, _ in sent)
            keeping = Keeping.USED_UP if is_used_up else Keeping.PLAIN
            return keeping, [made, *(_shown(lookup) for lookup, _ in sent[:_MOST_SHOWN]), sent[0][1]]
        identifying = (lookup for lookup in own if _IDENTIFYING & set(words(lookup.scope.qualname)))
        return next(((Keeping.PLAIN, [made, _shown(lookup)]) for lookup in identifying), None)

    # --- look-ups ---

    def _lookups(self, names: set[str]) -> dict[str, list[_Lookup]]:
        """Those by the columns of these names, by column."""
        found: dict[str, list[_Lookup]] = defaultdict(list)
        for call, scope in self._project.calls_named(*_LOOKUPS):
            for argument in call.args if scope.module.role is Role.PROD else ():
                name = (argument.name or "").removesuffix("__exact")
                if name in names:
                    found[name].append(_Lookup(call, argument.value, scope))
        for module in self._project.modules.values():
            for node, scope in module.comparisons if module.role is Role.PROD else ():
                if node.ops == ["=="] and isinstance(node.left, form.Attr) and node.left.attr in names:
                    found[node.left.attr].append(_Lookup(node, node.rights[0], scope))
        return found

    def _is_of(self, lookup: _Lookup, cls: ClassSymbol) -> bool:
        """Whether the look-up is one of the class's rows."""
        around = lookup.scope.enclosing_function
        for node in form.walk(lookup.call) if isinstance(lookup.call, form.Call | form.Compare) else ():
            name = last_name(node) if isinstance(node, form.Name | form.Attr) else None
            if name == cls.name or (name == "cls" and around is not None and around.owner is cls):
                return isinstance(lookup.call, form.Call) or not self._is_row(lookup.call)
            if (
                isinstance(node, form.Attr)
                and name == "objects"
                and self._project.infer(node.value, lookup.scope) is cls
            ):
                return True
        owner = (
            lookup.call.left.value
            if isinstance(lookup.call, form.Compare) and isinstance(lookup.call.left, form.Attr)
            else None
        )
        return owner is not None and self._project.infer(owner, lookup.scope) is cls

    def _is_row(self, node: form.Node) -> bool:
        left = node.left if isinstance(node, form.Compare) else None
        return isinstance(left, form.Attr) and isinstance(left.value, form.Call)

    # --- where keys come from ---

    def _made(self, column: Column, cls: ClassSymbol) -> Evidence | None:
        """Where the service makes the key at random."""
        for binding in cls.own(column.name):
            if isinstance(binding.value, form.Call):
                for argument in binding.value.args:
                    if argument.name in ("default", "default_factory", "insert_default") and self._is_random(
                        argument.value, binding.scope, _DEEPEST
                    ):
                        return cls.module.evidence(argument.value, "it is made at random")
        for module in self._project.modules.values():
            for scope in dict.fromkeys(module.writes_by_name.get(column.name, ())):
                for node in form.walk_body(scope.body, into_definitions=False):
                    found = self._assigned(node, column, cls, scope)
                    if found is not None:
                        return found
        for call, scope in self._project.calls_named(cls.name, "cls", "create", "insert", "values"):
            value = call.keyword(column.name)
            if value is not None and self._is_made_of(call, cls, scope) and self._is_random(value, scope, _DEEPEST):
                return scope.module.evidence(value, "it is made at random")
        return None

    def _assigned(self, node: form.Expr | form.Stmt, column: Column, cls: ClassSymbol, scope: Scope) -> Evidence | None:
        if not isinstance(node, form.Assign) or node.value is None:
            return None
        for target in node.targets:
            if isinstance(target, form.Attr) and target.attr == column.name:
                owner = self._project.infer(target.value, scope)
                is_own = not isinstance(owner, Instance) or owner.cls in (None, cls)
                if is_own and self._is_random(node.value, scope, _DEEPEST):
                    return scope.module.evidence(node, "it is made at random")
        return None

    def _is_made_of(self, call: form.Call, cls: ClassSymbol, scope: Scope) -> bool:
        function = scope.enclosing_function
        names = {last_name(n) for n in form.walk(call.func) if isinstance(n, form.Name | form.Attr)}
        return cls.name in names or (bool(names & {"cls", "super"}) and function is not None and function.owner is cls)

    def _is_random(self, node: form.Expr, scope: Scope, depth: int) -> bool:
        return self._calls(node, scope, depth, _RANDOM) and not self._is_digest(node, scope, depth)

    def _is_digest(self, node: form.Expr, scope: Scope, depth: int) -> bool:
        named = _own_words(node)
        return bool(_DIGESTS & named) or self._calls(node, scope, depth, _DIGESTING)

    def _calls(self, node: form.Expr, scope: Scope, depth: int, names: frozenset[str]) -> bool:
        """Whether one of the functions makes the value, here or in what is called or named here."""
        if not depth:
            return False
        for part in form.walk(node):
            if isinstance(part, form.Name | form.Attr) and last_name(part) in names:
                return True
            if isinstance(part, form.Call) and self._gives(self._project.callee_function(part, scope), depth, names):
                return True
        if isinstance(node, form.Name):
            value = self._project.infer(node, scope)
            if isinstance(value, FunctionSymbol) and self._gives(value, depth, names):
                return True
            return any(self._calls(*item, depth - 1, names) for item in definitions(node, scope, self._project))
        return False

    def _gives(self, function: FunctionSymbol | None, depth: int, names: frozenset[str]) -> bool:
        returned = [r.value for r in function.returns if r.value is not None] if function is not None else []
        return function is not None and any(self._calls(value, function.scope, depth - 1, names) for value in returned)


def _is_digest_of_keys(column: Column, table: Table) -> bool:
    """Whether the column holds digests of the keys that another one of its table holds."""
    parts = set(words(column.name))
    return not _DIGESTS.isdisjoint(parts) and (_is_of_keys(table) or not _OF_KEYS.isdisjoint(parts))


def _is_of_keys(table: Table) -> bool:
    spoken = {*words(table.name), *words(table.model)}
    return not _WORDS.isdisjoint(spoken) or {"api", "key"} <= spoken or {"api", "keys"} <= spoken


def _own_words(node: form.Expr) -> set[str]:
    """The words of what the expression is called."""
    inner = node.func if isinstance(node, form.Call) else node
    return set(words(last_name(inner) or ""))


def _may_be_key(table: Table, column: Column) -> bool:
    parts = tuple(w for w in words(column.name) if w not in _DIGESTS and not w.isdigit())
    if column.fk_to is not None or not any(text in column.type.lower() for text in _TEXTS):
        return False
    return bool(parts) and (
        parts[-1] in _WORDS or parts[-2:] in _PAIRS or (parts[0] in _SHORT and len(parts) == 1 and _is_of_keys(table))
    )


def _deletes(lookup: _Lookup, cls: ClassSymbol) -> bool:
    """Whether the function that looks the row up deletes it, and not only where it has ended."""
    function = lookup.scope.enclosing_function
    nodes = function.nodes if function is not None else ()
    assigned = (n for n in nodes if isinstance(n, form.Assign) and n.start <= lookup.call.start < n.end)
    names = {cls.name, *(t.id for n in assigned for t in n.targets if isinstance(t, form.Name))}
    ended = {part for n in nodes if isinstance(n, form.If) and _asks_for_end(n.test) for part in form.walk(n)}
    calls = (n for n in nodes if isinstance(n, form.Call) and n not in ended)
    deleting = (call for call in calls if last_name(call.func) in ("delete", "adelete"))
    return any(last_name(part) in names for n in deleting for part in form.walk(n) if isinstance(part, form.Name))


def _asks_for_end(test: form.Expr) -> bool:
    names = (last_name(n) or "" for n in form.walk(test) if isinstance(n, form.Name | form.Attr))
    return any(not _ENDED.isdisjoint(words(name)) for name in names)


def _shown(lookup: _Lookup) -> Evidence:
    return lookup.scope.module.evidence(lookup.call, "it is looked up here")
