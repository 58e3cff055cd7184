"""Which commands run tests, and which of them let nobody lower the coverage."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Mapping

from assay.scanner.model.pipeline import CiCommand
from assay.scanner.model.place import Evidence
from assay.scanner.model.test_gate import CoverageLimit
from assay.scanner.readers.checks import CheckFacts

_RUNNERS = frozenset(
    {"pytest", "py.test", "pytest-3", "nosetests", "nose2", "trial", "ward", "unittest", "stestr", "green", "behave"}
    | {"tests", "runtests.py", "run_tests.py", "runtests.sh", "run-tests.sh", "run_tests.sh", "pytest-check"}
)
_TASK_RUNNERS = frozenset(
    {"make", "just", "task", "tox", "nox", "poe", "hatch", "invoke", "inv", "pdm", "rye", "doit", "mise"}
)
"""Programs that lead to a command; where it could not be followed, its name says what it is."""
_CONTAINERS = frozenset({"docker", "docker-compose", "podman"})
_BUILDERS = frozenset({"pants", "bazel", "bazelisk", "turbo", "nx", "earthly", "plz", "dagger", "moon", "tilt"})
_TEST_WORD = re.compile(r"(^|[-_:./+])(tests?|pytest|unittests?|coverage|check|ci|py3\d*)($|[-_:./])", re.IGNORECASE)
_TELLS_ONLY = re.compile(r"comment|report|result|summary|annotat|badge|coverage")
"""Actions that show what a run before them came to."""
_OTHER_LANGUAGE = re.compile(r"(^|[-_:./])(js|ts|frontend|ui|web|client|e2e|cypress|jest|lint|docs?)($|[-_:./])")
_SHOWS_ONLY = frozenset({"--collect-only", "--co", "--version", "--help", "-h", "--fixtures", "--markers", "-V"})
_REPORTS = frozenset({"report", "xml", "html", "json", "lcov"})
_CONFIGURATIONS = (".coveragerc", "setup.cfg", "tox.ini", "pyproject.toml")
"""Where coverage.py looks, in its order."""
_PYTEST_CONFIGURATIONS = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
_COMPARED = re.compile(r"[<>]|\s-(lt|le|gt|ge)\s")
_ACTIONS = {
    "irongut/codecoveragesummary": "thresholds",
    "orgoro/coverage": "thresholdall",
    "py-cov-action/python-coverage-comment-action": "minimum_green",
    "insightsengineering/coverage-action": "threshold",
    "5monkeys/cobertura-action": "minimum_coverage",
}
"""Actions that fail below what an input says, with the input's name in lower case."""


def is_test_run(command: CiCommand) -> bool:
    """Whether it runs tests of Python code."""
    if command.is_action:
        return _is_action_that_tests(command)
    if any(word in _SHOWS_ONLY for word in command.words[1:]):
        return False
    return command.program in _RUNNERS or _is_unread_script(command) or _is_told_to_test(command)


def _is_action_that_tests(command: CiCommand) -> bool:
    """An action, a shared workflow or a step of an orb that says so by its name, or that is told what to run."""
    name = command.program.rpartition("/")[2]
    if _TELLS_ONLY.search(name) or _OTHER_LANGUAGE.search(name):
        return False
    told = (*command.input("target").split(), *command.input("call").split())
    if any(_TEST_WORD.search(word) for word in told):
        return command.program.startswith(("docker/", "dagger/"))
    is_of_an_orb = command.program.count("/") == 1 and "@" not in command.words[0]
    is_shared = is_of_an_orb or ".github/workflows/" in command.program
    return "pytest" in name or (is_shared and re.search(r"(^|[-_])(unit)?tests?($|[-_.])", name) is not None)


def _is_told_to_test(command: CiCommand) -> bool:
    """Programs that do other things too, and are told to test by their arguments."""
    words, program = command.words, command.program
    if program == "coverage":
        return len(words) > 2 and words[1] == "run"
    if program == "slipcover":
        return len(words) > 1
    if program == "test":
        # Without a condition it is no shell's, but what a runner was told.
        return len(words) == 1 or any(word.startswith(("--cov", "--junit")) for word in words)
    if program in ("manage.py", "django-admin", "flask"):
        return words[1:2] == ("test",)
    if program == "python" and len(words) > 1:
        is_script = re.fullmatch(r"(run[-_]?)?tests?\.py", posixpath.basename(words[1])) is not None
        return is_script or words[2:3] == ("test",)
    if program in _CONTAINERS:
        return _tests_in_container(words)
    named = [word for word in words[1:] if not word.startswith("-")]
    if program in ("tox", "nox") and not named:
        return True
    is_runner = program in _TASK_RUNNERS or program in _BUILDERS
    if program == "moon" and words[1:2] == ("ci",):
        return True
    return is_runner and any(_TEST_WORD.search(word) and not _OTHER_LANGUAGE.search(word) for word in named)


def _tests_in_container(words: tuple[str, ...]) -> bool:
    """An image whose stage for tests is built, or containers that are started until the tests end."""
    for option, value in itertools.pairwise(words):
        if option == "--target" and _TEST_WORD.search(value):
            return True
    waits = any(word.startswith(("--exit-code-from", "--abort-on-container-exit")) for word in words)
    return waits and "up" in words and any(_TEST_WORD.search(word) for word in words)


