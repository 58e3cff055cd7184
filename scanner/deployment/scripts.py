"""Where an entry script ends up: the commands it can end in, for the arguments it is started with."""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from assay.scanner.deployment.processes import CommandContext, classify
from assay.scanner.model.workload import WorkloadKind
from assay.scanner.readers.shell import Case, Choice, Command, Function, Loop, ShellFacts, Statement, Subshell, Unknown
from assay.scanner.readers.span import Span
from assay.scanner.readers.variables import expand

MAX_CALLS = 200
"""How many calls of functions are followed before the script counts as not understood."""

MAX_ENDINGS = 20
"""How many endings of a script are looked at."""

STOP_SIGNALS = frozenset({"TERM", "SIGTERM", "15"})
ALL_ARGUMENTS = frozenset({"$@", "${@}", "$*", "${*}"})
DAEMON_FLAGS = frozenset({"--daemon", "-D", "--daemonize", "--detach"})
CONDITIONS = frozenset({"[", "[[", "((", "test", ":"})
EXITS = frozenset({"exit", "return"})


@dataclass(frozen=True, slots=True)
class Ending:
    """A command that a script can end in; `words` have what is known put in, `written` is the script's own spelling.

    `unsure` says why nothing certain can be said: a construct that isn't understood, a trap that may pass signals on.
    """

    words: tuple[str, ...]
    span: Span
    replaces_shell: bool
    unsure: str | None = None
    written: tuple[str, ...] = ()


@dataclass(slots=True)
class _State:
    """A shell at one moment of a run."""

    context: CommandContext
    arguments: tuple[str, ...] | None
    values: dict[str, str]
    functions: dict[str, Function] = field(default_factory=dict)
    traps_stop: bool = False
    background: Command | None = None
    last: Command | None = None
    calls: Iterator[int] = field(default_factory=itertools.count)
    """Shared by all branches of one run."""
    endings: list[Ending] = field(default_factory=list)

    def words(self, command: Command) -> tuple[str, ...]:
        """The command's words with what is known put in."""
        done: list[str] = []
        for word in command.words:
            if word in ALL_ARGUMENTS and self.arguments is not None:
                done += self.arguments
            else:
                done.append(expand(word, self.known))
        return tuple(done)

    @property
    def known(self) -> dict[str, str]:
        known = dict(self.context.env) | self.values
        if self.arguments is not None:
            known |= {str(i): a for i, a in enumerate(self.arguments, 1)}
            known["#"] = str(len(self.arguments))
            known |= {str(i): "" for i in range(len(self.arguments) + 1, 10)}
        return known


def endings(script: ShellFacts, arguments: tuple[str, ...] | None, context: CommandContext) -> tuple[Ending, ...]:
    """Every command the script can end in; empty when it only does things and exits.

    `arguments` is None when nobody knows what it is started with.
    """
    return line_endings(script.body, arguments, context)


def line_endings(
    body: Sequence[Statement], arguments: tuple[str, ...] | None, context: CommandContext
) -> tuple[Ending, ...]:
    """The same for the statements of a `sh -c` line."""
    state = _State(context, arguments, {})
    if _run(body, state) and state.last is not None:
        state.endings.append(_ending(state.last, state))
    return tuple(dict.fromkeys(state.endings))[:MAX_ENDINGS]


def _run(body: Sequence[Statement], state: _State) -> bool:
    """Whether the shell goes on after these statements."""
    return all(_step(statement, state) for statement in body)


def _step(statement: Statement, state: _State) -> bool:
    if isinstance(statement, Command):
        return _command(statement, state)
    state.last = None
    if isinstance(statement, Function):
        state.functions[statement.name] = statement
        return True
    if isinstance(statement, Choice):
        return _choice(statement, state)
    if isinstance(statement, Case):
        return _case(statement, state)
    if isinstance(statement, Loop):
        return _loop(statement, state)
    if isinstance(statement, Subshell):
        return _subshell(statement, state)
    return _unknown(statement, state)


