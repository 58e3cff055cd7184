"""Which hosts an application answers to: `ALLOWED_HOSTS`, `TRUSTED_HOSTS`, middleware that refuses others.

https://docs.djangoproject.com/en/stable/ref/settings/#allowed-hosts, https://www.starlette.io/middleware/#trustedhostmiddleware,
https://flask.palletsprojects.com/en/stable/config/#TRUSTED_HOSTS
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.configuration.declared import Configuration
from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.dataflow.constants import list_items
from assay.scanner.gathered import Gathered
from assay.scanner.hardening.applications import DJANGO, Application
from assay.scanner.hardening.layers import Layer, layers_of
from assay.scanner.model.hardening import HostPolicy
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.readers.python import form

_ANY = "*"
_MIDDLEWARE = frozenset({"TrustedHostMiddleware", "AllowedHostsConfig", "AllowedHostsMiddleware"})
_SETTINGS = frozenset({"TRUSTED_HOSTS", "SERVER_NAME"})


def host_policy(application: Application, gathered: Gathered) -> HostPolicy:
    """What the application says of its hosts."""
    if application.framework == DJANGO:
        return _of_site(application, gathered)
    layer = next((la for la in layers_of(application, gathered) if la.name in _MIDDLEWARE), None)
    if layer is not None:
        return _of_layer(application, layer, gathered)
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
    return _policy(application, _of_setting(setting), setting)


def _of_setting(setting: Setting) -> Option:
    comes_from = f" unless {setting.variables[0]} is set" if setting.variables else ""
    if setting.value is None:
        if setting.variables or setting.is_required:
            return Option(True, (Evidence(setting.location, f"{setting.name} has to be configured"),))
        return Option(None, (Evidence(setting.location, f"what {setting.name} comes to can't be told"),))
    if f"'{_ANY}'" in setting.value:
        what = Evidence(setting.location, f"{setting.name} is {setting.value}{comes_from}")
        return Option(False, (what,), is_default=bool(setting.variables))
    return Option(True, (Evidence(setting.location, f"{setting.name} is {setting.value}{comes_from}"),))


def _of_layer(application: Application, layer: Layer, gathered: Gathered) -> HostPolicy:
    node = layer.call.keyword("allowed_hosts")
    where = layer.site.module.location(layer.call)
    if node is None:
        asked = Evidence(where, f"`{layer.name}` is given no hosts")
        return HostPolicy(application.name, where, Role.PROD, Option(None, (asked,)))
    values = list(_values(node, layer, gathered))
    is_any, is_told = _ANY in values, UNKNOWN not in values
    text = "takes any host" if is_any else "takes these hosts only"
    evidence = layer.site.module.evidence(node, f"`{layer.name}` {text}")
    # A list that is configured is a list: only its default may let everybody in.
    return HostPolicy(application.name, where, Role.PROD, Option(not is_any, (evidence,), is_default=not is_told))


def _values(node: form.Expr, layer: Layer, gathered: Gathered) -> Iterator[object]:
    whole = Configuration(gathered.project).defaults.value(node, layer.site.scope)
    if isinstance(whole, list | tuple | set | str):
        yield from [whole] if isinstance(whole, str) else whole
        return
    items = list_items(node, layer.site.scope, gathered.project) or [(node, layer.site.scope)]
    for item, scope in items:
        for meaning in gathered.production.meanings(item, scope):
            yield meaning.value
