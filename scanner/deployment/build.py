"""What every platform's workloads have in common: start commands, their scripts, probes of an image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from assay.scanner.deployment.images import Image
from assay.scanner.deployment.probes import command_check
from assay.scanner.deployment.roles import workload_role
from assay.scanner.deployment.starts import NOTHING, Start, Starter
from assay.scanner.deployment.tree import DeploymentTree, stage_role
from assay.scanner.model.image import ImageReference
from assay.scanner.model.place import Evidence, Location
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
from assay.scanner.readers.dockerfile import Form, ImageCommand

NAMED_WORKERS = frozenset(
    {"worker", "workers", "beat", "beatworker", "scheduler", "cron", "consumer", "celery", "rq", "queue"}
)
NAMED_JOBS = frozenset(
    ["migrate", "migrator", "migration", "migrations", "init", "setup", "seed", "prestart", "bootstrap"]
)


@dataclass(frozen=True, slots=True)
class Found:
    """One workload with what hangs on it; `home` are folders it may belong to, likeliest first, `image` is what it runs
    where the tree builds that. `references` are images that it needs besides its own.
    """

    workload: Workload
    commands: tuple[StartCommand, ...]
    home: tuple[str, ...]
    image: Image | None = None
    ports: tuple[PublishedPort, ...] = ()
    references: tuple[ImageReference, ...] = ()


def kind_of(name: str, process: Process, image: Image | None, infrastructure: bool) -> WorkloadKind:
    """By its command; by its base image; where the command isn't known, by its name."""
    if infrastructure or (image is not None and image.base.is_infrastructure and process.server is None):
        return WorkloadKind.INFRASTRUCTURE
    if process.kind is not WorkloadKind.UNKNOWN:
        return process.kind
    words = set(name.lower().replace("_", "-").split("-"))
    if words & NAMED_JOBS:
        return WorkloadKind.JOB
    if words & NAMED_WORKERS:
        return WorkloadKind.WORKER
    return WorkloadKind.LOAD_GENERATOR if "loadgenerator" in words or "locust" in words else WorkloadKind.UNKNOWN


def image_start(starter: Starter, image: Image) -> Start | None:
    """What an image starts by itself; None when it leaves that to its base."""
    entrypoint, cmd = image.entrypoint, image.cmd
    if entrypoint is None and cmd is None:
        return None
    if entrypoint is not None and entrypoint.form is Form.SHELL:
        return starter.shell_form(entrypoint.line)
    words = list(entrypoint.words) if entrypoint is not None else []
    if cmd is not None:
        words += cmd.words if cmd.form is Form.EXEC else (*image.shell, cmd.line)
    return starter.trace(words)


def start_command(
    subject_id: str,
    label: str,
    location: Location,
    form: CommandForm,
    text: str,
    start: Start,
    role: Role,
    doubt: Evidence | None = None,
) -> StartCommand:
    """A declared command as a subject: what it comes to is in `start`."""
    return StartCommand(
        subject_id=subject_id,
        label=label,
        location=location,
        role=role,
        form=form,
        text=text,
        process=start.process,
        delivery=start.delivery,
        why=start.why,
        goes_through=tuple(s.ending.span.evidence(s.path, " ".join(s.ending.words)) for s in start.scripts),
        doubt=doubt,
    )


def script_commands(
    start: Start, role: Role, location: Location, label: str, doubt: Evidence | None, tree: DeploymentTree
) -> Iterable[StartCommand]:
    """The entry scripts a start goes through, each a subject of its own."""
    for end in start.scripts:
        own = workload_role(tree.role(end.path) if role is Role.PROD else role, "", end.process)
        text = " ".join(end.ending.written)
        yield StartCommand(
            subject_id=f"{end.path}:{text}",
            label=f"`{text[:60]}` in {end.path}",
            location=end.ending.span.at(end.path),
            role=own,
            form=CommandForm.SCRIPT,
            text=text,
            process=end.process,
            delivery=end.delivery,
            why=end.why,
            started_by=(Evidence(location, f"{label} starts the script"),),
            doubt=doubt,
        )


