"""Settings that are secrets and no signing keys: what they fall back to where nobody sets them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from assay.scanner.configuration.environment import Environment
from assay.scanner.configuration.meanings import Firmness, Meaning, Meanings
from assay.scanner.dataflow.keys.key_origins import FoundKey, KeyOrigins
from assay.scanner.dataflow.keys.places import node_at, scope_at
from assay.scanner.dataflow.keys.signing_keys import is_signing
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.nesting import Nesting
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.secrets.credential_formats import Look, known_format, look
from assay.scanner.dataflow.secrets.secret_names import holds_secret
from assay.scanner.dataflow.ways import Turn, way_to
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.model.key import KeyOrigin, SigningKey
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.secret_setting import Direction, Fallback, SecretSetting
from assay.scanner.readers.python import form

_PYDANTIC = "pydantic settings"
_READS = ("get", "getenv", "env", "config", "str")
_OF_READS = frozenset({"environ", "env", "os"})
_LETS_IN = frozenset(
    {
        "admin", "administrator", "superuser", "superadmin", "webhook", "hook", "internal", "metrics", "cron", "pepper",
        "bootstrap", "operator", "basic",
    }
)  # fmt: skip
"""Words of names for what this service takes from others."""
_STORES = frozenset(
    {
        "db", "database", "sql", "postgres", "postgresql", "pg", "mysql", "mariadb", "mongo", "mongodb", "redis",
        "rabbitmq", "amqp", "kafka", "minio", "elasticsearch", "opensearch", "clickhouse", "neo4j", "mssql",
    }
)  # fmt: skip
_OTHERS = _STORES | {"smtp", "mail", "email", "aws", "s3", "ldap", "slack", "google", "oauth", "client"}
"""Words of names for what others take from this service: the administrator may be a database's."""
_SWITCH = re.compile(r"(?i)true|false|yes|no|on|off|\d{1,2}|none|null|trust|md5|scram-sha-256")
_OF_SWITCHES = frozenset({"use", "uses", "enable", "enabled", "disable", "allow", "allowed", "supports", "optional"})
"""Words of names for a yes or a no about secrets."""
_FALLBACKS = {
    KeyOrigin.EMPTY: Fallback.EMPTY,
    KeyOrigin.REFUSED: Fallback.REFUSED,
    KeyOrigin.PERHAPS_REFUSED: Fallback.PERHAPS_REFUSED,
    KeyOrigin.RANDOM: Fallback.MADE_UP,
    KeyOrigin.LOCAL: Fallback.MADE_UP,
    KeyOrigin.OUTSIDE: Fallback.NOTHING,
}


def secret_settings(gathered: Gathered, signing: Collection[SigningKey]) -> Iterator[SecretSetting]:
    """Those of the code, each line once, in order of path and position."""
    origins = KeyOrigins(gathered.project)
    for name, found in _from_settings(gathered):
        origins.add(name, found, is_setting=True)
    for name, found in (*_from_reads(gathered), *_from_additions(gathered)):
        origins.add(name, found, is_setting=True)
    judged = {(key.location.path, key.location.line) for key in signing}
    ordinals = Ordinals()
    for key in origins.all():
        fallback = _fallback(key)
        if fallback is None or (key.place.path, key.place.line) in judged:
            continue
        holder = around(key.scope)
        yield SecretSetting(
            holder=holder,
            name=key.name,
            ordinal=ordinals.next(holder, key.name),
            location=key.place,
            role=key.scope.module.role,
            fallback=fallback,
            direction=direction(key.name),
            evidence=_shown(key),
            aside=key.aside,
        )


def _from_settings(gathered: Gathered) -> Iterator[tuple[str, Meanings]]:
    for setting in gathered.settings:
        name = setting.name.rpartition(".")[2]
        is_ours = setting.role is Role.PROD and setting.variables and _is_secret(name)
        if not is_ours or any(map(is_signing, (name, *setting.variables))):
            continue
        found = gathered.production.stated(setting)
        is_pydantic = setting.source == _PYDANTIC  # variables come before what the class states
        found = tuple(
            m.resting_on(Firmness.DEFAULT) if is_pydantic or _is_for_unset(m, name, gathered.project) else m
            for m in found
        )
        if not any(m.value is True or (m.value is False and m.firmness is Firmness.FIXED) for m in found):
            yield name, found


