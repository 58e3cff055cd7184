"""Which hosts an application answers to: `ALLOWED_HOSTS`, `TRUSTED_HOSTS`, middleware that refuses others.

https://docs.djangoproject.com/en/stable/ref/settings/#allowed-hosts, https://www.starlette.io/middleware/#trustedhostmiddleware,
https://flask.palletsprojects.com/en/stable/config/#TRUSTED_HOSTS
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.scanner.configuration.declared import Configuration
from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.meanings import truth_of
from assay.scanner.dataflow.constants import list_items
from assay.scanner.framework import Sited
from assay.scanner.gathered import Gathered
from assay.scanner.hardening.applications import DJANGO, Application
from assay.scanner.hardening.layers import Layer
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.model.hardening import HostPolicy
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.readers.python import form

_ANY = "*"
_MIDDLEWARE = frozenset({"TrustedHostMiddleware", "AllowedHostsConfig", "AllowedHostsMiddleware"})
_SETTINGS = frozenset({"TRUSTED_HOSTS", "SERVER_NAME"})


def host_policy(application: Application, gathered: Gathered, layers: Sequence[Layer]) -> HostPolicy:
    """What the application says of its hosts."""
    if application.framework == DJANGO:
        return _of_site(application, gathered)
    layer = next((la for la in layers if la.name in _MIDDLEWARE), None)
    if layer is not None:
        return _of_layer(application, layer, gathered)
    listed = next(_listed(application), None)
    if listed is not None:
        return _of_list(application, "the application", *listed, gathered)
    setting = next(
        (
            s
            for s in gathered.settings
            if s.name in _SETTINGS and _is_of(s, application, gathered) and s.value != "None"
        ),
        None,
    )
    if setting is not None:
        evidence = (Evidence(setting.location, f"{setting.name} names the hosts"),)
        return _policy(application, Option(True, evidence), setting)
    return _policy(application, None)


def _policy(application: Application, hosts: Option | None, setting: Setting | None = None) -> HostPolicy:
    place = setting.location if setting is not None else application.location
    return HostPolicy(application.name, place, Role.PROD, hosts)


def _is_of(setting: Setting, application: Application, gathered: Gathered) -> bool:
    return setting.role is Role.PROD and gathered.owners.of(setting.location.path) is application.service


def _of_site(application: Application, gathered: Gathered) -> HostPolicy:
    site = application.site
    assert site is not None
    found = [s for s in gathered.settings if s.name == "ALLOWED_HOSTS" and s.group == site.name]
    if not found:
        where = Evidence(application.location, "ALLOWED_HOSTS isn't set: it is empty")
        return _policy(application, Option(True, (where,)))
    setting = found[-1]
    return _policy(application, _of_setting(setting) or _of_branches(setting, site, gathered), setting)


def _of_setting(setting: Setting) -> Option | None:
    """By the value that it has where nothing overrides it; None where that isn't one value."""
    comes_from = f" unless {setting.variables[0]} is set" if setting.variables else ""
    if setting.value is None:
        return None
    if f"'{_ANY}'" in setting.value:
        what = Evidence(setting.location, f"{setting.name} is {setting.value}{comes_from}")
        return Option(False, (what,), is_default=bool(setting.variables))
    return Option(True, (Evidence(setting.location, f"{setting.name} is {setting.value}{comes_from}"),))


def _of_branches(setting: Setting, site: Module, gathered: Gathered) -> Option:
    """By what production gives it and adds to it: branches for development don't count."""
    defaults = Configuration(gathered.project).defaults
    given = gathered.production.listed(site, setting.name)
    taken = [(branch, scope) for node, scope in given for branch in _branches(node, scope, gathered)]
    values = [defaults.value(node, scope) for node, scope in taken]
    if any(value == _ANY or (isinstance(value, list | tuple) and _ANY in value) for value in values):
        what = Evidence(setting.location, f"{setting.name} comes to any host")
        return Option(False, (what,), is_default=bool(setting.variables))
    if values and UNKNOWN not in values:
        return Option(True, (Evidence(setting.location, f"{setting.name} lists the hosts in production"),))
    speaks_of_any = any(_speaks_of_any(node) for node, _ in taken)
    if (setting.variables or setting.is_required) and not speaks_of_any:
        return Option(True, (Evidence(setting.location, f"{setting.name} has to be configured"),))
    return Option(None, (Evidence(setting.location, f"what {setting.name} comes to can't be told"),))


def _branches(node: form.Expr, scope: Scope, gathered: Gathered) -> Iterator[form.Expr]:
    """What production may take of `x if DEBUG else y`."""
    if not isinstance(node, form.Conditional):
        yield node
        return
    truths = {truth_of(m.value) for m in gathered.production.meanings(node.test, scope)}
    if truths != {False}:
        yield from _branches(node.body, scope, gathered)
    if truths != {True}:
        yield from _branches(node.orelse, scope, gathered)


def _speaks_of_any(node: form.Expr) -> bool:
    texts = (n.value for n in form.walk(node) if isinstance(n, form.Const) and isinstance(n.value, str))
    return any(text.strip("[]\"' ") == _ANY for text in texts)


def _of_layer(application: Application, layer: Layer, gathered: Gathered) -> HostPolicy:
    node = layer.call.keyword("allowed_hosts") or next(iter(layer.call.positional[1:]), None)
    if node is None:
        where = layer.site.module.location(layer.call)
        asked = Evidence(where, f"`{layer.name}` is given no hosts")
        return HostPolicy(application.name, where, Role.PROD, Option(None, (asked,)))
    return _of_list(application, f"`{layer.name}`", node, Sited(layer.call, layer.site.scope), gathered)


def _listed(application: Application) -> Iterator[tuple[form.Expr, Sited]]:
    """Litestar's `allowed_hosts=[...]`, where it isn't given a configuration of its own."""
    for made in application.made:
        node = made.node.keyword("allowed_hosts") if isinstance(made.node, form.Call) else None
        if node is not None:
            yield node, made


def _of_list(application: Application, named: str, node: form.Expr, site: Sited, gathered: Gathered) -> HostPolicy:
    values = list(_values(node, site.scope, gathered))
    is_any, is_told = _ANY in values, UNKNOWN not in values
    evidence = site.module.evidence(node, f"{named} takes {'any host' if is_any else 'these hosts only'}")
    # A list that is configured is a list: only its default may let everybody in.
    hosts = Option(not is_any, (evidence,), is_default=not is_told)
    return HostPolicy(application.name, site.module.location(site.node), Role.PROD, hosts)


def _values(node: form.Expr, scope: Scope, gathered: Gathered) -> Iterator[object]:
    whole = Configuration(gathered.project).defaults.value(node, scope)
    if isinstance(whole, list | tuple | set | str):
        yield from [whole] if isinstance(whole, str) else whole
        return
    items = list_items(node, scope, gathered.project) or [(node, scope)]
    for item, around in items:
        for meaning in gathered.production.meanings(item, around):
            yield meaning.value
