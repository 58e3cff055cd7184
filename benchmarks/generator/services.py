"""Services: which modules they are made of, for each of the frameworks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from benchmarks.generator.entities import Entity
from benchmarks.generator.rendering import render, statements
from benchmarks.generator.words import DOMAINS, TAILS, Words

FRAMEWORKS = ("fastapi", "django", "flask")
_PURPOSES = "pricing rules imports exports history matching limits notifications summaries planning mapping".split()
_MEAN_FUNCTION = 23
"""In lines, with what stands around it."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of the backend; `path` is relative to the service, with `/`. Nothing imports a leaf."""

    path: str
    text: str
    is_leaf: bool = False

    @property
    def lines(self) -> int:
        """Its lines of Python."""
        return self.text.count("\n") if self.path.endswith(".py") else 0


@dataclass(slots=True)
class Service:
    """A service in the making."""

    name: str
    framework: str
    words: Words
    entities: list[Entity] = field(default_factory=list)
    routed: list[Entity] = field(default_factory=list)
    _revision: str = ""
    _migrations: int = 0

    @property
    def package(self) -> str:
        return self.name.replace("-", "_")

    @property
    def domains(self) -> list[str]:
        return list(DOMAINS)

    def core(self) -> Iterator[File]:
        """What there is once: packages, errors, logging, settings, the database."""
        modules = {
            "fastapi": ["database", "repository", "schemas", "settings", "security", "health"],
            "django": ["models", "health"],
            "flask": ["extensions", "security"],
        }[self.framework]
        for name in modules:
            yield self.made(f"{self.framework}/core_{name}.py", f"{self.package}/core/{name}.py")
        yield self.made("shared/core_errors.py", f"{self.package}/core/errors.py")
        yield self.made("shared/core_logs.py", f"{self.package}/core/logs.py")
        for folder in ("", "core/"):
            yield File(f"{self.package}/{folder}__init__.py", "")
        if self.framework == "fastapi":
            yield self.made("fastapi/env.py", "migrations/env.py")

    def main(self) -> Iterator[File]:
        """What ties the modules together, and the files for deployment: made last."""
        if self.framework == "django":
            for name in ("settings", "urls", "wsgi"):
                yield self.made(f"django/{name}.py", f"{self.package}/{name}.py")
            yield self.made("django/manage.py", "manage.py")
        else:
            yield self.made(f"{self.framework}/main.py", f"{self.package}/main.py")
        yield self.made("deployment/Dockerfile", "Dockerfile")
        yield self.made("deployment/docker-compose.yml", "docker-compose.yml")
        yield self.made("deployment/env.example", ".env.example")
        yield self.made("deployment/pyproject.toml", "pyproject.toml")
        yield self.made("deployment/workflow.yml", ".github/workflows/test.yml")
        yield File("README.md", f"# {self.name}\n\nKeeps {', '.join(self.domains)}.\n")

    def of_entity(self, entity: Entity) -> Iterator[File]:
        """All about one entity: what comes later needs what came before, and the leaves are last."""
        module, peers = _Module(self, entity), self._peers(entity)
        if not any(e.domain == entity.domain for e in self.entities):
            yield File(f"{self.package}/{entity.domain}/__init__.py", "")
        self.entities.append(entity)
        yield module.file("models")
        yield File(module.path("__init__"), "")
        made = {"fastapi": self._fastapi, "django": self._django, "flask": self._flask}[self.framework](module, peers)
        yield from sorted(made, key=lambda file: file.is_leaf)
        if self.words.chance(0.22):
            yield module.leaf("reports", "shared")
        if self.words.chance(0.15):
            yield module.leaf("tasks", "shared", functions=module.functions(3))
        if self.words.chance(0.12):
            yield module.leaf("client", "shared", functions=module.functions(self.words.number(2, 5)))
        for purpose in self.words.some(_PURPOSES, 0, 1):
            yield from self.logic(entity, purpose, self.words.size(300, 60, 600))

    def logic(self, entity: Entity, name: str, lines: int) -> Iterator[File]:
        """A module that computes, of about so many lines, and mostly tests of it."""
        module = _Module(self, entity)
        functions = module.functions(max(1, round((lines - 30) / _MEAN_FUNCTION)))
        purpose = name.rpartition("_")[2]
        yield module.leaf(
            "logic",
            "shared",
            name,
            functions=functions,
            purpose=purpose,
            has_class=self.words.chance(0.4),
            peers=self._peers(entity),
        )
        if self.words.chance(0.6):
            yield module.test("test_logic", name, "shared", functions=functions[:16], module=name)

    def _fastapi(self, module: _Module, peers: list[Entity]) -> Iterator[File]:
        words = self.words
        yield self._migration(module.entity, creates=True)
        yield module.file("schemas")
        search = words.weighted(("", "parameters", "f-string", "concatenation"), (14, 4, 1, 1))
        yield module.file("repository", search=search)
        functions = module.functions(words.size(7, 2, 30))
        yield module.file("service", functions=functions, peers=peers, structured=words.chance(0.4))
        if words.chance(0.85):
            yield module.file("router", actions=self._actions(), search=search)
            self.routed.append(module.entity)
            yield module.test("test_api", "api")
        if words.chance(0.6):
            yield module.test("test_logic", "service", "shared", functions=functions, module="service")
        for _ in range(words.weighted((0, 1, 2), (3, 2, 1))):
            yield self._migration(module.entity, creates=False)

    def _django(self, module: _Module, peers: list[Entity]) -> Iterator[File]:
        yield module.file("apps")
        yield module.file("migration", name="migrations/0001_initial")
        yield File(module.path("migrations/__init__"), "")
        yield from self._services(module, peers)
        yield module.file("serializers")
        if self.words.chance(0.6):
            yield module.file("admin")

    def _flask(self, module: _Module, peers: list[Entity]) -> Iterator[File]:
        yield from self._services(module, peers)

    def _services(self, module: _Module, peers: list[Entity]) -> Iterator[File]:
        """A module `services`, the views that call it, and tests of both."""
        functions = module.functions(self.words.size(6, 2, 24))
        yield module.file(
            "logic", "shared", "services", functions=functions, purpose="rules", has_class=False, peers=peers
        )
        if self.words.chance(0.85):
            yield module.file("views", functions=functions, actions=self._actions())
            self.routed.append(module.entity)
            if self.framework == "django":
                yield module.test("test_api", "api")
        if self.words.chance(0.6):
            yield module.test("test_logic", "services", "shared", functions=functions, module="services")

    def _migration(self, entity: Entity, creates: bool) -> File:
        previous, self._revision = self._revision, self.words.hexadecimal(12)
        self._migrations += 1
        message = f"{'create' if creates else 'change'} {entity.plural}"
        return self.made(
            "fastapi/migration.py",
            f"migrations/versions/{self._migrations:04}_{self._revision}_{message.replace(' ', '_')}.py",
            e=entity,
            creates=creates,
            message=message,
            revision=self._revision,
            previous=previous,
        )

    def _actions(self) -> list[str]:
        return list(dict.fromkeys(self.words.action() for _ in range(self.words.weighted((0, 1, 2), (4, 3, 2)))))

    def _peers(self, entity: Entity) -> list[Entity]:
        """Entities that came before, so that modules import each other without circles."""
        earlier = self.entities[: self.entities.index(entity)] if entity in self.entities else self.entities
        return self.words.some(earlier, 0, 2)

    def made(self, template: str, path: str, **given: object) -> File:
        """A file of this service, from a template."""
        every = {"s": self, "at": self.dotted, "all": self.entities, "routed": self.routed}
        return File(path, render(template, self.words, **every, **given))

    def dotted(self, entity: Entity) -> str:
        """The package that holds what is about this entity."""
        return f"{self.package}.{entity.domain}.{entity.name}"