def _command(command: Command, state: _State) -> bool:
    state.values |= {name: expand(value, state.known) for name, value in command.assignments}
    words = state.words(command)
    if not words:
        return True
    name = words[0]
    if command.replaces_shell:
        state.endings.append(Ending(words, command.span, True, None, command.words))
        return False
    if name in CONDITIONS:
        return True
    if name in EXITS:
        state.last = None
        return False
    if command.background:
        state.background = command
        return True
    if name == "wait" and state.background is not None:
        reason = "it waits for a background job" + (" and traps the signal" if state.traps_stop else "")
        job = state.background
        state.endings.append(Ending(state.words(job), job.span, False, reason, job.words))
        return False
    if name == "trap" and STOP_SIGNALS.intersection(words[2:]):
        state.traps_stop = True
    elif name == "shift" and state.arguments is not None:
        state.arguments = state.arguments[int(words[1]) if words[1:] and words[1].isdigit() else 1 :]
    elif name == "set" and words[1:2] == ("--",):
        state.arguments = words[2:] if "$" not in " ".join(words) else None
    elif name in state.functions:
        return _call(state.functions[name], words[1:], state)
    elif _is_server(words, state.context):
        state.endings.append(_ending(command, state))
        return False
    state.last = command
    return True


def _call(function: Function, arguments: tuple[str, ...], state: _State) -> bool:
    if next(state.calls) >= MAX_CALLS:
        state.endings.append(Ending((), function.span, False, "functions that call each other"))
        return False
    outer, state.arguments = state.arguments, arguments if "$" not in " ".join(arguments) else None
    goes_on = _run(function.body, state)
    state.arguments = outer
    returns = any(isinstance(s, Command) and s.words[:1] == ("return",) for s in function.body)
    return goes_on or returns


def _ending(command: Command, state: _State) -> Ending:
    reason = None
    if state.traps_stop:
        reason = "the script traps the signal itself"
    return Ending(state.words(command), command.span, False, reason, command.words)


def _is_server(words: tuple[str, ...], context: CommandContext) -> bool:
    """It blocks the script: a server in the foreground. Databases and proxies often go to the background by
    configuration, so they only count where nothing follows.
    """
    if DAEMON_FLAGS.intersection(words):
        return False
    process = classify(words, context)
    return process.is_development_server or process.kind in (WorkloadKind.WEB, WorkloadKind.WORKER)


def _choice(choice: Choice, state: _State) -> bool:
    goes_on = False
    for branch in choice.branches:
        verdict = _condition(branch[0], state) if branch and isinstance(branch[0], Command) else None
        if verdict is True:
            return _run(branch, state) or goes_on
        if verdict is None:
            goes_on = _branch(branch, state) or goes_on
    return goes_on or not choice.complete


def _branch(body: Sequence[Statement], state: _State) -> bool:
    """Run a branch that may not be taken: it can't change what the other branches see."""
    branch = _copy(state)
    goes_on = _run(body, branch)
    state.endings += [e for e in branch.endings if e not in state.endings]
    if goes_on:
        state.last = branch.last
    return goes_on


def _copy(state: _State) -> _State:
    return _State(
        state.context,
        state.arguments,
        dict(state.values),
        dict(state.functions),
        state.traps_stop,
        state.background,
        None,
        state.calls,
    )


def _condition(command: Command, state: _State) -> bool | None:
    """What `[ "$1" = web ]` comes to, where both sides are known."""
    words = list(state.words(command))
    if not words or words[0] not in ("[", "[[", "test"):
        return None
    inner = [w for w in words[1:] if w not in ("]", "]]")]
    if any("$" in w or "`" in w for w in inner):
        return None
    if len(inner) == 2 and inner[0] in ("-z", "-n"):
        return (inner[1] == "") is (inner[0] == "-z")
    if len(inner) != 3:
        return None
    left, operator, right = inner
    if operator in ("=", "==", "-eq"):
        return left == right
    if operator in ("!=", "-ne"):
        return left != right
    return None


def _case(case: Case, state: _State) -> bool:
    subject = expand(case.subject, state.known)
    known = "$" not in subject and "`" not in subject
    goes_on = not any("*" in b.patterns for b in case.branches)
    for branch in case.branches:
        if known and not any(fnmatch.fnmatchcase(subject, p) for p in branch.patterns):
            continue
        if known:
            return _run(branch.body, state)
        goes_on = _branch(branch.body, state) or goes_on
    return goes_on or known


def _loop(loop: Loop, state: _State) -> bool:
    inside = _copy(state)
    _run(loop.body, inside)
    found = [e for e in inside.endings if _is_server(e.words, state.context) or e.unsure]
    state.endings += found
    return not found


def _subshell(subshell: Subshell, state: _State) -> bool:
    inside = _copy(state)
    _run(subshell.body, inside)
    if not any(_is_server(e.words, state.context) for e in inside.endings):
        return True
    state.endings += [replace(e, replaces_shell=False, unsure="it runs in a subshell") for e in inside.endings]
    return False


def _unknown(statement: Unknown, state: _State) -> bool:
    state.endings.append(Ending((), statement.span, False, f"`{statement.text}` isn't understood"))
    return False
