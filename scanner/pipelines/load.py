"""Load tests and benchmarks: scenarios in the tree, runs of CI, results that were found."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from assay.scanner.evidence.figures import TimedThing, Timing, TimingReport
from assay.scanner.gathered import Gathered
from assay.scanner.measurements.reports import Reports
from assay.scanner.model.load import Benchmarking, LoadTesting
from assay.scanner.model.pipeline import CiCommand
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.pipelines.test_runs import is_test_run, options_of
from assay.scanner.pipelines.tree import PipelineTree
from assay.scanner.readers.python import form
from assay.scanner.readers.python.quick import TestFacts
from assay.scanner.readers.scenarios import ScenarioFacts

_LIBRARIES = frozenset({"locust", "molotov"})
_LOCUSTFILE = re.compile(r"(^|/)locustfile[^/]*\.py$|(^|/)locust(files?)?/[^/]*\.py$")
_LOAD_PROGRAMS = frozenset(
    {"locust", "k6", "artillery", "vegeta", "wrk", "wrk2", "hey", "molotov", "jmeter", "gatling", "oha", "bombardier"}
    | {"ab", "ali", "drill", "goose", "taurus", "bzt"}
)
_LOAD_ACTION = re.compile(r"grafana/(run-)?k6-action|artilleryio/action|.*/(jmeter|locust|gatling|k6)[^/]*$")
_BENCHMARK_FILE = re.compile(
    r"(^|/)(test_)?bench(mark)?s?(_[^/]*)?\.py$|(^|/)[^/]*_bench(mark)?s?\.py$|(^|/)asv\.conf\.json$"
    r"|(^|/)(tests?/)?bench(mark)?s?/[^/]*\.py$"
)
_BENCHMARK_ACTION = re.compile(r"codspeedhq/action|benchmark-action/github-action-benchmark|.*/asv[^/]*$")
_BENCHMARK_OPTION = re.compile(
    r"--benchmark-(only|enable|autosave|save|json|storage|compare)|--codspeed|-m[ =]\S*bench"
)
_COMPARED = re.compile(
    r"--benchmark-compare-fail|--codspeed|asv continuous|asv compare|fail-on-alert=true|critcmp"
    r"|bencher run .*--err"
)
_DRIVERS = _LOAD_PROGRAMS - {"locust", "k6", "molotov", "goose", "drill", "ali"}
"""Programs that need no scenario: what they are told is one."""
_SHOWN = 3


def load_tests(gathered: Gathered, tree: PipelineTree, reports: Reports) -> Iterator[LoadTesting | Benchmarking]:
    """What puts load on each service. A scenario drives whatever lies behind its address, so it counts for all."""
    scenarios = tuple(_scenarios(gathered, tree))[:_SHOWN]
    load = [command for _, command in tree.running() if _is_load(command)]
    limited = {p for p, f in gathered.context.files.items() if isinstance(f, ScenarioFacts) and f.has_limits}
    suites = tuple(
        Evidence(Location.whole_file(p), "benchmarks") for p in sorted(gathered.paths) if _is_suite(p, gathered)
    )
    benchmarks = [command for _, command in tree.running() if _is_benchmark(command, tree)]
    for service in gathered.services:
        serves = any(gathered.owners.of(e.location.path) is service for _, e in gathered.endpoints)
        results = [(r.path, t) for r in reports.of(service, TimingReport) for t in r.report.timings]
        requests = _results(results, TimedThing.REQUEST)
        mine = [c for c in benchmarks if tree.concerns(c, service)]
        yield LoadTesting(
            service.root, service.location, Role.PROD, scenarios,
            tuple(dict.fromkeys(c.evidence for c in load))[:_SHOWN], requests, serves,
        )  # fmt: skip
        compared = [c for c in mine if _COMPARED.search(_options(c, tree)) or c.program.startswith("codspeedhq/")]
        compared += [c for c in load if any(posixpath.normpath(word) in limited for word in _text(c).split())]
        yield Benchmarking(
            service.root,
            service.location,
            Role.PROD,
            (*suites[:_SHOWN], *scenarios),
            tuple(dict.fromkeys(c.evidence for c in compared))[:_SHOWN],
            tuple(dict.fromkeys(c.evidence for c in (*mine, *load) if c not in compared))[:_SHOWN],
            (*_results(results, TimedThing.BENCHMARK), *requests),
            serves,
            tree.has_ci,
        )


def _scenarios(gathered: Gathered, tree: PipelineTree) -> Iterator[Evidence]:
    seen = set[str]()
    for path, facts in sorted(gathered.context.files.items()):
        if isinstance(facts, ScenarioFacts) and facts.tool:
            yield Evidence(Location.whole_file(path), f"a scenario of {facts.tool}")
    for module in gathered.project.modules.values():
        if not _LIBRARIES.isdisjoint(module.imported_packages) and module.role is not Role.EXAMPLE:
            seen.add(module.path)
            yield Evidence(Location.whole_file(module.path), "a scenario of load")
    for path in sorted(gathered.paths):
        if path not in seen and _LOCUSTFILE.search(path) and not path.endswith("__init__.py"):
            yield Evidence(Location.whole_file(path), "a scenario of Locust")
    yield from (command.evidence for command in tree.told() if command.program in _DRIVERS)


def _is_suite(path: str, gathered: Gathered) -> bool:
    is_named = _BENCHMARK_FILE.search(path) is not None and gathered.roles.get(path, Role.TEST) is not Role.PROD
    return is_named or _measures(gathered.context.files.get(path))


def _measures(facts: object) -> bool:
    """Whether a test of the file measures: by the fixture of pytest-benchmark, which CodSpeed shares."""
    if not isinstance(facts, TestFacts):
        return False
    classes = (node for node in facts.module.body if isinstance(node, form.Class))
    bodies = (facts.module.body, *(node.body for node in classes))
    functions = (n for body in bodies for n in body if isinstance(n, form.Function) and n.name.startswith("test"))
    return any(p.name == "benchmark" for function in functions for p in function.params)


def _is_load(command: CiCommand) -> bool:
    if command.is_action:
        return _LOAD_ACTION.match(command.program) is not None
    return command.program in _LOAD_PROGRAMS


def _is_benchmark(command: CiCommand, tree: PipelineTree) -> bool:
    if command.is_action:
        return _BENCHMARK_ACTION.match(command.program) is not None
    return command.program in ("asv", "bencher") or _BENCHMARK_OPTION.search(_options(command, tree)) is not None


def _options(command: CiCommand, tree: PipelineTree) -> str:
    return f"{_text(command)} {options_of(command, tree.checks)}" if is_test_run(command) else _text(command)


def _results(found: list[tuple[str, Timing]], what: TimedThing) -> tuple[Evidence, ...]:
    paths = dict.fromkeys(path for path, timing in found if timing.what is what)
    return tuple(Evidence(Location.whole_file(path), f"timings of {what}s") for path in paths)[:_SHOWN]


def _text(command: CiCommand) -> str:
    given = " ".join(f"{name}={value}" for name, value in command.inputs)
    return f"{' '.join(command.words)} {given}"
