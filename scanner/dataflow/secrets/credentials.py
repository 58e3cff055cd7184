"""Credentials: what stands in the code where a password, a key or a token belongs, and what has the form of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from assay.scanner.dataflow.constants import definitions
from assay.scanner.dataflow.keys.signing_calls import SIGNERS, signing_texts
from assay.scanner.dataflow.lexicon import has_several_meanings, sensitivity, words
from assay.scanner.dataflow.nesting import Nesting, Node
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.dataflow.secrets.credential_formats import HINT, Look, is_local, known_format, login_in, look
from assay.scanner.dataflow.secrets.destinations import own_name
from assay.scanner.dataflow.secrets.expressions import Gathered, Text, gathered
from assay.scanner.dataflow.secrets.names import is_password
from assay.scanner.dataflow.secrets.passwords.logins import is_input
from assay.scanner.dataflow.secrets.secret_names import holds_secret
from assay.scanner.dataflow.secrets.undeployed import is_in_undeployed_branch, is_undeployed
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.crypto import Credential, CredentialSource
from assay.scanner.model.log import Sensitivity
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_SIGNING = frozenset(
    {
        ("secret", "key"), ("signing", "key"), ("jwt", "secret"), ("jwt", "key"), ("session", "secret"),
        ("fernet", "key"), ("session", "key"), ("encryption", "key"), ("cookie", "secret"), ("csrf", "secret"),
        ("cookie", "key"), ("hash", "secret"),
    }
)  # fmt: skip
"""How names end of keys that sign or encrypt: SEC204 judges them."""
_BY_POSITION = {"HTTPBasicAuth": 1, "HTTPDigestAuth": 1, "BasicAuth": 1, "DigestAuth": 1, "login": 1, "HttpNtlmAuth": 1}
"""Calls that take a password by position."""
_COMPARISONS = frozenset({"compare_digest", "constant_time_compare", "safe_str_cmp"})
_SCHEMES = ("bearer ", "basic ", "token ", "apikey ", "key ")
_WRAPPERS = frozenset({"SecretStr", "SecretBytes", "Secret", "bytes", "str"})
_ENVIRONMENT = frozenset({"getenv", "config", "env", "get_env"})
_STORES = frozenset({"get_secret_value", "get_secret", "read_secret", "access_secret_version", "getpass"})
_CONFIGURATION = frozenset(
    {"app_settings", "cfg", "conf", "config", "configuration", "env", "environ", "options", "settings"}
)
_SETTINGS_BASES = ("pydantic_settings.BaseSettings", "pydantic.BaseSettings")
_SEEDING = frozenset({"create_user", "create_superuser", "set_password", "make_password", "generate_password_hash"})
_NUMBERS = frozenset({"card", "iban", "num", "number", "ssn"})
_SHOWING = frozenset({"example", "examples", "extra", "openapi", "schema"})
_ENUMERATIONS = frozenset(
    {"Enum", "StrEnum", "IntEnum", "Flag", "Choices", "TextChoices", "IntegerChoices", "ChoiceSet"}
)


@dataclass(frozen=True, slots=True)
class _Position:
    """A text where a credential belongs.

    `is_used` says that it is handed to what asks for one, `is_compared` that something is compared with it,
    `is_default` that it counts where the environment has nothing, `of_setting` that OPS201 judges this default.
    """

    name: str
    text: form.Const
    scope: Scope
    is_used: bool = False
    is_compared: bool = False
    is_default: bool = False
    of_setting: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """A credential before it is numbered."""

    node: form.Node
    scope: Scope
    what: str
    source: CredentialSource
    kind: str | None = None
    question: str | None = None
    aside: str | None = None
    size: int = 0


class Credentials:
    """All credentials in the production code of a project."""

    def __init__(self, project: Project, nesting: Nesting) -> None:
        self._project = project
        self._nesting = nesting

    def found(self) -> Iterator[Credential]:
        """Each with where it comes from, in order of path and position."""
        gathered_now = gathered(HINT, self._project)
        positions: dict[form.Const, _Position] = {}
        found: dict[Node, _Found] = {}
        for node, scope in gathered_now.texts:
            shown = self._told_by_form(node, scope)
            if shown is not None:
                found[node] = shown
        for slot, scope in _slots(gathered_now, self._project):
            for position in self._texts(slot, scope):
                _note(positions, position)
            if self._is_from_outside(slot):
                found.setdefault(slot.value, _Found(slot.value, scope, slot.name, CredentialSource.OUTSIDE))
        for text, position in positions.items():
            judged = self._judged(position)
            if judged is not None and (text not in found or found[text].kind is None):
                found[text] = judged
        ordered = sorted(found.values(), key=lambda f: (f.scope.module.path, f.node.start, f.node.end))
        ordinals = Ordinals()
        for place in ordered:
            yield Credential(
                function=around(place.scope),
                what=place.what,
                ordinal=ordinals.next(around(place.scope), place.what),
                location=place.scope.module.location(place.node),
                role=place.scope.module.role,
                source=place.source,
                kind=place.kind,
                masked=f"{place.size} characters" if place.size else "",
                question=place.question,
                aside=place.aside,
            )

    # --- texts that give themselves away ---

    def _told_by_form(self, node: Text, scope: Scope) -> _Found | None:
        if isinstance(node, form.Template):
            return self._login(node, "".join(p if isinstance(p, str) else "{}" for p in node.parts), scope)
        text = str(node.value)
        kind = known_format(text)
        if kind is not None:
            return _Found(node, scope, kind, CredentialSource.CODE, kind, size=len(text))
        return self._login(node, text, scope)

    def _login(self, node: form.Expr, text: str, scope: Scope) -> _Found | None:
        """A password in an address."""
        known = login_in(text)
        if known is None or "{" in known[0]:
            return None
        password, host = known
        aside, question = None, None
        looks = look(password)
        if looks in (Look.PLACEHOLDER, Look.OTHER) or "[" in text or is_credential(password):
            aside = "the password in it is to be filled in"
        elif is_local(host) and looks is Look.WORD:
            aside = "a default for a machine of one's own"
        elif is_local(host) or looks is Look.WORD or self._is_environments_default(node, scope):
            question = f"does anything but a developer's machine take this password of `{host}`?"
        aside = aside or self._not_deployed(node, scope)
        return _Found(
            node, scope, "password in an address", CredentialSource.CODE, None, question, aside, len(password)
        )

    # --- texts in the places of credentials ---

    def _texts(self, slot: _Slot, scope: Scope) -> Iterator[_Position]:
        """The texts that the expression comes to: written there, or behind the name that stands there."""
        match slot.value:
            case form.Const(value=str()) as text:
                is_setting = self._is_of_settings_class(scope)
                is_default = slot.is_default or is_setting
                yield _Position(slot.name, text, scope, slot.is_used, slot.is_compared, is_default, is_setting)
            case form.Name() | form.Attr() if slot.is_used:
                for node, node_scope in definitions(slot.value, scope, self._project):
                    if isinstance(node, form.Const) and isinstance(node.value, str):
                        yield _Position(own_name(slot.value) or slot.name, node, node_scope, is_used=True)
            case form.Call(func=form.Attr(value=form.Const() as text, attr="encode" | "strip")):
                yield from self._texts(replace(slot, value=text), scope)
            case form.Call(func=form.Name(id=wrapper), args=[only]) if wrapper in _WRAPPERS:
                yield from self._texts(replace(slot, value=only.value), scope)
            case form.Call():
                default = _default_of(slot.value)
                if isinstance(default, form.Const) and isinstance(default.value, str):
                    of_setting = _is_of_setting(slot.value, slot, scope) or self._is_of_settings_class(scope)
                    yield _Position(slot.name, default, scope, slot.is_used, slot.is_compared, True, of_setting)
            case form.Boolean(op="or", values=[first, *_, form.Const(value=str()) as last]):
                of_setting = isinstance(first, form.Call) and _is_of_setting(first, slot, scope)
                yield _Position(slot.name, last, scope, slot.is_used, slot.is_compared, True, of_setting)
            case form.Conditional(body=body, orelse=orelse):
                for branch in (body, orelse):
                    yield from self._texts(replace(slot, value=branch), scope)

    def _judged(self, position: _Position) -> _Found | None:
        """What is to be said of a text in the place of a credential; None for an empty one."""
        name, node, scope = position.name, position.text, position.scope
        text = str(node.value)
        for scheme in _SCHEMES:
            if words(name)[-1:] == ("authorization",) and text.lower().startswith(scheme):
                text = text[len(scheme) :]
        if not text.strip():
            return None
        source = CredentialSource.DEFAULT if position.is_default else CredentialSource.CODE
        found = _Found(node, scope, name, source, size=len(text))
        looks = look(text)
        if looks is Look.NAME and position.is_compared and is_password(name):
            looks = Look.WORD
        if looks in _ASIDES:
            return replace(found, aside=_ASIDES[looks])
        if _is_a_name(text, name) or self._is_member(scope):
            return replace(found, aside=_ASIDES[Look.NAME])
        is_signing = words(name)[-2:] in _SIGNING or "jwt" in words(name)
        if (is_signing and not position.is_used) or node in signing_texts(self._project):
            return replace(found, aside="SEC204 judges keys that sign")
        if position.of_setting:
            return replace(found, aside="OPS201 judges what settings fall back to")
        aside = self._not_deployed(node, scope)
        if aside is not None:
            return replace(found, aside=aside)
        return self._weighed(found, position, looks)

    def _weighed(self, found: _Found, position: _Position, looks: Look) -> _Found:
        """How sure it is that the text lets anybody in."""
        is_random = looks is Look.RANDOM or (looks is Look.HEX and not is_password(position.name))
        is_used = position.is_used or position.is_compared
        if position.is_default:
            if looks is Look.WORD:
                return replace(found, aside="a default for a machine of one's own")
            return replace(found, question="does production ever run with this default?")
        if looks is Look.HEX and not is_random:
            return replace(found, question="is this a password, or a digest of one?")
        if looks is Look.WORD and not (position.is_compared and is_password(position.name)):
            if not position.is_used:
                return replace(found, aside="nothing shows that it lets anybody in")
            return replace(found, question="does this text let anybody in?")
        if not is_random and not is_used:
            return replace(found, question="does this text let anybody in?")
        reason = offline_reason(found.scope)
        if reason is not None or self._is_seed(position):
            return replace(found, question="is this a first password, which has to be changed?")
        return found

    def _is_from_outside(self, slot: _Slot) -> bool:
        """Whether the environment, the configuration or a secret store gives the credential."""
        match slot.value:
            case form.Subscript(value=base):
                return last_name(base) in ("environ", "config", "settings", "secrets")
            case form.Call() as call:
                default = _default_of(call)
                is_without = default is None or (isinstance(default, form.Const) and not default.value)
                return (_is_environment_call(call) and is_without) or last_name(call.func) in _STORES
            case form.Attr(value=base) if slot.is_used:
                return not _CONFIGURATION.isdisjoint(words(form.dotted(base) or ""))
        return False

    # --- what the text stands in ---

    def _is_member(self, scope: Scope) -> bool:
        """A member of an enumeration is a name."""
        if scope.cls is None:
            return False
        return any(last_part(base) in _ENUMERATIONS for base in self._project.base_names(scope.cls)) or any(
            last_name(base.value) in _ENUMERATIONS for base in scope.cls.node.bases
        )

    def _is_seed(self, position: _Position) -> bool:
        parent = self._nesting.parents(position.scope).get(position.text)
        return isinstance(parent, form.Call) and last_name(parent.func) in _SEEDING

    def _is_environments_default(self, node: form.Expr, scope: Scope) -> bool:
        parent = self._nesting.parents(scope).get(node)
        if isinstance(parent, form.Call):
            return _is_environment_call(parent)
        return self._is_of_settings_class(scope) or isinstance(parent, form.Boolean)

    def _is_of_settings_class(self, scope: Scope) -> bool:
        return scope.cls is not None and self._project.is_subclass(scope.cls, *_SETTINGS_BASES)

    def _not_deployed(self, node: form.Expr, scope: Scope) -> str | None:
        """Why no production process has the text."""
        if is_undeployed(scope) or is_in_undeployed_branch(node, scope, self._nesting):
            return "it is for development or tests"
        parents = self._nesting.parents(scope)
        child: Node = node
        while (parent := parents.get(child)) is not None:
            if any(not _SHOWING.isdisjoint(words(name)) for name in _names_around(parent, child)):
                return "it is an example in a description"
            child = parent
        return None


_ASIDES = {
    Look.PLACEHOLDER: "it is to be filled in, or hides something",
    Look.HASH: "it is what a password was made into",
    Look.NAME: "it is the name of something",
    Look.OTHER: "it is a label or a place",
}


@lru_cache(maxsize=16_384)
def is_credential(name: str) -> bool:
    """Whether what lets somebody in belongs behind the name."""
    if is_password(name):
        return words(name) != ("pass",)
    if sensitivity(name) is not Sensitivity.CREDENTIAL or has_several_meanings(name):
        return False
    return words(name)[-1] not in _NUMBERS


@dataclass(frozen=True, slots=True)
class _Slot:
    """A place where a credential belongs, and the expression that stands there."""

    name: str
    value: form.Expr
    is_used: bool = False
    is_compared: bool = False
    is_default: bool = False


def _slots(places: Gathered, project: Project) -> Iterator[tuple[_Slot, Scope]]:
    """The places of credentials in production code."""
    yield from ((slot, scope) for call, scope in places.calls for slot in _arguments(call))
    yield from ((slot, scope) for assignment, scope in places.assignments for slot in _targets(assignment))
    yield from ((slot, scope) for display, scope in places.dicts for slot in _entries(display))
    for comparison, scope in places.comparisons:
        yield from ((slot, scope) for slot in _compared(comparison.left, comparison.rights[0]))
    for module in project.modules.values():
        for function in module.functions if module.role is Role.PROD else ():
            yield from ((slot, function.outer) for slot in _parameters(function))


def _targets(assignment: form.Assign) -> Iterator[_Slot]:
    for target in assignment.targets if assignment.value is not None else ():
        name = own_name(target)
        if name is not None and is_credential(name) and assignment.value is not None:
            yield _Slot(name, assignment.value)


def _entries(display: form.Dict) -> Iterator[_Slot]:
    for key, value in zip(display.keys, display.values, strict=True):
        if isinstance(key, form.Const) and isinstance(key.value, str) and is_credential(key.value):
            yield _Slot(key.value, value, is_used=words(key.value) == ("authorization",))


def _parameters(function: FunctionSymbol) -> Iterator[_Slot]:
    for param in function.parameters:
        if param.default is not None and is_credential(param.name):
            yield _Slot(param.name, param.default, is_default=True)


def _arguments(call: form.Call) -> Iterator[_Slot]:
    callee = last_name(call.func) or ""
    for argument in call.args:
        if argument.name == "auth" and isinstance(argument.value, form.Display) and argument.value.items:
            yield _Slot("password", argument.value.items[-1], is_used=True)
        elif argument.name is not None and is_credential(argument.name) and callee not in SIGNERS:
            yield _Slot(argument.name, argument.value, is_used=True)
    position = _BY_POSITION.get(callee)
    if position is not None and len(call.positional) > position:
        yield _Slot("password", call.positional[position], is_used=True)
    if callee in _COMPARISONS and len(call.positional) == 2:
        yield from _compared(*call.positional)


def _compared(left: form.Expr, right: form.Expr) -> Iterator[_Slot]:
    for one, other in ((left, right), (right, left)):
        name = own_name(one)
        if name is not None and is_credential(name) and isinstance(other, form.Const) and _is_given(one):
            yield _Slot(name, other, is_compared=True)


def _is_given(node: form.Expr) -> bool:
    """Whether it is what somebody gave, not what is stored or configured: that may bear a mark instead of a secret."""
    return not isinstance(node, form.Attr) or is_input(form.dotted(node.value) or own_name(node.value) or "")


def _note(positions: dict[form.Const, _Position], position: _Position) -> None:
    """A text may be written in one place and used in another."""
    known = positions.get(position.text)
    if known is not None:
        position = replace(
            known,
            is_used=known.is_used or position.is_used,
            is_compared=known.is_compared or position.is_compared,
            is_default=known.is_default or position.is_default,
            of_setting=known.of_setting or position.of_setting,
        )
    positions[position.text] = position


def _is_environment_call(call: form.Call) -> bool:
    """`os.getenv("X")`, `os.environ.get("X")`, `config("X")` of decouple and Starlette, `env.str("X")` of environs."""
    first = call.positional[0] if call.positional else None
    if not isinstance(first, form.Const) or not isinstance(first.value, str):
        return False
    if last_name(call.func) in _ENVIRONMENT:
        return True
    return isinstance(call.func, form.Attr) and last_name(call.func.value) in ("env", "environ")


def _is_of_setting(call: form.Call, slot: _Slot, scope: Scope) -> bool:
    """Whether the call reads a secret variable: into a setting, or one whose name says what it is."""
    if not _is_environment_call(call):
        return False
    variable = call.positional[0]
    is_named = isinstance(variable, form.Const) and holds_secret(str(variable.value))
    return is_named or (scope.function is None and not slot.is_used and holds_secret(slot.name))


def _default_of(call: form.Call) -> form.Expr | None:
    """What counts where the environment has nothing, or a form gives nothing."""
    if _is_environment_call(call):
        return call.argument(1, "default")
    if last_name(call.func) == "Field":
        return call.argument(0, "default")
    return None


def _is_a_name(text: str, name: str) -> bool:
    """Whether the text only says again what the place is called, or is the name of a credential itself."""
    told = set(words(text))
    return (
        not told
        or told <= set(words(name))
        or (is_credential(text) and text.isascii() and text.replace("_", "").isalpha())
    )


def _names_around(parent: Node, child: Node) -> Iterator[str]:
    """The name that the parent gives the child: a keyword, a key, a target."""
    match parent:
        case form.Call(args=args):
            yield from (a.name for a in args if a.value is child and a.name is not None)
        case form.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if value is child and isinstance(key, form.Const) and isinstance(key.value, str):
                    yield key.value
        case form.Assign(targets=targets):
            yield from (name for target in targets if (name := own_name(target)) is not None)
