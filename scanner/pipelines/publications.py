"""Which jobs of CI publish images, by the tools and actions that push them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from assay.scanner.gathered import Gathered
from assay.scanner.model.pipeline import CiCommand, CiJob, Trigger
from assay.scanner.model.place import Evidence
from assay.scanner.model.publication import ImagePublication
from assay.scanner.model.role import Role
from assay.scanner.model.scanning import ScanKind, SecurityScan
from assay.scanner.pipelines.tree import PipelineTree
from assay.scanner.services import ServiceRoot

_OFF = re.compile(r"(?i)false|no|0|")
_LOCAL = re.compile(r"\b(localhost|127\.0\.0\.1|registry):\d+|\bttl\.sh/|\bkind-registry")
_FOR_TRIALS = re.compile(r"(?i)(^|[-_.])(prs?|pull|e2e|for-testing|image-test)([-_.]|$)")
_OUTPUT_PUSHES = re.compile(r"type=registry|push=true|push-by-digest=true")
_OF_FILES = frozenset({"Trivy", "Grype", "Snyk"})
"""Tools that look through images, or only through the files that go into them."""

_SPEAKS_OF_SCANS = re.compile(
    r"(?i)trivy|grype|snyk|docker[-/ ]scout|anchore|clair|twistlock|prisma-?cloud|\bwiz|aquasec|vulnerabilit"
    r"|(image|container)s?[-_ ]?scan|scan[-_ ]?(image|container)"
)

_DOCKER_PUSHES = (
    r"^docker (image )?push |^docker compose .*push\b"
    r"|^docker (buildx|build) .*(--push\b|(-o|--output)[= ]type=registry\b)"
)
_PUSHING: Mapping[str, Callable[[str], bool]] = {
    "docker": lambda text: _is(_DOCKER_PUSHES, text),
    "podman": lambda text: _is(r"^podman (image )?push ", text),
    "buildah": lambda text: _is(r"^buildah push ", text),
    "nerdctl": lambda text: _is(r"^nerdctl push ", text),
    "crane": lambda text: _is(r"^crane push ", text),
    "depot": lambda text: _is(r"^depot (build|bake) .*--push\b", text),
    "executor": lambda text: _is(r"--destination", text) and not _is(r"--no-push\b", text),
    "skaffold": lambda text: _is(r"^skaffold (build|run)", text) and not _is(r"--push=false", text),
    "gcloud": lambda text: _is(r"^gcloud builds submit .*(--tag|-t)\b", text),
    "az": lambda text: _is(r"^az acr build ", text),
}
"""By the program, whether its words push an image."""
_ACTIONS = (
    "docker/build-push-action", "depot/build-push-action", "docker/bake-action", "depot/bake-action",
    "useblacksmith/build-push-action", "redhat-actions/push-to-registry", "mr-smithers-excellent/docker-build-push",
    "elgohr/publish-docker-github-action", "macbre/push-to-ghcr", "whoan/docker-build-with-cache-action",
    "int128/kaniko-action", "aevea/action-kaniko",
)  # fmt: skip
_PUSH_WHEN_TOLD = ("build-push-action", "bake-action", "kaniko-action", "docker-build-push")
"""Parts of the names of those that push where an input says so."""


def publications(
    gathered: Gathered, tree: PipelineTree, scans: Sequence[tuple[SecurityScan, CiCommand | None, CiJob | None]]
) -> Iterator[ImagePublication]:
    """One for each job that pushes, of the first service that the push may be about."""
    seen: set[tuple[str, str]] = set()
    known = {id(command) for _, command, _ in scans}
    perhaps = tuple(c.evidence for _, c in tree.running() if id(c) not in known and _speaks_of_scans(c))
    for path, jobs in tree.jobs.items():
        for job in jobs:
            pushes = [(i, c) for i, c in enumerate(job.commands) if pushes_image(c)]
            place = (job.location.path, job.name)
            if not pushes or place in seen or job.disabled is not None or _is_trial(job):
                continue
            seen.add(place)
            service = _service_of(pushes[0][1], gathered, tree)
            if service is not None:
                needed = {(path, name) for name in _needed(job, jobs)}
                yield _publication(service, job, pushes, needed, scans, perhaps)


def _needed(job: CiJob, jobs: Sequence[CiJob]) -> set[str]:
    """The jobs of its file that succeed before it runs, by name."""
    needs = {other.name: other.needs for other in jobs}
    found: set[str] = set()
    todo = list(job.needs)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += needs.get(name, ())
    return found


def _is_trial(job: CiJob) -> bool:
    """Whether its images are for looking at a change alone: by a request, and by hand for another look."""
    name = posixpath.basename(job.location.path)
    is_of_requests = Trigger.PULL_REQUEST in job.triggers <= {Trigger.PULL_REQUEST, Trigger.MANUAL}
    return is_of_requests or _FOR_TRIALS.search(name) is not None


def pushes_image(command: CiCommand) -> bool:
    """Whether it sends an image to a registry that others pull from."""
    told = " ".join((*command.words, *(value for _, value in command.inputs)))
    if _LOCAL.search(told):
        return False
    if not command.is_action:
        look = _PUSHING.get(command.program)
        return look is not None and look(" ".join((command.program, *command.words[1:])))
    if not command.program.startswith(_ACTIONS):
        return False
    if not any(name in command.program for name in _PUSH_WHEN_TOLD):
        return True
    pushed = command.input("push").strip()
    is_told = _OFF.fullmatch(pushed) is None
    return is_told or _OUTPUT_PUSHES.search(f"{command.input('outputs')} {command.input('set')}") is not None


def _publication(
    service: ServiceRoot,
    job: CiJob,
    pushes: Sequence[tuple[int, CiCommand]],
    needed: Collection[tuple[str, str]],
    scans: Sequence[tuple[SecurityScan, CiCommand | None, CiJob | None]],
    perhaps: tuple[Evidence, ...],
) -> ImagePublication:
    first = pushes[0][0]
    order = {id(command): i for i, command in enumerate(job.commands)}
    before: list[SecurityScan] = []
    after: list[SecurityScan] = []
    elsewhere: list[SecurityScan] = []
    in_part: list[SecurityScan] = []
    for scan, command, around in scans:
        is_here = around is not None and (around.location, around.name) == (job.location, job.name)
        if ScanKind.IMAGE in scan.kinds and around is not None and (around.location.path, around.name) in needed:
            before.append(scan)
        elif ScanKind.IMAGE in scan.kinds:
            at = order.get(id(command), first) if is_here else None
            (elsewhere if at is None else before if at < first else after).append(scan)
        elif is_here and scan.tool in _OF_FILES and ScanKind.DEPENDENCIES in scan.kinds:
            in_part.append(scan)
    return ImagePublication(
        service_root=service.root,
        subject_id=f"{job.location.path}:{job.name}",
        job=job.name or posixpath.basename(job.location.path),
        location=pushes[0][1].location,
        role=Role.PROD,
        pushes=tuple(Evidence(c.location, f"publishes an image: {c.text}") for _, c in pushes),
        before=tuple(before),
        after=tuple(after),
        elsewhere=tuple(elsewhere),
        in_part=tuple(in_part),
        perhaps=perhaps[:2],
    )


def _speaks_of_scans(command: CiCommand) -> bool:
    if command.program in ("echo", "printf") or command.words[1:2] == ("compose",):
        return False
    said = command.program if command.is_action else command.text
    return _SPEAKS_OF_SCANS.search(said) is not None and "sbom" not in said and "upload" not in said


def _service_of(command: CiCommand, gathered: Gathered, tree: PipelineTree) -> ServiceRoot | None:
    """The first of the whole tree that it may be about; None where that is one of another unit."""
    own = {service.root: service for service in gathered.services}
    if not own:
        return None
    for root in sorted({*own, *gathered.neighbours}):
        mine = own.get(root) or replace(gathered.services[0], root=root)
        if tree.concerns(command, mine):
            return own.get(root)
    return None


def _is(pattern: str, text: str) -> bool:
    return re.search(pattern, f"{text} ") is not None
