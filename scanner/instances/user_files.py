"""Where files of users are kept: at places that write them, and by Django's storage setting.

https://docs.djangoproject.com/en/stable/ref/settings/#storages, https://12factor.net/backing-services
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.dataflow.uploads.names import is_temporary
from assay.scanner.dataflow.uploads.stores import Store, stores
from assay.scanner.gathered import Gathered
from assay.scanner.instances.services import deployment_of, serving
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.model.instance import Disk, UserFiles
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_STORAGES = frozenset({"default_storage", "storage"})
_REMOVING = frozenset({"remove", "unlink", "rmtree", "cleanup"})
_TEMPORARY = frozenset(
    {
        "NamedTemporaryFile", "TemporaryDirectory", "TemporaryFile", "gettempdir", "mkdtemp", "mkstemp",
        "SpooledTemporaryFile",
    }
)  # fmt: skip
_FIELDS = frozenset({"FileField", "ImageField", "FilerFileField", "ThumbnailerImageField", "VersatileImageField"})
_LOCAL = "FileSystemStorage"
_OBJECTS = re.compile(
    r"s3|boto|gcs|gcloud|google|azure|blob|bucket|minio|oss|swift|cloud|spaces|object|sftp", re.IGNORECASE
)
_SETTINGS = ("STORAGES", "DEFAULT_FILE_STORAGE")


def user_files(gathered: Gathered) -> Iterator[UserFiles]:
    """In order of path and position; Django's settings last."""
    ordinals = Ordinals()
    found = list(stores(gathered.project))
    for store in found:
        if _is_by_setting(store):
            continue
        scope = store.function.scope
        function = around(scope)
        disk, shown = _local(scope.module.path, gathered)
        yield UserFiles(
            function,
            "upload",
            ordinals.next(function, "upload"),
            scope.module.location(store.call),
            scope.module.role,
            disk,
            (scope.module.evidence(store.call, "a file from a client is written to a local disk"), *shown),
            _why_not_lasting(store),
        )
    if any(map(_is_by_setting, found)) or _has_file(gathered):
        yield from (_of_site(site, gathered) for site in gathered.production.sites)


def _is_by_setting(store: Store) -> bool:
    """`default_storage.save(name, file)`: the setting is told."""
    func = store.call.func
    return isinstance(func, form.Attr) and func.attr == "save" and last_name(func.value) in _STORAGES


def _why_not_lasting(store: Store) -> str | None:
    if offline_reason(store.function.scope) is not None:
        return "no client gets here"
    called = {last_name(n.func) for n in store.function.nodes if isinstance(n, form.Call)}
    if is_temporary(store) or not _TEMPORARY.isdisjoint(called):
        return "the file is a temporary one"
    return "the same function removes the file" if not _REMOVING.isdisjoint(called) else None


def _local(path: str, gathered: Gathered) -> tuple[Disk, tuple[Evidence, ...]]:
    """What a local disk means for the service of the file."""
    workloads = serving(deployment_of(path, gathered))
    if not workloads:
        return Disk.MACHINE, ()
    kept = next((w for w in workloads if w.volumes), None)
    if kept is not None:
        return Disk.VOLUME, (Evidence(kept.location, f"{kept.volumes[0]} outlives the container"),)
    return Disk.CONTAINER, (Evidence(workloads[0].location, "nothing in it outlives the container"),)


# --- Django ---


def _has_file(gathered: Gathered) -> bool:
    """Whether any model has a file."""
    tables = (t for t in gathered.tables if t.role is Role.PROD)
    return any(column.type in _FIELDS for table in tables for column in table.columns)


def _of_site(site: Module, gathered: Gathered) -> UserFiles:
    stated = [found for name in _SETTINGS for found in _given(site, name, gathered)]
    disk, evidence = _told(stated) if stated else (None, ())
    shown = stated[-1] if stated else _beside(site, gathered)
    if disk is None:
        disk, around_it = _local(site.path, gathered)
        if not stated and shown is not None:
            evidence = (shown[1].module.evidence(shown[0], "files are kept on a local disk unless STORAGES says more"),)
        evidence = (*evidence, *around_it)
    place = shown[1].module.location(shown[0]) if shown is not None else site.span(0, 1)
    return UserFiles(site.name, "file storage", 1, place, site.role, disk, evidence)


def _given(site: Module, name: str, gathered: Gathered) -> list[tuple[form.Expr, Scope]]:
    """What the setting is given, and what `STORAGES["default"] = ...` puts there."""
    found = gathered.production.given(site, name)
    modules = {scope.module for _, scope in found} | {site}
    for module in modules:
        for assign, scope in module.assignments:
            for target in assign.targets:
                if assign.value is not None and isinstance(target, form.Subscript) and _is_default_of(target, name):
                    found.append((assign.value, scope))
    return found


def _is_default_of(target: form.Subscript, name: str) -> bool:
    return (
        form.dotted(target.value) == name and isinstance(target.index, form.Const) and target.index.value == "default"
    )


def _told(stated: list[tuple[form.Expr, Scope]]) -> tuple[Disk | None, tuple[Evidence, ...]]:
    """What the settings say; no disk where they say that it is a local one."""
    parts = [(_default(node), scope) for node, scope in stated]
    nodes = [(n, scope) for part, scope in parts for n in form.walk(part)]
    texts = [(n.value, n, s) for n, s in nodes if isinstance(n, form.Const) and isinstance(n.value, str)]
    remote = next((t for t in texts if _OBJECTS.search(t[0].rpartition(".")[2] or t[0]) or "storages." in t[0]), None)
    local = next((t for t in texts if t[0].endswith(_LOCAL)), None)
    asks = next(((n, s) for n, s in nodes if isinstance(n, form.Call)), None)
    if remote is not None and local is None:
        return Disk.OBJECTS, (remote[2].module.evidence(remote[1], "files are kept in object storage"),)
    if local is not None and (asks is not None or remote is not None):
        return Disk.CONFIGURED, (
            local[2].module.evidence(local[1], "unless it is configured, files are on a local disk"),
        )
    if local is not None:
        return None, (local[2].module.evidence(local[1], "files are kept on a local disk"),)
    node, scope = stated[-1]
    return Disk.UNKNOWN, (scope.module.evidence(node, "which storage this is can't be told"),)


def _default(node: form.Expr) -> form.Expr:
    for key, value in zip(node.keys, node.values, strict=True) if isinstance(node, form.Dict) else ():
        if isinstance(key, form.Const) and key.value == "default":
            return value
    return node


def _beside(site: Module, gathered: Gathered) -> tuple[form.Expr, Scope] | None:
    for name in ("MEDIA_ROOT", "MEDIA_URL", "INSTALLED_APPS"):
        found = gathered.production.given(site, name)
        if found:
            return found[-1]
    return None
