"""From a command as it is declared to the process that runs: through inits, shells and entry scripts, hop by hop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assay.scanner.deployment.images import Image, ShellFamily
from assay.scanner.deployment.processes import DROPPERS, INITS, CommandContext, classify, init_removed, unwrapped
from assay.scanner.deployment.scripts import Ending, endings, line_endings
from assay.scanner.model.workload import Delivery, Process, WorkloadKind
from assay.scanner.readers.shell import Choice, ShellFacts, parse

SHELLS = {"sh": ShellFamily.UNKNOWN, "bash": ShellFamily.BASH, "dash": ShellFamily.DASH, "ash": ShellFamily.ASH}
MAX_HOPS = 4
"""How many shells and scripts a command may go through before it counts as unknown."""

NOTHING = Process(None, WorkloadKind.UNKNOWN, "")


@dataclass(frozen=True, slots=True)
class ScriptEnd:
    """The last command of an entry script, in the tree: a place of its own that a signal must get past."""

    path: str
    ending: Ending
    process: Process
    delivery: Delivery
    why: str


@dataclass(frozen=True, slots=True)
class Start:
    """What a declared command comes to. `delivery` and `why` are about the declaration itself; the scripts that it
    goes through are in `scripts`.
    """

    process: Process
    delivery: Delivery
    why: str
    scripts: tuple[ScriptEnd, ...] = ()


@dataclass(frozen=True, slots=True)
class Starter:
    """Everything a command is traced against: the image it runs in, and the shell scripts of the tree."""

    image: Image | None
    context: CommandContext
    scripts: Mapping[str, ShellFacts]

    def trace(self, words: Sequence[str], hops: int = 0) -> Start:
        """Follow a command in exec form."""
        rest = _undropped(list(words))
        if not rest or hops > MAX_HOPS:
            return Start(NOTHING, Delivery.UNSURE, "what it starts isn't known")
        name = rest[0].rsplit("/", 1)[-1]
        if name in INITS:
            return self._after_init(rest, hops)
        line = _line_index(rest) if name in SHELLS else None
        if line is not None:
            return self._shell_line(rest[0], rest[line], hops)
        bare = unwrapped(rest)
        script = self._script(bare[1:] if bare[:1] and bare[0].rsplit("/", 1)[-1] in SHELLS else bare)
        if script is not None:
            path, arguments = script
            return self._through_script(path, arguments, hops)
        return Start(classify(rest, self.context), Delivery.REACHES, "exec form: the process gets the signal itself")

    def shell_form(self, line: str) -> Start:
        """Follow a line that Docker hands to the image's shell."""
        shell = self.image.shell if self.image is not None else ("/bin/sh", "-c")
        return self.trace((*shell, line))

    def _after_init(self, words: list[str], hops: int) -> Start:
        name = words[0].rsplit("/", 1)[-1]
        command = init_removed(words)
        if not command:  # s6-overlay's /init, which starts the services that its folders describe
            return Start(NOTHING, Delivery.REACHES, f"{name} gets the signal and stops what it supervises")
        started = self.trace(command, hops + 1)
        options = words[1 : len(words) - len(command)]
        dumb = name == "dumb-init" and not {"-c", "--single-child"}.intersection(options)
        if dumb or (name.startswith("tini") and "-g" in options):
            scripts = tuple(
                replace(s, delivery=Delivery.REACHES, why=f"{name} signals the whole group") for s in started.scripts
            )
            return replace(
                started, delivery=Delivery.REACHES, why=f"{name} signals the whole process group", scripts=scripts
            )
        return started

    def _shell_line(self, program: str, line: str, hops: int) -> Start:
        family = self._family(program)
        body = parse(line)
        found = line_endings(body, (), self.context)
        if not found:
            return Start(_job(line), Delivery.REACHES, "it ends by itself")
        started = [(e, self.trace(e.words, hops + 1)) for e in found]
        ending, worst = max(started, key=lambda pair: _rank(pair[1].process))
        scripts = tuple(s for _, start in started for s in start.scripts)
        if ending.unsure:
            return Start(worst.process, Delivery.UNSURE, ending.unsure, scripts)
        if ending.replaces_shell:
            return Start(worst.process, worst.delivery, "exec: the shell becomes the process", scripts)
        single = len(body) >= 1 and not isinstance(body[-1], Choice)
        return Start(worst.process, *_in_front(family, program, single), scripts)

    def _family(self, program: str) -> ShellFamily:
        name = program.rsplit("/", 1)[-1]
        if name != "sh":
            return SHELLS[name]
        return self.image.base.shell if self.image is not None else ShellFamily.UNKNOWN

    def _script(self, words: list[str]) -> tuple[str, tuple[str, ...]] | None:
        """The path in the tree of the script that a command runs, and its arguments."""
        while words and words[0].startswith("-"):
            words = words[1:]
        if not words or self.image is None:
            return None
        program = words[0]
        folders = [""] if "/" in program else ["", "/usr/local/bin/", "/usr/bin/", "/bin/"]
        candidates = (c for folder in folders for c in self.image.source_of(folder + program))
        path = next((c for c in candidates if c in self.scripts), None)
        return None if path is None else (path, tuple(words[1:]))

    def _through_script(self, path: str, arguments: tuple[str, ...], hops: int) -> Start:
        known = None if any("$" in a for a in arguments) else arguments
        found = endings(self.scripts[path], known, self.context)
        reached = "exec form: the script gets the signal and is judged by itself"
        if not found:
            return Start(_job(path), Delivery.REACHES, "the script ends by itself")
        started = [(ending, self.trace(ending.words, hops + 1)) for ending in found]
        scripts = [s for _, start in started for s in start.scripts]
        scripts += [ScriptEnd(path, e, start.process, *_script_delivery(e)) for e, start in started]
        ending, chosen = max(started, key=lambda pair: _rank(pair[1].process))
        if ending.replaces_shell and chosen.delivery is Delivery.SHELL_IN_FRONT:  # `exec "$@"` of a shell-form CMD
            return Start(chosen.process, chosen.delivery, chosen.why, tuple(scripts))
        return Start(chosen.process, Delivery.REACHES, reached, tuple(scripts))


