"""A backend of a given size: services, filled with entities until they are as long as wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.generator.entities import Entity, entities
from benchmarks.generator.services import File, Service
from benchmarks.generator.words import Words

DEFAULT_SERVICE_LINES = 50_000
DEFAULT_FRAMEWORKS = ("fastapi", "django", "fastapi", "flask")
_NAMES = "storefront ledger fulfilment accounts catalogue support-desk marketing reporting".split()
_SHORTEST_MODULE, _LONGEST_MODULE = 60, 280


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make. `lines` of Python, in services of at most `service_lines`; the frameworks take turns."""

    lines: int
    seed: int = 0
    service_lines: int = DEFAULT_SERVICE_LINES
    frameworks: tuple[str, ...] = DEFAULT_FRAMEWORKS


def generate(out: Path, plan: Plan) -> int:
    """Write the backend and return how many lines of Python it has. The same plan makes the same files."""
    written = 0
    count = -(-plan.lines // plan.service_lines)
    for number in range(count):
        name = _NAMES[number % len(_NAMES)] + (f"-{number // len(_NAMES) + 1}" if number >= len(_NAMES) else "")
        service = Service(name, plan.frameworks[number % len(plan.frameworks)], Words(f"{plan.seed}/{number}"))
        folder = out if count == 1 else out / "services" / name
        for file in _files(service, (plan.lines - written) // (count - number)):
            _write(folder / file.path, file.text)
            written += file.lines
    return written


def _files(service: Service, lines: int) -> Iterator[File]:
    """Entities as long as one more is likely to fit; the rest is filled with modules that compute."""
    made = list(service.core())
    yield from made
    core = total = sum(file.lines for file in made)
    for entity in entities(service.words):
        for file in service.of_entity(entity):
            if file.is_leaf and total + file.lines > lines:
                break
            yield file
            total += file.lines
        if total + (total - core) / len(service.entities) > lines:
            break
    made = list(service.main())
    yield from made
    yield from _filling(service, lines - total - sum(file.lines for file in made))


def _filling(service: Service, lines: int) -> Iterator[File]:
    part = 0
    while lines >= _SHORTEST_MODULE:
        part += 1
        entity: Entity = service.words.pick(service.entities)
        size = service.words.number(_SHORTEST_MODULE, _LONGEST_MODULE)
        for file in service.logic(entity, f"part{part}_calculation", min(size, lines)):
            if file.lines > lines + _SHORTEST_MODULE:
                break
            yield file
            lines -= file.lines


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
