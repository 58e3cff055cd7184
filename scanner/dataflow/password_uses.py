"""Where the passwords of logins are hashed, stored and compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.dataflow.credential_looks import HINT
from assay.scanner.dataflow.crypto_functions import CryptoFunctions, around
from assay.scanner.dataflow.destinations import Destination, Given, own_name
from assay.scanner.dataflow.gathering import gathered
from assay.scanner.dataflow.hash_uses import Digests, dictated
from assay.scanner.dataflow.ingredients import Ingredient, ingredients
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.logins import Logins, is_input, is_of_people, is_password_column
from assay.scanner.dataflow.nesting import Nesting
from assay.scanner.dataflow.password_keeping import Keepings, Kept
from assay.scanner.dataflow.password_statements import password_statements
from assay.scanner.dataflow.purposes import is_password, only_identifies
from assay.scanner.dataflow.undeployed import is_in_undeployed_branch, is_undeployed
from assay.scanner.libraries import HashFunction, PasswordFunction
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.crypto import Act, Keeping, PasswordUse
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_OWN = frozenset({"cfg", "conf", "config", "configuration", "env", "environ", "options", "setting", "settings"})
"""Words of names for the service's configuration: a password in it is the service's own."""
_AGAIN = frozenset({"again", "confirm", "confirmation", "current", "new", "old", "re", "repeat", "repeated", "retype"})
"""Words of names for passwords that a client sends twice."""
_QUERIES = frozenset({"filter", "filter_by", "get", "get_or_none", "find_one", "find", "aget", "count_documents"})
_WRITES = frozenset(
    {"create", "acreate", "update", "values", "insert_one", "insert", "update_one", "replace_one", "save"}
)


@dataclass(frozen=True, slots=True)
class _Found:
    """A place before it is numbered."""

    node: form.Node
    scope: Scope
    what: str
    act: Act
    keeping: Keeping
    by: str = ""
    evidence: tuple[Evidence, ...] = ()
    question: str | None = None
    aside: str | None = None


class Passwords:
    """All that the production code of a project does with the passwords of its users."""

    def __init__(
        self, project: Project, functions: CryptoFunctions, nesting: Nesting, digests: Digests, logins: Logins
    ) -> None:
        self._project = project
        self._functions = functions
        self._nesting = nesting
        self._digests = digests
        self._logins = logins
        self._keepings = Keepings(project, functions)

    def uses(self) -> Iterator[PasswordUse]:
        """Every place, in order of path and position."""
        found = [*self._hashings(), *self._settings(), *self._digested(), *self._statements(), *self._handled()]
        unique = {(f.scope.module.path, f.node.start, f.node.end): f for f in reversed(found)}
        counts: Counter[tuple[str, str]] = Counter()
        for key in sorted(unique):
            place = unique[key]
            function = around(place.scope)
            counts[function, place.what] += 1
            yield PasswordUse(
                function=function,
                what=place.what,
                ordinal=counts[function, place.what],
                location=place.scope.module.location(place.node),
                role=place.scope.module.role,
                act=place.act,
                keeping=place.keeping,
                by=place.by,
                evidence=place.evidence,
                question=place.question,
                aside=place.aside,
            )

    # --- library functions ---

    def _hashings(self) -> Iterator[_Found]:
        """Calls of functions that were made for passwords."""
        for call, scope, _, _ in self._functions.calls_of(self._functions.passwords):
            found = self._keepings.function_in(call, scope)
            if found is None or found[1].act is Act.CONFIGURE:
                continue
            name, function = found
            if call.argument(function.password, function.keyword) is None and not any(a.star for a in call.args):
                continue  # it lets somebody in by something else
            if function.general and not (
                function.keeps is Keeping.HASHED and self._is_given_password(call, scope, function)
            ):
                continue
            keeping, rounds = self._keepings.strength(call, scope, function)
            text = name.removeprefix("*.")
            by = text if rounds is None else f"{text} with {rounds} rounds"
            yield _Found(call, scope, text, function.act, keeping, by)

    def _is_given_password(self, call: form.Call, scope: Scope, function: PasswordFunction) -> bool:
        node = call.argument(function.password, function.keyword)
        return node is not None and any(is_password(i.name) for i in ingredients(node, scope, self._project))

    def _settings(self) -> Iterator[_Found]:
        """How all passwords are hashed: passlib's contexts, Django's PASSWORD_HASHERS."""
        for call, scope in self._project.calls_named("CryptContext"):
            schemes = call.argument(0, "schemes")
            if scope.module.role is Role.PROD and schemes is not None:
                given = call.keyword("default")
                first = [(given, scope)] if given is not None else list_items(schemes, scope, self._project)[:1]
                yield from self._configured(first, "passlib.hash.{}.hash", call, scope, "CryptContext")
        for module in self._project.modules.values():
            for binding in module.scope.bindings.get("PASSWORD_HASHERS", ()):
                if module.role is Role.PROD and binding.value is not None:
                    first = list_items(binding.value, module.scope, self._project)[:1]
                    yield from self._configured(first, "{}", binding.value, module.scope, "PASSWORD_HASHERS")

    def _configured(
        self, items: list[tuple[form.Expr, Scope]], pattern: str, node: form.Expr, scope: Scope, what: str
    ) -> Iterator[_Found]:
        for item, item_scope in items:
            name = string_value(item, item_scope, self._project) or ""
            entries = self._functions.passwords.get(pattern.format(name))
            if entries:
                shown = item_scope.module.evidence(item, f"new passwords are hashed by `{last_part(name)}`")
                aside = "it is for development or tests" if self._is_undeployed(node, scope) else None
                yield _Found(node, scope, what, Act.CONFIGURE, entries[0].keeps, last_part(name), (shown,), aside=aside)

    def _is_undeployed(self, node: form.Expr, scope: Scope) -> bool:
        return is_undeployed(scope) or is_in_undeployed_branch(node, scope, self._nesting)

    # --- digests ---

    def _digested(self) -> Iterator[_Found]:
        """Digests that are made of a password."""
        for call, scope, name, function in self._digests.calls():
            if function.keyed:
                continue
            made_of = self._digests.made_of(call, scope, function)
            passwords = [part for part in made_of if is_password(part.name)]
            if passwords:
                yield self._digest(call, scope, name, function, passwords, made_of)

    def _digest(
        self,
        call: form.Call,
        scope: Scope,
        name: str,
        function: HashFunction,
        passwords: list[Ingredient],
        made_of: list[Ingredient],
    ) -> _Found:
        destinations = self._digests.destinations(call, scope)
        by = function.algorithm or last_part(name)
        evidence = (passwords[0].evidence, *(d.evidence for d in destinations[:1]))
        aside = self._digest_aside(scope, destinations, passwords, made_of)
        question = _digest_question(destinations, passwords, scope) if aside is None else None
        return _Found(call, scope, by, Act.HASH, Keeping.DIGEST, by, evidence, question, aside)

    def _digest_aside(
        self, scope: Scope, destinations: list[Destination], passwords: list[Ingredient], made_of: list[Ingredient]
    ) -> str | None:
        slow = {last_part(n) for n, e in self._functions.passwords.items() if e[0].keeps is Keeping.HASHED}
        if any(d.how is Given.PASSED and last_part(d.name) in slow for d in destinations):
            return "a hash made for passwords goes over the digest"
        if all(not _OWN.isdisjoint(words(form.dotted(part.node) or part.name)) for part in passwords):
            return "it is a password of the service, not of a user"
        return dictated(made_of, scope)

    def _statements(self) -> Iterator[_Found]:
        """SQL that stores a password as it was typed, or compares it with what is stored."""
        for statement in password_statements(self._project, self._keepings):
            kept = statement.kept
            yield _Found(
                statement.call, statement.scope, "SQL statement", statement.act, kept.keeping, kept.by, (kept.evidence,)
            )

    # --- objects and records ---

    def _handled(self) -> Iterator[_Found]:
        """Assignments, constructors, queries and comparisons."""
        places = gathered(HINT, self._project)
        for comparison, scope in places.comparisons:
            yield from self._compared(comparison, comparison.left, comparison.rights[0], scope)
        for assignment, scope in places.assignments:
            if assignment.value is not None:
                yield from self._assigned(assignment, assignment.value, scope)
        for call, scope in places.calls:
            yield from self._called(call, scope)

    def _compared(self, node: form.Compare, left: form.Expr, right: form.Expr, scope: Scope) -> Iterator[_Found]:
        names = own_name(left) or "", own_name(right) or ""
        if not any(is_password_column(name) for name in names) or any(_AGAIN & set(words(n)) for n in names):
            return
        for kept, other in ((left, right), (right, left)):
            if self._logins.is_kept(kept, scope) and not _is_same_owner(kept, other):
                typed = self._keepings.of(other, scope)
                if typed is not None and typed.keeping is Keeping.PLAIN:
                    shown = scope.module.evidence(kept, f"`{own_name(kept)}` as it is stored")
                    yield _Found(
                        node, scope, "comparison", Act.COMPARE, Keeping.PLAIN, typed.by, (shown, typed.evidence)
                    )
                return

    def _assigned(self, node: form.Assign, value: form.Expr, scope: Scope) -> Iterator[_Found]:
        for target in node.targets:
            if isinstance(target, form.Attr) and is_password_column(target.attr):
                owner = self._logins.has(target.value, target.attr, scope)
                if owner is not None and not self._is_hashed_later(target, scope):
                    yield from self._stored(node, value, target.attr, owner, scope)
            elif isinstance(target, form.Subscript) and isinstance(value, form.Dict):
                holder = own_name(target.value) or ""
                if is_of_people(holder) and not is_input(holder):
                    yield from self._record(node, value, Act.STORE, scope)

    def _called(self, call: form.Call, scope: Scope) -> Iterator[_Found]:
        name = last_name(call.func) or ""
        fields = [(a.name, a.value) for a in call.args if a.name is not None and is_password_column(a.name)]
        cls = self._logins.class_of(call.func, scope) if fields else None
        if cls is not None and isinstance(call.func, form.Name | form.Attr) and name not in _QUERIES | _WRITES:
            has_own_constructor = isinstance(cls, ClassSymbol) and self._project.method(cls, "__init__") is not None
            if not has_own_constructor:
                for field, value in fields:
                    yield from self._stored(call, value, field, cls, scope)
            return
        if name not in _QUERIES | _WRITES or not isinstance(call.func, form.Attr):
            return
        act = Act.STORE if name in _WRITES else Act.COMPARE
        if fields:
            model = self._model_in(call.func.value, scope)
            for field, value in fields if model is not None else ():
                if act is Act.STORE and model is not None:
                    yield from self._stored(call, value, field, model, scope)
                else:
                    yield from self._queried(call, value, scope)
        elif is_of_people(form.dotted(call.func.value) or own_name(call.func.value) or ""):
            for argument in call.positional[:2]:
                if isinstance(argument, form.Dict):
                    yield from self._record(call, argument, act, scope)

    def _record(self, node: form.Node, record: form.Dict, act: Act, scope: Scope) -> Iterator[_Found]:
        """A document or an entry with a password in it; `{"$set": {...}}` has it one level down."""
        for key, value in zip(record.keys, record.values, strict=True):
            if isinstance(value, form.Dict):
                yield from self._record(node, value, act, scope)
            elif isinstance(key, form.Const) and is_password_column(str(key.value)):
                kept = self._keepings.of(value, scope)
                if kept is not None and kept.keeping in (Keeping.PLAIN, Keeping.REVERSIBLE):
                    yield _Found(node, scope, "record", act, kept.keeping, kept.by, (kept.evidence,))

    def _queried(self, call: form.Call, value: form.Expr, scope: Scope) -> Iterator[_Found]:
        kept = self._keepings.of(value, scope)
        if kept is not None and kept.keeping is Keeping.PLAIN:
            yield _Found(call, scope, "query", Act.COMPARE, kept.keeping, kept.by, (kept.evidence,))

    def _stored(
        self, node: form.Node, value: form.Expr, field: str, owner: ClassSymbol | External, scope: Scope
    ) -> Iterator[_Found]:
        """A field of a user that is given something."""
        kept = self._keepings.of(value, scope)
        if kept is None or kept.keeping in (Keeping.DIGEST, Keeping.TOO_CHEAP):  # judged where that is done
            return
        if isinstance(owner, ClassSymbol) and kept.keeping is not Keeping.HASHED:
            where = self._keepings.hashed_by_class(owner, field)
            if where is not None:
                kept = Kept(Keeping.HASHED, owner.name, where)
        if kept.keeping is Keeping.HASHED and _is_within(kept.evidence, scope.module.location(node)):
            return  # judged as a call
        question = None if kept.is_certain else "does whoever calls this hash the password?"
        yield _Found(node, scope, field, Act.STORE, kept.keeping, kept.by, (kept.evidence,), question)

    def _is_hashed_later(self, target: form.Attr, scope: Scope) -> bool:
        """`user.set_password(...)` in the same code."""
        base = form.dotted(target.value)
        return any(
            isinstance(node, form.Call)
            and isinstance(node.func, form.Attr)
            and node.func.attr == "set_password"
            and form.dotted(node.func.value) == base
            for node in self._nesting.parents(scope)
        )

    def _model_in(self, node: form.Expr, scope: Scope) -> ClassSymbol | External | None:
        """The users' class that a query is about: `User` of `db.query(User).filter(...)`."""
        for inner in form.walk(node):
            if isinstance(inner, form.Name | form.Attr):
                cls = self._logins.class_of(inner, scope)
                if cls is not None:
                    return cls
        return None


