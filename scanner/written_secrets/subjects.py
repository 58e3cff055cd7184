"""Secrets of manifests and of files of variables, each handed to the service that it is for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from assay.scanner.dataflow.keys.secret_settings import direction_beside_servers
from assay.scanner.deployment.presented import UNCLEAR, laid_over, presented
from assay.scanner.deployment.roles import environment_doubt, label_doubt, role_of_comment
from assay.scanner.deployment.tree import DeploymentTree
from assay.scanner.gathered import Gathered
from assay.scanner.homes import Homes
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.secret_setting import Fallback, SecretSetting
from assay.scanner.model.written_secret import EnvFile, Held, ManifestSecret
from assay.scanner.readers.compose import ComposeFacts
from assay.scanner.readers.env_files import EnvFileFacts
from assay.scanner.readers.kubernetes.facts import KubernetesFacts, Variable
from assay.scanner.written_secrets.fallbacks import fallback_of
from assay.scanner.written_secrets.values import held_in, held_in_secret

_EXAMPLE = re.compile(r"example|sample|template|dist|default", re.IGNORECASE)


def written_secrets(gathered: Gathered) -> Iterator[ManifestSecret | SecretSetting | EnvFile]:
    """Those of the whole tree."""
    homes = Homes(gathered)
    composed = {p: f for p, f in gathered.context.files.items() if isinstance(f, ComposeFacts)}
    tree = DeploymentTree(composed, gathered.roles)
    for path, facts in sorted(gathered.context.files.items()):
        home = homes.of(path) if isinstance(facts, KubernetesFacts | ComposeFacts | EnvFileFacts) else None
        role = gathered.roles.get(path, Role.PROD)
        if home is None:
            continue
        if isinstance(facts, KubernetesFacts):
            yield from _of_manifest(path, facts, home, role_of_comment(facts.comment) or role)
        elif isinstance(facts, ComposeFacts):
            yield from _of_compose(path, facts, home, role_of_comment(facts.comment) or role, tree)
        elif isinstance(facts, EnvFileFacts):
            yield _of_env_file(path, facts, home, role)


def _of_manifest(path: str, facts: KubernetesFacts, home: str, role: Role) -> Iterator[ManifestSecret]:
    for config in facts.config_maps:
        for entry in config.entries:
            yield from _secret(path, config.name, entry, "a ConfigMap", home, role, held_in)
    for secret in facts.secrets:
        for entry in secret.entries:
            where = "a Secret that is a part of the tree"
            yield from _secret(path, secret.name, entry, where, home, role, held_in_secret)
    for pod in facts.workloads:
        doubt = label_doubt(path, pod)
        for container in (*pod.containers, *pod.init_containers):
            for variable in container.env:
                where = f"the environment of {container.name}"
                yield from _secret(path, f"{pod.name}/{container.name}", variable, where, home, role, held_in, doubt)


def _secret(
    path: str,
    holder: str,
    entry: Variable,
    where: str,
    home: str,
    role: Role,
    holding: Callable[[str, str | None], Held | None],
    doubt: Evidence | None = None,
) -> Iterator[ManifestSecret]:
    held = holding(entry.name, entry.value)
    if held is not None:
        place = entry.span.at(path)
        yield ManifestSecret(home, f"{path}:{holder}", entry.name, where, place, role, held, doubt)


def _of_compose(
    path: str, facts: ComposeFacts, home: str, role: Role, tree: DeploymentTree
) -> Iterator[ManifestSecret | SecretSetting]:
    seen: set[Location] = set()  # of variables that several services are given by one anchor
    for service in facts.services:
        place = service.span.evidence(path, UNCLEAR)
        doubt = environment_doubt(place, service.environment) or (
            None if presented(tree, path, service) is not None else place
        )
        changed = {
            name for _, other in laid_over(tree, path, service.name) for name, _ in (other.environment if other else ())
        }
        for variable in service.variables:
            at = variable.span.at(path)
            fallback = None if variable.name in changed else fallback_of(variable)
            if fallback is not None and at not in seen:
                seen.add(at)
                evidence = (Evidence(at, f"{variable.name} where the host doesn't set it"),)
                holder = f"{path}:{service.name}"
                to = direction_beside_servers(variable.name)
                yield SecretSetting(holder, variable.name, 0, at, role, fallback, to, evidence, None, doubt, home)
            if fallback in (Fallback.SECRET, Fallback.WORD, Fallback.PLACEHOLDER):
                continue
            held = held_in(variable.name, variable.written) if variable.name not in changed else None
            if held is not None:
                yield ManifestSecret(
                    home,
                    f"{path}:{service.name}",
                    variable.name,
                    f"the environment of {service.name}",
                    at,
                    role,
                    held,
                    doubt,
                )


def _of_env_file(path: str, facts: EnvFileFacts, home: str, role: Role) -> EnvFile:
    found: dict[Held, list[Evidence]] = {}
    for variable in facts.variables:
        held = held_in(variable.name, variable.value)
        if held is not None and not variable.is_off:
            found.setdefault(held, []).append(variable.span.evidence(path, f"{variable.name} is set"))
    return EnvFile(
        home,
        path,
        Location.whole_file(path),
        Role.PROD if role is Role.EXAMPLE else role,
        tuple(found.get(Held.VALUE, ())),
        tuple(found.get(Held.SIMPLE, ())),
        _EXAMPLE.search(posixpath.basename(path)) is not None,
    )