def is_out_of_sight(command: CiCommand) -> bool:
    """It runs tests by what could not be followed, which may hold a limit of coverage."""
    hidden = command.is_action or command.program in (_TASK_RUNNERS | _BUILDERS | _CONTAINERS)
    return (hidden or _is_unread_script(command)) and is_test_run(command)


def _is_unread_script(command: CiCommand) -> bool:
    """`./scripts/test`: a script that says by its name what it does, and whose text isn't read."""
    word = command.words[0] if command.words and not command.is_action else ""
    name = posixpath.basename(word)
    return "/" in word and _TEST_WORD.search(name) is not None and _OTHER_LANGUAGE.search(name) is None


def _runs_pytest(command: CiCommand) -> bool:
    """Directly, or by a script or a task that was not followed."""
    if command.program in ("pytest", "py.test", "tests"):
        return True
    return (_is_unread_script(command) or command.program in _TASK_RUNNERS) and is_test_run(command)


def options_of(command: CiCommand, checks: Mapping[str, CheckFacts]) -> str:
    """What pytest is given: on the command line, and by its configuration."""
    own = " ".join((*command.words[1:], command.input("PYTEST_ADDOPTS")))
    for name in _PYTEST_CONFIGURATIONS:
        facts = checks.get(_path(command, name))
        if facts is not None and facts.pytest_options is not None:
            return f"{facts.pytest_options[0]} {own}"
    return own


def measures_coverage(command: CiCommand, checks: Mapping[str, CheckFacts]) -> bool:
    """Whether the run writes down what it covers."""
    if command.program in ("coverage", "slipcover"):
        return command.program == "slipcover" or command.words[1:2] == ("run",)
    if not _runs_pytest(command):
        return "--with-coverage" in command.words or "--cov" in command.words
    options = options_of(command, checks)
    return re.search(r"(^|\s)--cov\b", options) is not None and "--no-cov" not in options.split()


def gate_of(command: CiCommand, checks: Mapping[str, CheckFacts]) -> CoverageLimit | None:
    """The limit of coverage below which the command fails."""
    if command.is_action:
        return _gate_of_action(command)
    reports = command.program == "slipcover" or (
        command.program == "coverage" and command.words[1:2] and command.words[1] in _REPORTS
    )
    runs_pytest = _runs_pytest(command) and measures_coverage(command, checks)
    if not (reports or runs_pytest):
        return None
    options = " ".join(command.words) if reports else options_of(command, checks)
    said = re.findall(r"--(?:cov-)?fail-under[= ](\d+(?:\.\d+)?)", options)
    if said:
        limit = command.evidence
        if runs_pytest and "fail-under" not in " ".join(command.words):
            limit = _addopts(command, checks) or limit
        return CoverageLimit(float(said[-1]), limit, command.evidence)
    return _configured(command, options, checks)


def _configured(command: CiCommand, options: str, checks: Mapping[str, CheckFacts]) -> CoverageLimit | None:
    named = re.search(r"--(?:cov-config|rcfile)[= ](\S+)", options)
    for name in (named[1],) if named else _CONFIGURATIONS:
        path = _path(command, name)
        facts = checks.get(path)
        if facts is not None and facts.fail_under is not None:
            limit = facts.fail_under
            return CoverageLimit(
                limit.percent, limit.span.evidence(path, f"at least {limit.percent:g} %"), command.evidence
            )
        if facts is not None and name == ".coveragerc":
            return None
    return None


def _gate_of_action(command: CiCommand) -> CoverageLimit | None:
    name = _ACTIONS.get(command.program)
    given = {key.lower(): value for key, value in command.inputs}
    if name is None or name not in given:
        return None
    if command.program.startswith("irongut/") and given.get("fail_below_min", "").lower() != "true":
        return None
    numbers = re.findall(r"\d+(?:\.\d+)?", given[name])
    if not numbers:
        return None
    percent = float(numbers[0])
    percent = percent * 100 if percent <= 1 else percent
    return CoverageLimit(percent, command.evidence, command.evidence)


def _addopts(command: CiCommand, checks: Mapping[str, CheckFacts]) -> Evidence | None:
    for name in _PYTEST_CONFIGURATIONS:
        path = _path(command, name)
        facts = checks.get(path)
        if facts is not None and facts.pytest_options is not None:
            return facts.pytest_options[1].evidence(path, "a limit among the options of pytest")
    return None


def is_written_by_hand(command: CiCommand) -> bool:
    """A script's own comparison with a limit: `if [[ $COVERAGE < 80 ]]`."""
    text = " ".join(command.words)
    if command.is_action or re.search(r"cov(erage)?", text, re.IGNORECASE) is None:
        return False
    is_test = command.program in ("[", "[[", "((", "test") and re.search(r"\$.*cov", text, re.IGNORECASE) is not None
    compares = command.program in ("awk", "bc", "python") and _COMPARED.search(text) is not None
    return is_test or compares


def is_relative(command: CiCommand) -> bool:
    """It judges the changed lines alone, or the difference to the base."""
    return command.program in ("diff-cover", "diff_cover", "diff-cov-lint", "covguard")


def _path(command: CiCommand, name: str) -> str:
    return posixpath.normpath(posixpath.join(command.folder or ".", name))