def _is_within(evidence: Evidence, around_it: Location) -> bool:
    inner = evidence.location
    return inner.path == around_it.path and around_it.line <= inner.line <= around_it.end_line


def _is_same_owner(one: form.Expr, other: form.Expr) -> bool:
    """Whether both are parts of one thing: `data.password == data.password2`."""
    if isinstance(one, form.Attr | form.Subscript) and isinstance(other, form.Attr | form.Subscript):
        base = form.dotted(one.value)
        return base is not None and base == form.dotted(other.value)
    return False


def _digest_question(destinations: list[Destination], passwords: list[Ingredient], scope: Scope) -> str | None:
    """What makes it uncertain that the digest is kept."""
    names = [d.name for d in destinations if d.how in (Given.NAME, Given.RETURNED)]
    if any(words(name)[-1:] == ("key",) and len(words(name)) < 3 for name in names):
        return "is this a key that encrypts? then derive it with scrypt or PBKDF2"
    if any(only_identifies(name) for name in names):
        return "is this digest kept anywhere?"
    if not destinations:
        return "is this digest kept, or compared with one that is?"
    node = passwords[0].node
    of_self = isinstance(node, form.Attr) and form.dotted(node.value) == "self"
    owner = scope.enclosing_function.owner if scope.enclosing_function is not None else None
    if of_self and owner is not None and not is_of_people(owner.name):
        return "whose password is this? what logs the service in elsewhere is sent as the other side demands"
    return None
