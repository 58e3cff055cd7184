"""Settings by which Flask-Mail and Django send mail, which is in the clear unless they say otherwise.

https://flask-mail.readthedocs.io, https://docs.djangoproject.com/en/stable/ref/settings/#email-use-tls
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.gathered import Gathered
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.model.transport import Place
from assay.scanner.transports.places import place_of

_FLASK = ("MAIL_SERVER", ("MAIL_USE_TLS", "MAIL_USE_SSL"), ("MAIL_USERNAME", "MAIL_PASSWORD"))
_DJANGO = ("EMAIL_HOST", ("EMAIL_USE_TLS", "EMAIL_USE_SSL"), ("EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD"))
_SOURCES: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "Flask config": _FLASK,
    "Django settings": _DJANGO,
}
_READ_BY: Mapping[str, frozenset[str]] = {
    "Flask config": frozenset({"flask_mail", "flask_mailman", "quart_mail"}),
    "Django settings": frozenset({"django"}),
}
"""Packages that read them: a project's own code may call a setting of its own by such a name."""
_NO = frozenset({"", "False", "0", "'0'", "'false'", "'False'", "'no'", "''", "None"})


@dataclass(frozen=True, slots=True)
class MailSettings:
    """How one configuration reaches its mail server; `shown` is the setting that a person looks for."""

    shown: Setting
    place: Place
    encrypted: Option
    carries: tuple[Evidence, ...]


def mail_settings(gathered: Gathered) -> Iterator[MailSettings]:
    """One for each configuration that names a mail server."""
    imported = gathered.project.imported_packages
    read = {source for source, packages in _READ_BY.items() if not imported.isdisjoint(packages)}
    groups: dict[tuple[str, str], dict[str, Setting]] = {}
    for setting in gathered.settings:
        if setting.role is Role.PROD and setting.source in read:
            groups.setdefault((setting.source, setting.group), {})[setting.name.rpartition(".")[2]] = setting
    for (source, _), known in groups.items():
        host_name, switches, credentials = _SOURCES[source]
        host = known.get(host_name)
        if host is not None:
            stated = [known[name] for name in switches if name in known]
            shown = stated[0] if stated else host
            carried = tuple(_carried(known, credentials))
            yield MailSettings(shown, _place(host), _encrypted(host, stated), carried)


def _place(host: Setting) -> Place:
    value = _constant(host)
    return place_of(value) if isinstance(value, str) else Place.UNKNOWN


def _constant(setting: Setting) -> object:
    return ast.literal_eval(setting.value) if setting.value is not None else None


def _carried(known: Mapping[str, Setting], names: tuple[str, ...]) -> Iterator[Evidence]:
    for name in names:
        setting = known.get(name)
        if setting is not None and (setting.variables or setting.value not in _NO):
            yield Evidence(setting.location, f"{name} goes over it")


def _encrypted(host: Setting, switches: list[Setting]) -> Option:
    if not switches:
        return Option(False, (Evidence(host.location, "nothing turns TLS on for it"),))
    evidence = tuple(_evidence(s) for s in switches)
    on = [s for s in switches if s.value is not None and s.value not in _NO]
    if on:
        return Option(True, (_evidence(on[0]),), is_default=bool(on[0].variables))
    is_open = any(s.variables or s.value is None for s in switches)
    return Option(None if is_open else False, evidence, is_default=is_open)


def _evidence(setting: Setting) -> Evidence:
    if setting.value is None:
        return Evidence(setting.location, f"{setting.name} is configured")
    unless = f" unless {setting.variables[0]} is set" if setting.variables else ""
    return Evidence(setting.location, f"{setting.name} is {setting.value}{unless}")
