"""Limiters as the model has them: where they count, and how many processes count."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.deployment import Deployment
from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.traffic import RateLimiter, Storage
from assay.scanner.readers.python import form
from assay.scanner.services import innermost
from assay.scanner.traffic.limiters import FoundLimiter, limiters
from assay.scanner.traffic.processes import several, single

_THROTTLES = "DEFAULT_THROTTLE_CLASSES"


def rate_limiters(gathered: Gathered, production: Production) -> Iterator[RateLimiter]:
    """In order of place."""
    found = [*limiters(gathered.project, production), *_of_sites(gathered, production)]
    ordinals = Ordinals()
    for each in sorted(found, key=lambda f: f.scope.module.location(f.node)):
        module, function = each.scope.module, around(each.scope)
        deployment = _deployment(module.path, gathered)
        yield RateLimiter(
            function=function,
            ordinal=ordinals.next(function, each.library),
            library=each.library,
            location=module.location(each.node),
            role=module.role,
            storage=each.storage,
            storage_evidence=each.evidence,
            several=several(deployment, gathered.project, production),
            single=single(deployment),
            unused=each.unused,
        )


def _deployment(path: str, gathered: Gathered) -> Deployment:
    folders = {"" if s.root == "." else s.root: s.name for s in gathered.services}
    folder = innermost(path, folders)
    return gathered.deployments.get(folders[folder], Deployment()) if folder is not None else Deployment()


def _of_sites(gathered: Gathered, production: Production) -> Iterator[FoundLimiter]:
    """Throttles of Django REST framework and of django-ratelimit count in the site's default cache."""
    throttled = [
        e.throttles[0] for _, e in gathered.endpoints if e.throttles and e.framework.lower().startswith("django")
    ]
    for site in production.sites if throttled else ():
        stated = production.given(site, "CACHES")[-1:]
        if not stated:
            for node, scope in _about_throttles(site, production):
                shown = scope.module.evidence(node, "without CACHES each process counts in its own memory")
                yield FoundLimiter("Django", node, scope, Storage.PROCESS, (shown,))
        for value, scope in stated:
            storage, shown = _of_caches(value, scope.module)
            yield FoundLimiter("Django", value, scope, storage, (shown, throttled[0]))


def _about_throttles(site: Module, production: Production) -> list[tuple[form.Node, Scope]]:
    """Where the site's settings speak of throttles, or else of what they come with."""
    for value, scope in production.given(site, "REST_FRAMEWORK"):
        for node in form.walk(value):
            if isinstance(node, form.Const) and node.value == _THROTTLES:
                return [(node, scope)]
    for name in ("REST_FRAMEWORK", "INSTALLED_APPS"):
        for value, scope in production.given(site, name)[-1:]:
            return [(value, scope)]
    return []


def _of_caches(caches: form.Expr, module: Module) -> tuple[Storage, Evidence]:
    default = caches
    for key, value in zip(caches.keys, caches.values, strict=True) if isinstance(caches, form.Dict) else ():
        if isinstance(key, form.Const) and key.value == "default":
            default = value
    texts = [n.value for n in form.walk(default) if isinstance(n, form.Const) and isinstance(n.value, str)]
    if any(t.endswith(("LocMemCache", "DummyCache")) for t in texts):
        return Storage.PROCESS, module.evidence(default, "this cache is in the memory of each process")
    if any(t.endswith("Cache") for t in texts) or isinstance(default, form.Call):
        return Storage.SHARED, module.evidence(default, "all processes share this cache")
    return Storage.UNKNOWN, module.evidence(default, "which cache this is can't be told")
