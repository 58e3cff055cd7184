"""OPS1: images are built in stages, pinned, free of secrets and of build tools, and run without root's rights."""

from __future__ import annotations

from assay.scanner.model.image import ContainerImage, ImageReference, Pin
from assay.scanner.model.publication import ImagePublication
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review

DOCKER_BEST_PRACTICES = "https://docs.docker.com/build/building/best-practices/"


@rule("OPS101", severity=Severity.MEDIUM, references=("https://docs.docker.com/build/building/multi-stage/",))
def build_tools_in_runtime_stage(image: ContainerImage, service: Service) -> Verdict:
    """Compilers and headers stay in an image that is shipped.

    Why: every tool in the image is one more to patch, and one more that an intruder finds ready; the image is also
    larger to pull and to start.
    Fix: build in a stage of its own and copy the result (COPY --from), or take the tools away in the same RUN.
    """
    if image.runs_infrastructure:
        return not_applicable("it adds to the image of a database or a proxy", image.place)
    if image.build_tools:
        return fail(f"{image.label} ships what only building needs; build in a stage of its own", *image.build_tools)
    if image.perhaps_used:
        return review("does the application need these, or did only the build?", *image.perhaps_used)
    return passed("nothing that only building needs stays in it", image.place)


@rule("OPS102", severity=Severity.HIGH, cwe=(250,), references=(DOCKER_BEST_PRACTICES + "#user",))
def container_runs_as_root(image: ContainerImage, service: Service) -> Verdict:
    """The processes of a container run as root.

    Why: whoever breaks into the service may then change everything in the container, and is one flaw of the kernel or
    of the runtime away from the machine.
    Fix: make a user in the image and switch to it (USER) before CMD, and let workloads insist on it (runAsNonRoot).
    """
    if image.runs_infrastructure:
        return not_applicable("it adds to the image of a database or a proxy, which looks after its user", image.place)
    if image.user.is_safe is False:
        return fail(f"{image.label} runs as root; switch to another user", *image.user.evidence)
    if image.user.is_safe is None:
        return review("do the processes of this image run as root?", *image.user.evidence)
    return passed("its processes don't run as root", *image.user.evidence)


@rule("OPS103", severity=Severity.MEDIUM, references=(DOCKER_BEST_PRACTICES + "#pin-base-image-versions",))
def image_reference_floats(reference: ImageReference, service: Service) -> Verdict:
    """A reference to an image names another one tomorrow.

    Why: a build or a restart brings in whatever was published since, so nobody knows what runs, and yesterday's can't
    be had back.
    Fix: name a version, or better a digest, and let a bot move it forward.
    """
    if reference.is_own:
        return not_applicable("the tree builds it", reference.place)
    if reference.pin in (Pin.MOVING, Pin.MISSING):
        why = "has no tag" if reference.pin is Pin.MISSING else "has a tag that moves"
        return fail(f"{reference.reference} {why}; name a version", reference.place)
    if reference.pin is Pin.UNKNOWN:
        return review("is a version given where this is used?", reference.place)
    return passed(f"it is named {reference.pin}", reference.place)


@rule(
    "OPS105", severity=Severity.HIGH, cwe=(1395,), references=("https://trivy.dev/latest/docs/target/container_image/",)
)
def image_published_unscanned(publication: ImagePublication, service: Service) -> Verdict:
    """CI publishes an image that nothing has looked through for known holes.

    Why: most holes of an image come with its base and its packages, long after anybody read them; the first to notice
    is then who exploits them.
    Fix: scan the built image before it is pushed (Trivy, Grype, docker scout), and fail the job on what is grave and
    can be mended.
    """
    pushes = publication.pushes
    if publication.before:
        return passed("the image is scanned before it is published", *(s.evidence for s in publication.before), *pushes)
    if publication.after:
        scans = (s.evidence for s in publication.after)
        return review("is the image used before the scan behind its publication is through?", *pushes, *scans)
    on_changes = [s for s in publication.elsewhere if not s.not_on_changes]
    if on_changes:
        return passed("the image is scanned before a change is merged", *(s.evidence for s in on_changes), *pushes)
    if publication.elsewhere:
        scans = (s.evidence for s in publication.elsewhere)
        return review("does this scan hold back what is published here?", *pushes, *scans)
    if publication.in_part:
        scans = (s.evidence for s in publication.in_part)
        return review("what looks through the packages of the image itself?", *pushes, *scans)
    if publication.perhaps:
        return review("is the published image scanned by this?", *pushes, *publication.perhaps)
    return fail(f"{publication.job} publishes an image that nothing scans; scan it before", *pushes)


@rule(
    "OPS106",
    severity=Severity.CRITICAL,
    cwe=(538, 798),
    references=("https://docs.docker.com/build/building/secrets/",),
)
def secret_baked_into_image(image: ContainerImage, service: Service) -> Verdict:
    """A secret is part of an image.

    Why: everybody who can pull the image can read every layer and its history, also what a later layer takes away.
    Fix: mount the secret for the one RUN that needs it (RUN --mount=type=secret), give running containers theirs from
    outside, and name files of secrets in .dockerignore.
    """
    if image.secrets:
        return fail(f"{image.label} holds a secret; take it out of the image and replace it", *image.secrets)
    if image.perhaps_secret:
        return review("is the build given a real secret for this?", *image.perhaps_secret)
    return passed("no secret was found in its instructions", image.place)