def _undropped(words: list[str]) -> list[str]:
    """Without `gosu user` and `env A=b`, which replace themselves with what follows."""
    while words and words[0].rsplit("/", 1)[-1] in DROPPERS | {"env"}:
        shorter = unwrapped(words)
        if shorter == words:
            break
        words = shorter
    return words


def _line_index(words: list[str]) -> int | None:
    """Where the line of `bash -euo pipefail -c LINE` stands; `-c` may hide among letters, as in `-lc`."""
    for index, word in enumerate(words[1:-1], 1):
        if word.startswith("-") and not word.startswith("--") and word.endswith("c"):
            return index + 1
    return None


def _job(text: str) -> Process:
    return Process(None, WorkloadKind.JOB, text)


def _rank(process: Process) -> int:
    """The ending that matters most: a server that is started for production."""
    if process.is_development_server:
        return 1
    return 3 if process.runs_for_long else 2 if process.runs_for_long is None else 0


def _in_front(family: ShellFamily, program: str, single: bool) -> tuple[Delivery, str]:
    if family.stays_in_front:
        return Delivery.SHELL_IN_FRONT, f"{family} stays in front as process 1 and passes no signal on"
    if family is ShellFamily.BASH and single:
        return Delivery.UNSURE, "bash 5.1 and later replaces itself with the last simple command, older ones don't"
    return Delivery.UNSURE, f"whether {program} stays in front depends on the image"


def _script_delivery(ending: Ending) -> tuple[Delivery, str]:
    if ending.unsure:
        return Delivery.UNSURE, ending.unsure
    if ending.replaces_shell:
        return Delivery.REACHES, "exec: the script's shell becomes the process"
    return Delivery.SHELL_IN_FRONT, "without exec the script's shell stays in front and passes no signal on"
