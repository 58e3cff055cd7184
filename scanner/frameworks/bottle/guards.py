"""Bottle's guards: hooks that run before a request, and plugins, which wrap handlers as decorators do
(https://bottlepy.org/docs/dev/plugins/index.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.asked import Asked
from assay.scanner.dataflow.constants import one_or_many
from assay.scanner.dataflow.refusals.strangers import refusal_of_strangers
from assay.scanner.framework import Guard, Sited
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.readers.python import form
from assay.scanner.web.guards import decorator_guards
from assay.scanner.web.registrations import Registration

GUARDS = frozenset({"bottle.auth_basic"})


def hook_guards(hooks: Iterable[FunctionSymbol], asked: Asked, project: Project) -> Iterator[Guard]:
    """The `before_request` hooks that turn strangers away who ask for this."""
    for hook in hooks:
        refused = refusal_of_strangers(hook, project, asked)
        if refused is not None:
            yield Guard(hook.name, refused)


def plugin_guards(added: Registration, installed: Iterable[Sited], project: Project) -> Iterator[Guard]:
    """The plugins that turn callers away: the application's and the route's own, without those that the route skips."""
    applied, skipped = (_listed(added, name, project) for name in ("apply", "skip"))
    skips_all = any(isinstance(plugin.node, form.Const) and plugin.node.value is True for plugin in skipped)
    names = {project.qualified_name(plugin.node, plugin.scope) for plugin in skipped}
    for plugin in (*installed, *applied) if not skips_all else ():
        if project.qualified_name(plugin.node, plugin.scope) not in names:
            yield from decorator_guards([plugin.node], plugin.scope, project, GUARDS)


def _listed(added: Registration, keyword: str, project: Project) -> list[Sited]:
    node = added.call.keyword(keyword)
    return [Sited(*item) for item in one_or_many(node, added.scope, project)] if node is not None else []
