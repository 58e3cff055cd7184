"""Compose services as workloads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from assay.scanner.deployment.build import (
    Found,
    command_probe,
    homes,
    image_commands,
    image_probe,
    image_start,
    kind_of,
    script_commands,
    start_command,
)
from assay.scanner.deployment.images import Image, is_infrastructure
from assay.scanner.deployment.presented import laid_over, presented
from assay.scanner.deployment.published import compose_ports
from assay.scanner.deployment.roles import environment_doubt, mount_doubt, workload_role
from assay.scanner.deployment.starts import NOTHING, Start, Starter
from assay.scanner.deployment.tree import DeploymentTree, relative, stage_role
from assay.scanner.model.capacity import Capacity
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence
from assay.scanner.model.published_port import PublishedPort
from assay.scanner.model.role import Role
from assay.scanner.model.workload import (
    CommandForm,
    Platform,
    Probe,
    ProbeKind,
    Process,
    StartCommand,
    Workload,
    WorkloadKind,
)
from assay.scanner.readers.compose import ComposeFacts, ComposeService, TestForm

DEFAULT_GRACE_SECONDS = 10.0
"""docs.docker.com/reference/compose-file/services, `stop_grace_period`."""
MAX_EXTENDS = 5
AUTOHEAL_LABEL = "autoheal"
"""github.com/willfarrell/docker-autoheal restarts the unhealthy containers that carry it."""
COMPLETED = "service_completed_successfully"


def compose_workloads(tree: DeploymentTree, path: str, facts: ComposeFacts) -> Iterator[Found]:
    """Every service of the file that says what it runs; fragments that only change another file's are left out."""
    heals = any("autoheal" in (s.image or "") for s in facts.services)
    for written in facts.services:
        service = extended(tree, path, facts, written)
        if service.image is None and service.build is None:
            continue
        yield _Builder(tree, path, facts, service, heals).found()


def extended(
    tree: DeploymentTree, path: str, facts: ComposeFacts, service: ComposeService, depth: int = 0
) -> ComposeService:
    """The service with what it `extends` filled in."""
    if service.extends is None or depth > MAX_EXTENDS:
        return service
    file, name = service.extends
    other = tree.compose_files.get(relative(path, file)) if file is not None else facts
    base = other.service(name) if other is not None else None
    if other is None or base is None:
        return service
    base = extended(tree, path, other, base, depth + 1)
    missing = {
        name: getattr(base, name)
        for name in ComposeService.__struct_fields__
        if getattr(service, name) in (None, (), False) and name not in ("depends_on", "extends")
    }
    return msgspec.structs.replace(service, **missing)


