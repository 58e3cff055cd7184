"""What names lead to in a cluster: the Services that the manifests of the tree declare.

https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from functools import cached_property

from assay.scanner.addresses.answers import Answer
from assay.scanner.addresses.composed import is_alike
from assay.scanner.addresses.given import Runner
from assay.scanner.addresses.written import Address
from assay.scanner.deployment.tree import DeploymentTree
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.kubernetes.facts import KubernetesFacts, PodWorkload, ServiceFacts

_REMOTE = re.compile(r"://|^github\.com/|[?&]ref=")
_INSTALLED = re.compile(
    r"postgres\w*|pg|mysql|mariadb|redis|valkey|rabbit\w*|kafka|zookeeper|mongo\w*|elastic\w*|opensearch|minio|vault|nats"
    r"|memcached|jaeger|zipkin|tempo|loki|otel\w*|opentelemetry|collector|prometheus|grafana|consul|keycloak|temporal|db"
    r"|database|statsd|datadog|pgbouncer|clickhouse|cassandra|influxdb|mailhog|smtp|proxy|cache|broker|localstack",
    re.IGNORECASE,
)
"""What a chart or an operator often puts into a cluster, by words of its name."""
_ENOUGH = 2
"""How many Services a set of manifests has to have before it is taken for a whole system."""


class ClusterNames:
    """The Services of a tree. `paths` are those of all its files."""

    def __init__(self, tree: DeploymentTree, paths: Collection[str]) -> None:
        self._tree = tree
        self._has_charts = any(posixpath.basename(p) in ("Chart.yaml", "helmfile.yaml") for p in paths)

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """Those that objects of the tree are put into."""
        manifests = self._tree.manifests.values()
        stated = {s.namespace for facts in manifests for s in facts.services}
        stated |= {pod.namespace for facts in manifests for pod in facts.workloads}
        return frozenset(name for name in stated if name is not None)

    @cached_property
    def _services(self) -> dict[str, list[tuple[str, ServiceFacts]]]:
        found: dict[str, list[tuple[str, ServiceFacts]]] = {}
        for path, facts in self._tree.manifests.items():
            for service in facts.services:
                for name in {service.name, *self._renamed(service.name)}:
                    found.setdefault(name.lower(), []).append((path, service))
        return found

    @cached_property
    def _renamings(self) -> frozenset[tuple[str, str]]:
        return frozenset(facts.renames for facts in self._tree.manifests.values() if facts.renames != ("", ""))

    def _renamed(self, name: str) -> Iterator[str]:
        yield from (f"{before}{name}{behind}" for before, behind in self._renamings)

    def is_inside(self, host: str) -> bool:
        """Whether the cluster's own names are asked for it."""
        _, _, rest = host.partition(".")
        return not rest or rest in self.namespaces or re.search(r"\.svc(\.|$)", host) is not None

    def answer(self, address: Address, runner: Runner) -> Answer:
        """What answers to the pod that is given the address."""
        name, _, rest = address.host.partition(".")
        if name not in self._services and rest.partition(".")[0] in self._services:
            name, _, rest = rest.partition(".")  # one pod of a StatefulSet
        found = self._services.get(name, [])
        if not found:
            return self._missing(name, rest.partition(".")[0], runner)
        namespace = rest.partition(".")[0] or (runner.pod.namespace if runner.pod is not None else None)
        fitting = [pair for pair in found if None in (namespace, pair[1].namespace) or pair[1].namespace == namespace]
        if not fitting:
            place = found[0][1].span.evidence(found[0][0], f"{name} is in the namespace {found[0][1].namespace}")
            return Answer(problem=f"no Service {name} is in the namespace {namespace}", lead=(place,), doubt=place)
        return self._reached(address, runner, fitting)

    def _reached(self, address: Address, runner: Runner, found: list[tuple[str, ServiceFacts]]) -> Answer:
        folder = posixpath.dirname(runner.path)
        path, service = next((p for p in found if posixpath.dirname(p[0]) == folder), found[0])
        open_to = {each.port for _, other in found for each in other.ports}
        is_any = any(other.is_headless or other.type == "ExternalName" or not other.ports for _, other in found)
        port = address.asked_port
        if port is None or port in open_to or None in open_to or is_any:
            ports = ", ".join(str(p.port) for p in service.ports)
            said = f"the Service {service.name} answers" + (f" on {ports}" if ports else "")
            return Answer(service.span.evidence(path, said), target=service.name)
        ports = " and ".join(sorted(str(p) for p in open_to))
        behind = str(port) in {each.target for _, other in found for each in other.ports}
        problem = f"the Service {service.name} listens on {ports}" + (
            f"; {port} is only the port of its containers" if behind else ""
        )
        return Answer(problem=problem, lead=(service.span.evidence(path, f"it listens on {ports}"),))

    def _missing(self, name: str, namespace: str, runner: Runner) -> Answer:
        problem = f"no Service of the manifests is called {name}"
        if namespace not in ("", "default", "svc") and namespace not in self.namespaces:
            place = Evidence(Location.whole_file(runner.path), f"no manifest is for the namespace {namespace}")
            return Answer(problem=problem, doubt=place)
        without = next(self._workloads_called(name), None)
        if without is not None:
            path, pod = without
            place = pod.span.evidence(path, f"the {pod.kind} {pod.name} has no Service before it")
            return Answer(problem=problem, lead=(place,))
        alike = [
            service.span.evidence(path, f"there is {service.name}")
            for path, service in self._around(runner)
            if is_alike(service.name, name)
        ]
        return Answer(problem=problem, lead=tuple(alike[:1]), doubt=self._doubt(name, runner) if not alike else None)

    def _workloads_called(self, name: str) -> Iterator[tuple[str, PodWorkload]]:
        for path, facts in self._tree.manifests.items():
            for pod in facts.workloads if path not in self._tree.patches else ():
                if pod.name == name and pod.kind in ("Deployment", "StatefulSet", "DaemonSet", "Rollout"):
                    yield path, pod

    def _around(self, runner: Runner) -> Iterator[tuple[str, ServiceFacts]]:
        """The Services of its own set of manifests: in its folder, or below the folder around it."""
        folder = posixpath.dirname(runner.path)
        around = posixpath.dirname(folder)
        for path, facts in self._tree.manifests.items():
            if posixpath.dirname(path) == folder or (around and path.startswith(f"{around}/")):
                yield from ((path, service) for service in facts.services)

    def _doubt(self, name: str, runner: Runner) -> Evidence | None:
        """What may bring the Service from outside the tree."""
        place = Location.whole_file(runner.path)
        for path, facts in self._tree.manifests.items():
            made = _made_by_operator(facts, name)
            if made or facts.has_charts or any(_REMOTE.search(each) for each in facts.resources):
                what = f"an operator may make it of {made}" if made else "it takes in what isn't in the tree"
                return Evidence(Location.whole_file(path), what)
        if self._has_charts:
            return Evidence(place, "a chart of the tree may bring it")
        if any(_INSTALLED.fullmatch(word) for word in re.split(r"[-_.]", name)):
            return Evidence(place, "it may be installed apart from these manifests")
        if len({service.name for _, service in self._around(runner)}) < _ENOUGH:
            return Evidence(place, "these manifests are only a part of what the cluster runs")
        return None


def _made_by_operator(facts: KubernetesFacts, name: str) -> str:
    return next((o.kind for o in facts.custom_objects if o.name and name.startswith(o.name.lower())), "")
