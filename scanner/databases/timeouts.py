"""Whether a database ends statements that take too long: by the connection's options, or by what a role, a server or
an event handler sets for all connections.

https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-STATEMENT-TIMEOUT,
https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_max_execution_time
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.databases.spelled import Spelling
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.readers.compose import ComposeFacts
from assay.scanner.readers.python import form
from assay.scanner.services import ServiceRoot

_SETTINGS = ("statement_timeout", "max_execution_time", "max_statement_time", "transaction_timeout")
_KEYWORDS = ("command_timeout", "read_timeout", "query_timeout")
_FOR_ALL = re.compile(r"\balter\s+(role|user|database|system)\b", re.IGNORECASE)
_FOR_ONE_TRANSACTION = re.compile(r"\bset\s+local\b", re.IGNORECASE)


def timeout_of(spelling: Spelling, elsewhere: Evidence | None) -> Option:
    """By the connection's own words, then by what holds for all."""
    word = spelling.containing(*_SETTINGS) or spelling.named(*_KEYWORDS)
    if word is not None:
        return Option(True, (word.scope.module.evidence(word.node, "it sets a statement timeout"),))
    if elsewhere is not None:
        return Option(True, (elsewhere,))
    return Option(None if spelling.is_open else False)


def timeout_for_all(gathered: Gathered, root: ServiceRoot) -> Evidence | None:
    """Where a timeout is set for all of the service's connections: an event handler, a role, the server's command."""
    return next(_in_code(gathered, root), None) or next(_in_compose(gathered), None)


def _in_code(gathered: Gathered, root: ServiceRoot) -> Iterator[Evidence]:
    for module in gathered.project.modules.values():
        if module.role is not Role.PROD or gathered.owners.of(module.path) is not root:
            continue
        for node, scope in module.texts:
            text = _text(node)
            if not any(name in text for name in _SETTINGS) or _FOR_ONE_TRANSACTION.search(text):
                continue
            if _FOR_ALL.search(text) or offline_reason(scope) is None:
                yield module.evidence(node, "it sets a statement timeout")


def _in_compose(gathered: Gathered) -> Iterator[Evidence]:
    """`command: postgres -c statement_timeout=5s`, `PGOPTIONS: -c statement_timeout=5s`."""
    for path, facts in gathered.context.files.items():
        if isinstance(facts, ComposeFacts) and gathered.roles.get(path, Role.PROD) is Role.PROD:
            for service in facts.services:
                if any(name in repr(service) for name in _SETTINGS):
                    yield Evidence(Location.whole_file(path), "the database's server sets a statement timeout")


def _text(node: form.Const | form.Template) -> str:
    if isinstance(node, form.Const):
        return node.value if isinstance(node.value, str) else ""
    return "".join(part for part in node.parts if isinstance(part, str))
