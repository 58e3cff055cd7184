"""Which services a service reaches: its environment's addresses, followed to the workloads that answer there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from assay.scanner.addresses.given import Runner
from assay.scanner.addresses.neighbours import Told
from assay.scanner.deployment.images import is_infrastructure
from assay.scanner.deployment.tree import DeploymentTree
from assay.scanner.gathered import Gathered
from assay.scanner.homes import Homes
from assay.scanner.model.neighbour import Neighbour
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.role import Role


def neighbours(
    tree: DeploymentTree, running: Sequence[Runner], found: Iterable[Told], homes: Homes, gathered: Gathered
) -> Iterator[Neighbour]:
    """One for each variable that the code of a service reads and that leads to something; databases, brokers and the
    like are none.
    """
    read = {service.root: _read(service.root, gathered) for service in gathered.services}
    done: set[tuple[str, str, str]] = set()
    for told in sorted(found, key=lambda t: (t.runner.path, t.given.name)):
        root = homes.own(homes.of_workload(told.runner.workload))
        variable = told.given.name
        if root is None or told.answer.found is None or variable.upper() not in read[root]:
            continue
        behind = list(_behind(tree, running, told))
        if any(_is_infrastructure(each) for each in behind) or (root, variable, told.answer.target) in done:
            continue
        done.add((root, variable, told.answer.target))
        owners = {homes.of_workload(each.workload) for each in behind}
        yield Neighbour(
            service_root=root,
            variable=variable,
            address=told.address.text,
            name=told.answer.target,
            root=owners.pop() if len(owners) == 1 else None,
            location=told.given.location,
            role=tree.role(told.runner.path),
            calls=tuple(call.location for call in read[root][variable.upper()]),
        )


def _read(root: str, gathered: Gathered) -> Mapping[str, list[OutboundCall]]:
    """The variables that a service's code reads, in upper case, with the requests whose addresses come from them."""
    found: dict[str, list[OutboundCall]] = {}
    by_setting: dict[str, set[str]] = {}
    for setting in gathered.settings:
        owner = gathered.owners.of(setting.location.path)
        if setting.role is Role.PROD and owner is not None and owner.root == root:
            variables = {name.upper() for name in setting.variables}
            by_setting.setdefault(setting.name.rpartition(".")[2], set()).update(variables)
            for name in variables:
                found.setdefault(name, [])
    for request in gathered.requests:
        owner = gathered.owners.of(request.location.path)
        if request.role is Role.PROD and owner is not None and owner.root == root:
            read = {v for name in request.read_from for v in (name.upper(), *by_setting.get(name, ()))}
            for name in read & found.keys():
                found[name].append(request)
    return found


def _behind(tree: DeploymentTree, running: Iterable[Runner], told: Told) -> Iterator[Runner]:
    """What runs behind the name: the compose service itself, or the pods that the Service selects."""
    answer = told.answer
    path = answer.found.location.path if answer.found is not None else ""
    if told.runner.service is not None:
        yield from (each for each in running if each.workload == f"{path}:{answer.target}")
        return
    facts = tree.manifests.get(path)
    for service in facts.services if facts is not None else ():
        if service.name == answer.target and service.selector:
            for each in running:
                if each.pod is not None and set(service.selector) <= set(each.pod.pod_labels):
                    yield each


def _is_infrastructure(runner: Runner) -> bool:
    if runner.image is not None:
        return runner.image.base.is_infrastructure
    return is_infrastructure(runner.reference)