@dataclass(frozen=True)
class _Builder:
    tree: DeploymentTree
    path: str
    facts: ComposeFacts
    service: ComposeService
    heals: bool

    def found(self) -> Found:
        service, image = self.service, self._image()
        starter = self.tree.starter(image, dict(service.environment))
        start = self._start(starter, image)
        process = start.process if start is not None else NOTHING
        kind = self._kind(process, image)
        role = self._role(process, image, kind)
        doubt = self._doubt()
        commands = () if kind is WorkloadKind.INFRASTRUCTURE else tuple(self._commands(start, role, doubt, image))
        probes = tuple(
            replace(p, doubt=doubt, of_infrastructure=kind is WorkloadKind.INFRASTRUCTURE)
            for p in self._probes(image, process, role)
        )
        workload = Workload(
            subject_id=f"{self.path}:{service.name}",
            name=service.name,
            platform=Platform.COMPOSE,
            kind=kind,
            location=service.span.at(self.path),
            role=role,
            process=process,
            doubt=doubt,
            traffic=tuple(self._traffic()),
            image=service.image or (image.chain[-1].base if image is not None else None),
            built_here=image is not None,
            dockerfile=image.path if image is not None else None,
            command=commands[0] if commands else None,
            probes=probes,
            check_disabled=self._disabled(image),
            check_elsewhere=self._elsewhere(image),
            grace_seconds=DEFAULT_GRACE_SECONDS if service.stop_grace_seconds is None else service.stop_grace_seconds,
            grace=self._grace(),
            replicas=service.replicas,
            volumes=service.volumes,
            image_location=(service.image_span or service.span).at(self.path),
            image_varies=service.image_varies,
            user=self._user(),
            capacity=Capacity(memory_limit=self._memory(), cpu_limit=self._processors()),
            place_role=self._role(NOTHING, image, WorkloadKind.UNKNOWN),
            for_production=presented(self.tree, self.path, service),
        )
        return Found(workload, commands, self._homes(image), image, tuple(self._ports(workload)))

    def _ports(self, workload: Workload) -> Iterator[PublishedPort]:
        over = next(((p, s) for p, s in laid_over(self.tree, self.path, self.service.name) if s is not None), None)
        changed = over[1].span.evidence(over[0], "what production changes stands here") if over is not None else None
        return compose_ports(self.path, self.service, workload, changed)

    def _user(self) -> Option | None:
        user, span = self.service.user, self.service.user_span
        if user is None or span is None:
            return None
        name = user.partition(":")[0]
        is_safe = None if "$" in name else name not in ("root", "0")
        return Option(is_safe, (span.evidence(self.path, f"it runs as user {user}"),))

    def _memory(self) -> Evidence | None:
        said = [(self.path, self.service), *laid_over(self.tree, self.path, self.service.name)]
        for path, service in said:
            if service is not None and service.memory_span is not None:
                return service.memory_span.evidence(path, "its memory is limited")
        return None

    def _processors(self) -> Evidence | None:
        span = self.service.cpu_span
        return span.evidence(self.path, "its processor time is limited") if span is not None else None

    def _image(self) -> Image | None:
        image = self.tree.compose_image(self.path, self.service)
        if image is None and self.service.command is not None and self.service.build is None:
            image = self.tree.image_of_script(self.service.command.words[0] if self.service.command.words else "")
        return image

    def _start(self, starter: Starter, image: Image | None) -> Start | None:
        service = self.service
        if service.entrypoint is None and service.command is None:
            return image_start(starter, image) if image is not None else None
        words: list[str] = []
        if service.entrypoint is not None:
            words += service.entrypoint.words
        elif image is not None and image.entrypoint is not None:
            words += image.entrypoint.words or (*image.shell, image.entrypoint.line)
        if service.command is not None:
            words += service.command.words
        return starter.trace(words) if words else None

    def _kind(self, process: Process, image: Image | None) -> WorkloadKind:
        dependents = [d for other in self.facts.services for d in other.depends_on if d.service == self.service.name]
        if any(d.condition == COMPLETED for d in dependents):
            return WorkloadKind.JOB
        third_party = self.service.image is not None and image is None and is_infrastructure(self.service.image)
        return kind_of(self.service.name, process, image, third_party)

    def _role(self, process: Process, image: Image | None, kind: WorkloadKind) -> Role:
        role = self.tree.role(self.path)
        if role is Role.PROD and image is not None:
            role = stage_role(image) if self.tree.role(image.path) is Role.PROD else self.tree.role(image.path)
        return workload_role(role, self.facts.comment, process, kind)

    def _doubt(self) -> Evidence | None:
        place = self.service.span.evidence(self.path, "")
        context = self.service.build.context if self.service.build is not None else None
        if any(p.lower() in ("dev", "development", "debug", "test") for p in self.service.profiles):
            return self.service.span.evidence(self.path, f"it starts only with the profile {self.service.profiles[0]}")
        return environment_doubt(place, self.service.environment) or mount_doubt(
            place, self.service.mounted_sources, context
        )

    def _commands(
        self, start: Start | None, role: Role, doubt: Evidence | None, image: Image | None
    ) -> Iterator[StartCommand]:
        service = self.service
        declared = service.command or service.entrypoint
        if start is not None and declared is not None:
            label = f"command of {service.name} in {self.path}"
            location = declared.span.at(self.path)
            text = " ".join(declared.words)
            yield start_command(
                f"{self.path}:{service.name}:command", label, location, CommandForm.EXEC, text, start, role, doubt
            )
            yield from script_commands(start, role, location, label, doubt, self.tree)
        elif image is not None:
            yield from image_commands(self.tree, image, role, dict(service.environment))

    def _probes(self, image: Image | None, process: Process, role: Role) -> Iterator[Probe]:
        check = self.service.healthcheck
        if check is not None and check.form is TestForm.DISABLED:
            return
        if check is None or not check.test:
            inherited = image_probe(image, process, role) if image is not None else None
            if inherited is not None:
                yield inherited
            return
        probe = command_probe(
            subject_id=f"{self.path}:{self.service.name}:healthcheck",
            workload=self.service.name,
            platform=Platform.COMPOSE,
            kind=ProbeKind.HEALTHCHECK,
            location=check.test_span.at(self.path),
            role=role,
            process=process,
            words=check.test,
            image=image,
        )
        healed = self.heals or dict(self.service.labels).get(AUTOHEAL_LABEL) == "true"
        yield replace(probe, restarts_on_failure=healed)

    def _traffic(self) -> Iterator[Evidence]:
        for port in self.service.ports:
            yield port.span.evidence(self.path, "it publishes a port")
        if dict(self.service.labels).get("traefik.enable") == "true":
            yield self.service.span.evidence(self.path, "Traefik routes requests to it")
        for other in self.facts.services:
            for dependency in other.depends_on:
                if dependency.service == self.service.name:
                    waits = "" if dependency.condition == "service_healthy" else ", without waiting for its health"
                    yield dependency.span.evidence(self.path, f"{other.name} depends on it{waits}")

    def _disabled(self, image: Image | None) -> Evidence | None:
        check = self.service.healthcheck
        if check is not None and check.form is TestForm.DISABLED:
            return check.span.evidence(self.path, "its health check is switched off")
        if image is not None and image.healthcheck is not None and image.healthcheck.command is None:
            return image.healthcheck.span.evidence(image.path, "HEALTHCHECK NONE")
        return None

    def _elsewhere(self, image: Image | None) -> Evidence | None:
        if image is not None:
            return None
        if self.service.image is None:
            if self.service.build is None:
                return None
            return self.service.span.evidence(self.path, "the Dockerfile it is built from wasn't found")
        span = self.service.image_span or self.service.span
        return span.evidence(self.path, f"{self.service.image} isn't built here and may bring a check of its own")

    def _grace(self) -> Evidence | None:
        service = self.service
        if service.stop_grace_seconds is None or service.stop_grace_span is None:
            return None
        return service.stop_grace_span.evidence(self.path, f"stop_grace_period is {service.stop_grace_seconds:g} s")

    def _homes(self, image: Image | None) -> tuple[str, ...]:
        if image is not None:
            return homes(image, ())
        if self.service.build is not None:
            return (relative(self.path, self.service.build.context),)
        return ()


def compose_contexts(tree: DeploymentTree, path: str, facts: ComposeFacts) -> Iterator[str]:
    """The folders of the tree that a compose file builds images from."""
    for service in facts.services:
        if service.build is not None and tree.compose_image(path, service) is not None:
            yield relative(path, service.build.context)