def image_commands(tree: DeploymentTree, image: Image, role: Role, env: Mapping[str, str]) -> tuple[StartCommand, ...]:
    """CMD or ENTRYPOINT of a stage that ships, and the scripts behind it."""
    starter = tree.starter(image, env)
    start = image_start(starter, image)
    declared = _deciding(image)
    if start is None or declared is None:
        return ()
    keyword = "CMD" if declared is image.cmd else "ENTRYPOINT"
    form = CommandForm.EXEC if declared.form is Form.EXEC else CommandForm.SHELL
    if start.process.kind is WorkloadKind.UNKNOWN and image.exposes:
        start = replace(start, process=replace(start.process, kind=WorkloadKind.WEB))
    label = f"{keyword} of {image.path}"
    location = declared.span.at(image.path)
    suffix = f":{image.stage.name}" if image.stage is not image.facts.stages[-1] else ""
    text = " ".join(declared.words) or declared.line
    own = start_command(f"{image.path}{suffix}:{keyword}", label, location, form, text, start, role)
    return (own, *script_commands(start, role, location, label, None, tree))


def _deciding(image: Image) -> ImageCommand | None:
    """The instruction that decides whether a shell stays in front."""
    entrypoint, cmd = image.entrypoint, image.cmd
    if entrypoint is None or (cmd is not None and cmd.form is Form.SHELL and entrypoint.form is Form.EXEC):
        return cmd
    return entrypoint


def image_probe(image: Image, process: Process, role: Role) -> Probe | None:
    """The image's HEALTHCHECK, wherever in its chain of stages it stands."""
    check = image.healthcheck
    if check is None or check.command is None:
        return None
    words = check.command.words or (check.command.line,)
    return command_probe(
        subject_id=f"{image.path}:HEALTHCHECK",
        workload=image.path,
        platform=Platform.DOCKERFILE,
        kind=ProbeKind.HEALTHCHECK,
        location=check.span.at(image.path),
        role=role,
        process=process,
        words=words,
        image=image,
    )


def command_probe(
    *,
    subject_id: str,
    workload: str,
    platform: Platform,
    kind: ProbeKind,
    location: Location,
    role: Role,
    process: Process,
    words: tuple[str, ...],
    image: Image | None,
) -> Probe:
    """A check that runs a command inside the container."""
    check = command_check(words)
    has_tool = image.has_tool(check.tool) if image is not None and check.tool is not None else None
    return Probe(
        subject_id=subject_id,
        workload=workload,
        platform=platform,
        kind=kind,
        location=location,
        role=role,
        process=process,
        path=check.path,
        port=check.port,
        method=check.method,
        command=words,
        tool=check.tool,
        tool_in_image=has_tool,
        image=image.chain[-1].base if image is not None else None,
        built_here=image is not None,
        sends_credentials=check.sends_credentials,
        asks_dependency=check.asks_dependency,
    )


def dockerfile_workload(tree: DeploymentTree, path: str) -> Found | None:
    """What an image does when it is run as it is."""
    image = tree.image(path)
    if image is None:
        return None
    role = tree.role(path) if tree.role(path) is not Role.PROD else stage_role(image)
    start = image_start(tree.starter(image, {}), image)
    process = start.process if start is not None else NOTHING
    place_role = workload_role(role, image.facts.comment, NOTHING)
    role = workload_role(role, image.facts.comment, process)
    commands = image_commands(tree, image, role, {})
    probe = image_probe(image, process, role)
    kind = kind_of("", process, image, False)
    workload = Workload(
        subject_id=path,
        name=path,
        platform=Platform.DOCKERFILE,
        kind=kind,
        location=image.stage.span.at(path),
        role=role,
        process=process,
        image=image.chain[-1].base,
        built_here=True,
        dockerfile=path,
        command=commands[0] if commands else None,
        place_role=place_role,
        probes=(replace(probe, of_infrastructure=kind is WorkloadKind.INFRASTRUCTURE),) if probe is not None else (),
    )
    return Found(workload, commands, homes(image, ()), image)


def homes(image: Image | None, others: Iterable[str]) -> tuple[str, ...]:
    """Folders whose service a workload belongs to: its Dockerfile's, what is copied into the image, its context."""
    found: list[str] = []
    if image is not None:
        found.append(image.path.rpartition("/")[0])
        for stage in image.chain:
            for copy in stage.copies:
                if copy.stage is None:
                    found += [f"{image.context}/{s}".strip("/").removesuffix("/.") for s in copy.sources if s != "."]
        found.append(image.context)
    return (*found, *others)
