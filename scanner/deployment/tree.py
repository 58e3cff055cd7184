"""The non-Python files of a tree as the deployment stage sees them, and which Dockerfile builds which image."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, TypeVar

from assay.scanner.deployment.images import Image, base_name, is_infrastructure, split_reference
from assay.scanner.deployment.processes import CommandContext
from assay.scanner.deployment.starts import Starter
from assay.scanner.model.role import Role
from assay.scanner.readers.compose import ComposeFacts, ComposeService
from assay.scanner.readers.dockerfile import DockerfileFacts
from assay.scanner.readers.dockerignore import DockerignoreFacts
from assay.scanner.readers.env_files import EnvFileFacts
from assay.scanner.readers.kubernetes.facts import KubernetesFacts, PodWorkload
from assay.scanner.readers.procfile import ProcfileFacts
from assay.scanner.readers.shell import ShellFacts

Facts: TypeAlias = (
    DockerfileFacts | DockerignoreFacts | ComposeFacts | KubernetesFacts | ProcfileFacts | ShellFacts | EnvFileFacts
)
_F = TypeVar(
    "_F", DockerfileFacts, DockerignoreFacts, ComposeFacts, KubernetesFacts, ProcfileFacts, ShellFacts, EnvFileFacts
)

DEVELOPMENT_STAGES = frozenset({"dev", "develop", "development", "local", "debug"})
TEST_STAGES = frozenset({"test", "tests", "testing", "ci", "lint"})
GUNICORN_CONF = "gunicorn.conf.py"


@dataclass(frozen=True)
class DeploymentTree:
    """`roles` are the roles of the paths (prod where it says nothing); `other_paths` are the Python files, of which
    only the names matter here.
    """

    files: Mapping[str, Facts]
    roles: Mapping[str, Role]
    other_paths: Collection[str] = ()

    def of(self, kind: type[_F]) -> dict[str, _F]:
        """The facts of one kind by path, in the order of the paths."""
        return {path: facts for path, facts in sorted(self.files.items()) if isinstance(facts, kind)}

    @cached_property
    def dockerfiles(self) -> dict[str, DockerfileFacts]:
        return self.of(DockerfileFacts)

    @cached_property
    def dockerignores(self) -> dict[str, DockerignoreFacts]:
        return self.of(DockerignoreFacts)

    @cached_property
    def compose_files(self) -> dict[str, ComposeFacts]:
        return self.of(ComposeFacts)

    @cached_property
    def manifests(self) -> dict[str, KubernetesFacts]:
        return self.of(KubernetesFacts)

    @cached_property
    def env_files(self) -> dict[str, EnvFileFacts]:
        return self.of(EnvFileFacts)

    @cached_property
    def scripts(self) -> dict[str, ShellFacts]:
        return self.of(ShellFacts)

    def role(self, path: str) -> Role:
        return self.roles.get(path, Role.PROD)

    def image(self, path: str, target: str | None = None, context: str | None = None) -> Image | None:
        """The stage of that Dockerfile that a build with this target ships."""
        facts = self.dockerfiles.get(path)
        stage = facts.stage(target) if facts is not None else None
        if facts is None or stage is None:
            return None
        return Image(path, facts, stage, self._context(path, facts) if context is None else context)

    def _context(self, path: str, facts: DockerfileFacts) -> str:
        """The folder it is built from: what a compose file or skaffold says, else the nearest folder around it that
        has what it copies, else its own.
        """
        said = self._contexts.get(path)
        if said is not None:
            return said
        sources = [
            s.removeprefix("./") for stage in facts.stages for c in stage.copies if c.stage is None for s in c.sources
        ]
        named = [s.rstrip("/") for s in sources if s not in (".", "") and "*" not in s]
        folder = posixpath.dirname(path)
        while named:
            if any(posixpath.join(folder, source) in self._places for source in named):
                return folder
            if not folder:
                break
            folder = posixpath.dirname(folder)
        return posixpath.dirname(path)

    @cached_property
    def _contexts(self) -> dict[str, str]:
        """By Dockerfile."""
        found: dict[str, str] = {}
        for path, facts in self.compose_files.items():
            for service in facts.services:
                built = self._compose_build(path, service)
                if built is not None:
                    found.setdefault(built.path, built.context)
        return found

    @cached_property
    def _places(self) -> frozenset[str]:
        """Every known file and the folders around it."""
        found: set[str] = set()
        for path in (*self.files, *self.other_paths):
            while path and path not in found:
                found.add(path)
                path = posixpath.dirname(path)
        return frozenset(found)

    def starter(self, image: Image | None, env: Mapping[str, str]) -> Starter:
        """What traces the commands of a workload that runs the image with these variables."""
        known = (image.env if image is not None else {}) | dict(env)
        return Starter(image, CommandContext(known, self._has_gunicorn_conf(image)), self.scripts)

    def _has_gunicorn_conf(self, image: Image | None) -> bool:
        if image is None:
            return GUNICORN_CONF in self.other_paths
        return any(source in self.other_paths for source in image.source_of(GUNICORN_CONF))

    @cached_property
    def patches(self) -> dict[str, str]:
        """The patch files of the tree, and the kustomization that lays each over other manifests."""
        return {relative(path, patch): path for path, facts in self.manifests.items() for patch in facts.patches}

    @cached_property
    def pod_patches(self) -> dict[tuple[str, str], list[tuple[str, PodWorkload]]]:
        """What patch files and kustomizations change of pods, by the kind and the name of what they change."""
        found: dict[tuple[str, str], list[tuple[str, PodWorkload]]] = {}
        files = ((path, self.manifests[path].workloads) for path in self.patches if path in self.manifests)
        inline = ((path, facts.inline_patches) for path, facts in self.manifests.items())
        for path, patches in (*files, *inline):
            for patch in patches:
                found.setdefault((patch.kind, patch.name), []).append((path, patch))
        return found

    @cached_property
    def bases(self) -> dict[str, str]:
        """Folders of manifests that a kustomization elsewhere builds on, with that kustomization."""
        return {relative(path, each): path for path, facts in self.manifests.items() for each in facts.resources}

    @cached_property
    def built_on(self) -> dict[str, list[str]]:
        """Kustomizations by the files and folders that they name."""
        found: dict[str, list[str]] = {}
        for path, facts in self.manifests.items():
            for each in facts.resources:
                found.setdefault(relative(path, each), []).append(path)
        return found

    def is_versioned_by_build(self, reference: str) -> bool:
        """Skaffold puts the tag of what it has built in the place of the manifest's."""
        return base_name(reference) in {artifact for artifact, _ in self._artifacts()}

    # --- compose: build -> Dockerfile ---

    @cached_property
    def named_contexts(self) -> frozenset[str]:
        """Names that builds give to further folders and images."""
        services = (service for facts in self.compose_files.values() for service in facts.services)
        return frozenset(name for each in services if each.build is not None for name in each.build.contexts)

    def compose_image(self, path: str, service: ComposeService) -> Image | None:
        """The image a compose service builds, or that another one of the tree builds under its name."""
        if service.build is not None:
            built = self._compose_build(path, service)
            if built is not None or service.image is None:
                return built
        return self.image_named(service.image) if service.image is not None else None

    def _compose_build(self, path: str, service: ComposeService) -> Image | None:
        build = service.build
        if build is None:
            return None
        context = relative(path, build.context)
        candidates = [build.dockerfile] if build.dockerfile is not None else ["Dockerfile", "Containerfile"]
        for name in candidates:
            image = self.image(posixpath.normpath(posixpath.join(context, name)), build.target, _plain(context))
            if image is not None:
                return image
        return None

    # --- an image's name -> Dockerfile ---

    def image_named(self, reference: str) -> Image | None:
        """The Dockerfile in this tree that builds an image of that name: by a build file that says so, else by the
        folder it lies in. None when nothing or more than one thing fits.
        """
        name = base_name(reference)
        said = self._built_images.get(split_reference(reference)[0]) or self._built_images.get(name)
        if said is not None:
            return said
        if is_infrastructure(reference):
            return None
        fitting = [p for p in self._production_dockerfiles if posixpath.basename(posixpath.dirname(p)) == name]
        fitting = fitting or [p for p in self._production_dockerfiles if _names(p, name)]
        return self.image(fitting[0]) if len(fitting) == 1 else None

    def is_built_here(self, reference: str) -> bool:
        """The tree holds its source, be it without a Dockerfile (Jib, buildpacks)."""
        names = {artifact for artifact, _ in self._artifacts()}
        return base_name(reference) in names or self.image_named(reference) is not None

    @cached_property
    def _production_dockerfiles(self) -> list[str]:
        return [path for path in self.dockerfiles if self.role(path) is Role.PROD]

    @cached_property
    def _built_images(self) -> dict[str, Image]:
        found: dict[str, Image] = {}
        for name, path in self._artifacts():
            image = self.image(path)
            if image is not None:
                found.setdefault(name, image)
        for path, facts in self.compose_files.items():
            for service in facts.services:
                built = self._compose_build(path, service) if service.image is not None else None
                if built is not None and service.image is not None and self.role(path) is Role.PROD:
                    found.setdefault(split_reference(service.image)[0], built)
        return found

    def _artifacts(self) -> Iterator[tuple[str, str]]:
        """Image name and Dockerfile path of what skaffold builds."""
        for path, facts in self.manifests.items():
            for artifact in facts.artifacts:
                context = relative(path, artifact.context)
                yield (
                    base_name(artifact.image),
                    posixpath.normpath(posixpath.join(context, artifact.dockerfile or "Dockerfile")),
                )

    def image_of_script(self, program: str) -> Image | None:
        """The one production image that holds the script a command names: how to know an image by another name."""
        if "/" not in program:
            return None
        holding = []
        for path in self._production_dockerfiles:
            image = self.image(path)
            if image is not None and any(source in self.scripts for source in image.source_of(program)):
                holding.append(image)
        return holding[0] if len(holding) == 1 else None


def _names(path: str, name: str) -> bool:
    """`Dockerfile.api` and `api.Dockerfile` are named for the image `api`."""
    file = posixpath.basename(path).lower()
    return file in (f"dockerfile.{name.lower()}", f"{name.lower()}.dockerfile")


def relative(path: str, target: str) -> str:
    """A path written in a file, relative to the scanned root."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))


def _plain(folder: str) -> str:
    return "" if folder == "." else folder


def stage_role(image: Image | None) -> Role:
    """A stage may say by its name that it isn't for production."""
    name = image.stage.name if image is not None else None
    if name is None:
        return Role.PROD
    words = set(name.replace("_", "-").split("-"))
    if words & DEVELOPMENT_STAGES:
        return Role.DEV
    return Role.TEST if words & TEST_STAGES else Role.PROD