def _is_for_unset(meaning: Meaning, name: str, project: Project) -> bool:
    """Whether it is what the setting is given where it has nothing: `if not NAME: NAME = ...`."""
    place = meaning.evidence.location
    node = node_at(place, project) if isinstance(meaning.value, str) else None
    way = way_to(scope_at(place, project).body, node.start) if node is not None else ()
    return any(b.turn is Turn.THEN and b.test is not None and _asks_whether_unset(b.test, name) for b in way)


def _asks_whether_unset(test: form.Expr, name: str) -> bool:
    match test:
        case form.Unary(op="not", operand=asked):
            return last_name(asked) == name
        case form.Compare(left=asked, ops=["is" | "=="], rights=[form.Const(value=None | "")]):
            return last_name(asked) == name
    return False


def _from_reads(gathered: Gathered) -> Iterator[tuple[str, Meanings]]:
    """Reads with a default, or with an `or` behind them, that aren't settings of their own: in a dict of databases, in
    a call that connects.
    """
    project = gathered.project
    environment, nesting = Environment(project), Nesting()
    for call, scope in project.calls_named(*_READS):
        named = call.positional[0] if call.positional else None
        if not isinstance(named, form.Const) or not isinstance(named.value, str) or not _is_secret(named.value):
            continue
        owner = last_name(call.func.value) if isinstance(call.func, form.Attr) else "env"
        if scope.module.role is not Role.PROD or is_signing(named.value) or owner not in _OF_READS:
            continue
        read = environment.read(call, scope)
        around = nesting.parents(scope).get(call) if read is not None and read.default is None else None
        if isinstance(around, form.Boolean) and around.op == "or":
            yield named.value, gathered.production.meanings(around, scope)
        elif read is not None and read.default is not None:
            yield named.value, gathered.production.meanings(call, scope)


def _from_additions(gathered: Gathered) -> Iterator[tuple[str, Meanings]]:
    """What the code adds to the environment where it isn't there: `os.environ.setdefault("NAME", "text")`."""
    for call, scope in gathered.project.calls_named("setdefault"):
        match call:
            case form.Call(func=form.Attr(value=owner), positional=[form.Const(value=str() as name), text]):
                is_ours = scope.module.role is Role.PROD and last_name(owner) == "environ"
                if is_ours and _is_secret(name) and not is_signing(name):
                    found = gathered.production.meanings(text, scope)
                    yield name, tuple(m.resting_on(Firmness.DEFAULT) for m in found)


def _is_secret(name: str) -> bool:
    return holds_secret(name) and _OF_SWITCHES.isdisjoint(words(name))


def _shown(key: FoundKey) -> tuple[Evidence, ...]:
    if key.origin is not KeyOrigin.DEFAULT:
        return key.evidence
    return (Evidence(key.place, f"{key.name} is this where nobody sets it"),)


def _fallback(key: FoundKey) -> Fallback | None:
    """None for what isn't stated as a default, or is no secret."""
    if key.origin is KeyOrigin.DEFAULT:
        return told(key.text or "")
    return _FALLBACKS.get(key.origin)


def told(text: str) -> Fallback | None:
    """What a text of the tree is where a secret belongs; None where it is none at all: a switch, a place, a digest."""
    looks = look(text)
    is_place = text.startswith(("/", "http://", "https://")) or (looks is Look.OTHER and ("/" in text or "\n" in text))
    if looks is Look.HASH or is_place or _SWITCH.fullmatch(text):
        return None
    if known_format(text) is not None or looks in (Look.RANDOM, Look.HEX):
        return Fallback.SECRET
    return Fallback.PLACEHOLDER if looks is Look.PLACEHOLDER else Fallback.WORD


def direction(name: str) -> Direction:
    """Whom a secret of the name lets in."""
    parts = set(words(name))
    return Direction.IN if parts & _LETS_IN and not parts & _OTHERS else Direction.OUT


def direction_beside_servers(name: str) -> Direction:
    """The same in a file that starts the databases and brokers as well: they take what it states."""
    lets_in = not (_LETS_IN | _STORES).isdisjoint(words(name)) or is_signing(name)
    return Direction.IN if lets_in else Direction.OUT