@dataclass(frozen=True, slots=True)
class _Module:
    """Makes the modules of one entity."""

    service: Service
    entity: Entity

    def path(self, name: str) -> str:
        return f"{self.service.dotted(self.entity).replace('.', '/')}/{name}.py"

    def file(self, template: str, folder: str = "", name: str = "", **given: object) -> File:
        return self._of(f"{folder or self.service.framework}/{template}.py", self.path(name or template), given)

    def leaf(self, template: str, folder: str, name: str = "", **given: object) -> File:
        return replace(self.file(template, folder, name, **given), is_leaf=True)

    def test(self, template: str, what: str, folder: str = "", **given: object) -> File:
        path = f"tests/{self.entity.domain}/test_{self.entity.name}_{what}.py"
        return replace(self._of(f"{folder or self.service.framework}/{template}.py", path, given), is_leaf=True)

    def functions(self, count: int) -> list[str]:
        """Names of functions, no name twice."""
        words = self.service.words
        nouns = (self.entity.name, self.entity.plural, self.entity.name.split("_")[-1])
        names = (f"{words.action()}_{words.pick(nouns)}_{words.pick(TAILS)}" for _ in range(count))
        return list(dict.fromkeys(names))

    def _of(self, template: str, path: str, given: dict[str, object]) -> File:
        def body(size: int, number: str, text: str, rows: str, ending: bool = True) -> str:
            return statements(self.service.words, self.entity, size, number, text, rows, ending)

        return self.service.made(template, path, e=self.entity, body=body, **given)
