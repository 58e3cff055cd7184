"""Where keys come from: what their meanings in production say of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.meanings import Firmness, Meaning, Meanings, Stand
from assay.scanner.dataflow.keys.key_refusals import Answer, KeyRefusals
from assay.scanner.dataflow.keys.places import node_at, scope_at
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.nesting import Nesting
from assay.scanner.dataflow.secrets.undeployed import is_in_undeployed_branch, is_undeployed
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.key import KeyOrigin
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_RANDOM = frozenset(
    {
        "generate_key", "get_random_secret_key", "get_random_string", "random_bytes", "token_bytes", "token_hex",
        "token_urlsafe", "urandom", "uuid4", "generate_secret_key", "choices", "SystemRandom", "choice",
        "generate_private_key",
    }
)  # fmt: skip
_KEEPING_IN_FILES = frozenset({"write", "write_text", "write_bytes", "dump", "set_key"})
_KEEPING = frozenset({"commit", "add", "save", "create", "set"})
"""How calls are named that keep what they are given, in files or elsewhere."""
_PUBLIC = ("-----BEGIN PUBLIC KEY", "-----BEGIN CERTIFICATE", "-----BEGIN RSA PUBLIC KEY", "ssh-rsa ", "ssh-ed25519 ")
_DEFAULTS = ("default", "fallback", "default_value")
"""How helpers call what counts where a variable isn't set."""
_OUTSIDE = frozenset({"config", "settings", "conf", "environ", "open", "read", "vault", "secrets"})
"""Words of names for what gives a key that the code doesn't have."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundKey:
    """A key at the place that says where it comes from; `text` is what the code states for it."""

    name: str
    place: Location
    scope: Scope
    origin: KeyOrigin
    evidence: tuple[Evidence, ...]
    aside: str | None = None
    text: str | None = None


class KeyOrigins:
    """Keeps the keys of one project, one for each line that states where one comes from."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._refusals = KeyRefusals(project)
        self._nesting = Nesting()
        self._found: dict[tuple[str, int], FoundKey] = {}

    def all(self) -> list[FoundKey]:
        """By path and position."""
        return sorted(self._found.values(), key=lambda f: f.place)

    def knows(self, name: str) -> bool:
        """Whether a key of that name was found."""
        return any(found.name.lower() == name.lower() for found in self._found.values())

    def add(
        self, name: str, meanings: Meanings, *, is_setting: bool, aside: str | None = None, refuses_empty: bool = False
    ) -> None:
        """Keeps what the key of that name may be. `refuses_empty` says that nothing runs with an empty one."""
        stated = [m for m in meanings if self.is_text(m)]
        for meaning in stated:
            self._note_stated(name, meaning, aside)
        if stated or not meanings:
            return
        if not is_setting and self.knows(name):
            return  # the setting was looked at
        meaning = next((m for m in meanings if m.value == ""), meanings[0])
        origin, text = self._origin(name, meaning, is_setting=is_setting, refuses_empty=refuses_empty)
        self.note(name, meaning.evidence.location, origin, text, aside=aside)

    def _origin(self, name: str, meaning: Meaning, *, is_setting: bool, refuses_empty: bool) -> tuple[KeyOrigin, str]:
        """Where a key comes from that is no text of the code."""
        place = meaning.evidence.location
        if meaning.value == "":
            if refuses_empty:
                return KeyOrigin.REFUSED, "Django doesn't start while it is empty"
            if self._refusals.refuses_empty(name, node_at(place, self._project), scope_at(place, self._project)):
                return KeyOrigin.REFUSED, "nothing starts while it is empty"
            return KeyOrigin.EMPTY, "it is empty unless it is set"
        if self._is_random(place):
            if self._is_kept(place, _KEEPING_IN_FILES):
                return KeyOrigin.LOCAL, "it is made up once, and kept in a file"
            if self._is_kept(place, _KEEPING):
                return KeyOrigin.OUTSIDE, "it is made up once, and kept"
            return KeyOrigin.RANDOM, "each process makes up its own here"
        is_unset = meaning.value is None or meaning.firmness is Firmness.DEFAULT
        if is_unset or is_setting or self._is_outside(place):
            return KeyOrigin.OUTSIDE, "it comes from outside of the code"
        return KeyOrigin.UNKNOWN, "where it comes from can't be told"

    def _note_stated(self, name: str, meaning: Meaning, aside: str | None) -> None:
        place = meaning.evidence.location
        text = meaning.value if isinstance(meaning.value, str) else None
        if text is not None and text.strip().startswith(_PUBLIC):
            self.note(name, place, KeyOrigin.PUBLIC, "it is a public key")
            return
        is_default = meaning.firmness is Firmness.DEFAULT
        scope = scope_at(place, self._project)
        refusal = self._refusals.of(name, text, scope.module)
        if refusal is not None:
            answer, evidence = refusal
            origin = KeyOrigin.REFUSED if answer is Answer.REFUSED else KeyOrigin.PERHAPS_REFUSED
            self._keep(FoundKey(name, place, scope, origin, (evidence,), aside, text))
            return
        origin = KeyOrigin.DEFAULT if is_default else KeyOrigin.CODE
        shown = "this is the key unless another one is set" if is_default else "it is written here"
        stated = text if text is not None else self._offered_text(place)
        self._keep(FoundKey(name, place, scope, origin, (Evidence(place, shown),), aside, stated))

    def note(
        self, name: str, place: Location, origin: KeyOrigin, text: str, scope: Scope | None = None,
        aside: str | None = None,
    ) -> None:  # fmt: skip
        """Keeps a key whose origin is known."""
        scope = scope or scope_at(place, self._project)
        self._keep(FoundKey(name, place, scope, origin, (Evidence(place, text),), aside))

    def _keep(self, found: FoundKey) -> None:
        if found.scope.module.role is not Role.PROD:
            return
        aside = found.aside or self._undeployed(found)
        line = (found.place.path, found.place.line)
        known = self._found.get(line)
        if known is None or (known.aside is not None and aside is None):
            self._found[line] = replace(found, aside=aside)

    def _undeployed(self, found: FoundKey) -> str | None:
        node = node_at(found.place, self._project)
        is_apart = isinstance(node, form.Node) and is_in_undeployed_branch(node, found.scope, self._nesting)
        return "it is for development or tests" if is_undeployed(found.scope) or is_apart else None

    def is_text(self, meaning: Meaning) -> bool:
        """Whether it is a text that is written in the code, or what a helper makes of such a default."""
        if meaning.value is UNKNOWN and meaning.firmness is Firmness.DEFAULT:
            return bool((self._offered_text(meaning.evidence.location) or "").strip())
        return meaning.value is Stand.BYTES or (isinstance(meaning.value, str) and bool(meaning.value.strip()))

    def _offered_text(self, place: Location) -> str | None:
        node = self._offered(place)
        return node.value if isinstance(node, form.Const) and isinstance(node.value, str) else None

    def _offered(self, place: Location) -> form.Expr | form.Stmt | None:
        """The default itself; of the call of a helper, the one that it is handed."""
        node = node_at(place, self._project)
        function = (
            self._project.callee_function(node, scope_at(place, self._project)) if isinstance(node, form.Call) else None
        )
        if not isinstance(node, form.Call) or function is None:
            return node
        taken = next((p for p in function.parameters if p.name in _DEFAULTS), None)
        return self._project.bound_argument(node, function, taken) if taken is not None else None

    def _is_random(self, place: Location) -> bool:
        node = node_at(place, self._project)
        calls = (n for n in form.walk(node) if isinstance(n, form.Call)) if node is not None else ()
        return any(last_name(call.func) in _RANDOM for call in calls)

    def _is_kept(self, place: Location, by: frozenset[str]) -> bool:
        """Whether the code around writes what it has made up, by a call of such a name."""
        function = scope_at(place, self._project).enclosing_function
        calls = (n for n in function.nodes if isinstance(n, form.Call)) if function is not None else ()
        return any(last_name(call.func) in by for call in calls)

    def _is_outside(self, place: Location) -> bool:
        """Whether a setting, a store or a file gives it."""
        node = node_at(place, self._project)
        named = {last_name(n) or "" for n in form.walk(node) if isinstance(n, form.Name | form.Attr)} if node else set()
        spoken = {word for name in named for word in words(name)}
        return not _OUTSIDE.isdisjoint(spoken)
