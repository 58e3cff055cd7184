"""Keys and session tokens that the service makes, and how its tables keep them."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import definitions, list_items
from assay.scanner.dataflow.keys.key_lookups import Lookup, is_of, lookups_by
from assay.scanner.dataflow.keys.places import node_at, scope_at
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
        "email", "invitation", "invite", "invites", "link", "links", "magic", "outstanding", "public", "push",
        "registration", "reset", "revoked", "share", "shared", "signup", "transfer", "txt", "unsubscribe",
        "verification", "verify",
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
_SIGNING = frozenset({"encode", "dumps", "sign"})
_SESSION = ("session", "id")
_LIBRARIES = {"rest_framework.authtoken": ("authtoken_token", "key")}
"""Applications for Django, with the table and its column."""
_DEEPEST = 3
_MOST_SHOWN = 3


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
        lookups = lookups_by({column.name for _, column in columns}, self._project) if columns else {}
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

    def _judged(self, column: Column, cls: ClassSymbol, lookups: list[Lookup]) -> tuple[Keeping, list[Evidence]] | None:
        """How the column keeps keys; None for what is no key of the service."""
        own = [lookup for lookup in lookups if is_of(lookup, cls, self._project)]
        if _DIGESTS & set(words(column.name)):
            return (Keeping.DIGEST, [own[0].shown]) if own else None
        digested = [lookup for lookup in own if self._is_digest(lookup.value, lookup.scope, _DEEPEST)]
        if digested:
            return Keeping.DIGEST, [digested[0].shown]
        made = self._made(column, cls) if own else None
        if made is None:
            return None
        found = ((lookup, self._sent.of(lookup.value, lookup.scope)) for lookup in own)
        sent = [(lookup, shown) for lookup, shown in found if shown is not None]
        if any(_is_of_try(lookup, shown) for lookup, shown in sent):
            return None
        if tuple(words(column.name))[-2:] == _SESSION:  # of a talk, a payment, a call, unless a cookie has it
            sent = [(lookup, shown) for lookup, shown in sent if self._is_of_cookie(shown)]
            own = []
        if sent:
            is_used_up = all(_deletes(lookup, cls) for lookup, _ in sent)
            keeping = Keeping.USED_UP if is_used_up else Keeping.PLAIN
            return keeping, [made, *(lookup.shown for lookup, _ in sent[:_MOST_SHOWN]), sent[0][1]]
        identifying = (lookup for lookup in own if _IDENTIFYING & set(words(lookup.scope.qualname)))
        return next(((Keeping.PLAIN, [made, lookup.shown]) for lookup in identifying), None)

    def _is_of_cookie(self, sent: Evidence) -> bool:
        """Whether the value that a client sends is in a cookie."""
        node = node_at(sent.location, self._project)
        function = scope_at(sent.location, self._project).enclosing_function
        params = function.parameters if function is not None and node is None else ()
        parts = [node, *(part for param in params for part in (param.default, param.annotation))]
        names = (
            last_name(n)
            for part in parts
            for n in (form.walk(part) if part is not None else ())
            if isinstance(n, form.Name | form.Attr)
        )
        return any("cookie" in (name or "").lower() for name in names)

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
        for part in _unsigned(node):
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


def _is_of_try(lookup: Lookup, sent: Evidence) -> bool:
    """Whether what the client sends is good for one try of signing in, as far as its names tell."""
    spoken = {*words(sent.text), *words(last_name(lookup.value) or "")}
    return not {"state", "nonce"}.isdisjoint(spoken)


def _unsigned(node: form.Expr | form.Stmt) -> Iterator[form.Expr | form.Stmt]:
    """The parts of an expression, but for the claims of a token that is signed: their table holds what was issued."""
    is_signed = isinstance(node, form.Call) and last_name(node.func) in _SIGNING
    if is_signed and isinstance(node, form.Call) and any(not isinstance(a.value, form.Const) for a in node.args):
        return
    yield node
    for child in node.children():
        yield from _unsigned(child)


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
    is_text = any(text in column.type.lower() for text in _TEXTS) and "encrypt" not in column.type.lower()
    if column.fk_to is not None or not is_text:
        return False
    return bool(parts) and (
        parts[-1] in _WORDS or parts[-2:] in _PAIRS or (parts[0] in _SHORT and len(parts) == 1 and _is_of_keys(table))
    )


def _deletes(lookup: Lookup, cls: ClassSymbol) -> bool:
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
