"""OPS3: health is probed, and shutdown finishes what was begun."""

from __future__ import annotations

from assay.scanner.model.place import Evidence
from assay.scanner.model.probing import health_check_at, probe_target
from assay.scanner.model.resource import Ending, HeldResource
from assay.scanner.model.service import Service
from assay.scanner.model.workload import (
    SHUTDOWN_SLACK_SECONDS,
    Delivery,
    Platform,
    Probe,
    StartCommand,
    Workload,
    WorkloadKind,
)
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review

KUBERNETES_PROBES = "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/"


@rule("OPS301", severity=Severity.HIGH, references=(KUBERNETES_PROBES,))
def workload_without_readiness(workload: Workload, service: Service) -> Verdict:
    """A workload gets requests before it can answer them, because nothing asks whether it is ready.

    Why: without a readiness check, traffic arrives while the process still starts, migrates or warms up, and goes on
    arriving when it is stuck; every deployment drops requests.
    Fix: add a readiness probe (Kubernetes) or a health check (compose, HEALTHCHECK) that says "send me traffic".
    """
    if not workload.serves_traffic:
        return not_applicable("no traffic is sent to it")
    if workload.readiness is not None:
        return passed(f"a {workload.readiness.noun} {workload.readiness.text}", workload.readiness.evidence)
    if workload.platform in (Platform.DOCKERFILE, Platform.PROCFILE):
        return review("the platform that runs it may only look whether its port is open", *workload.traffic)
    if workload.kind is WorkloadKind.INFRASTRUCTURE:
        return review(f"nothing asks whether {workload.name} ({workload.image}) is ready", *workload.traffic)
    if workload.check_elsewhere is not None:
        return review(f"{workload.name} has no health check here", workload.check_elsewhere, *workload.traffic)
    what = "readinessProbe" if workload.platform is Platform.KUBERNETES else "health check, here or in its image"
    off = () if workload.check_disabled is None else (workload.check_disabled,)
    message = f"{workload.name} gets traffic but has no {what}; add one that says when it can answer"
    return fail(message, *off, *workload.traffic)


@rule("OPS302", severity=Severity.HIGH, references=(KUBERNETES_PROBES,))
def liveness_depends_on_others(probe: Probe, service: Service) -> Verdict:
    """A liveness check asks a database, a broker or another service, so that their trouble restarts this one.

    Why: one slow dependency makes every replica fail its liveness check at once; the restarts drop the work in hand
    and hit the dependency with new connections just when it is weakest.
    Fix: let liveness test only the process itself, and move what asks dependencies to readiness.
    """
    if not probe.restarts_on_failure:
        return not_applicable("its failure restarts nothing")
    if probe.of_infrastructure:
        return not_applicable("it asks a third-party image about itself")
    if probe.asks_dependency is not None:
        message = f"the {probe.noun} of {probe.workload} asks {probe.asks_dependency}; test only the process"
        return fail(message, probe.evidence)
    if probe.path is None:
        if probe.command:
            return review(f"does `{' '.join(probe.command)}` ask anything but the process?", probe.evidence)
        return passed("it only opens a connection to the process", probe.evidence)
    check = health_check_at(service, probe.path)
    if check is None:
        return review(f"what answers {probe.path} isn't known: does it ask a dependency?", probe.evidence)
    if check.dependencies:
        message = f"{check.endpoint.label} restarts {probe.workload} when a dependency is slow; answer without it"
        return fail(message, probe.evidence, *check.dependencies)
    if check.unresolved:
        return review(f"does {check.endpoint.label} ask a dependency?", probe.evidence, *check.unresolved)
    return passed(f"{check.endpoint.label} asks nothing but the process", Evidence(check.location, "it asks nobody"))


@rule("OPS303", severity=Severity.HIGH)
def probe_hits_nothing(probe: Probe, service: Service) -> Verdict:
    """A probe asks a path, a port or a tool that the container doesn't have.

    Why: it fails for ever, so that the workload never gets traffic or is restarted in a loop; or somebody switches it
    off, and nothing watches the service any more.
    Fix: point it at a route that the container really serves, on the port it binds, with a tool its image has.
    """
    if probe.of_infrastructure:
        return not_applicable("it asks a third-party image")
    target = probe_target(probe, service)
    if target.problem is not None:
        message = f"the {probe.noun} of {probe.workload} can't succeed: {target.problem.text}"
        return fail(message, probe.evidence, target.problem)
    if target.question is not None:
        return review(f"can the {probe.noun} of {probe.workload} succeed? {target.question.text}", target.question)
    answer = probe.evidence if target.answer is None else target.answer
    return passed(f"{answer.text}", probe.evidence, answer)


@rule(
    "OPS304",
    severity=Severity.HIGH,
    references=("https://docs.docker.com/reference/dockerfile/#shell-form-entrypoint-example", "POSIX sh"),
)
def signal_never_reaches_process(command: StartCommand, service: Service) -> Verdict:
    """A shell stands in front of the process and keeps the stop signal to itself.

    Why: on every deployment the platform's SIGTERM goes to the shell, the server never hears of it, and after the
    grace period it is killed with its requests or tasks half done.
    Fix: write the command as a JSON array, and end entry scripts with `exec`.
    """
    if command.started_by_platform:
        return not_applicable("the platform starts it and signals the whole process group")
    if command.process.runs_for_long is False:
        return not_applicable("it ends by itself")
    if command.delivery is Delivery.SHELL_IN_FRONT and command.process.runs_for_long:
        name = command.process.server or command.process.text
        message = f"{name} never gets SIGTERM: {command.why}; use `exec` or the JSON-array form"
        return fail(message, Evidence(command.location, command.text), *command.started_by)
    if command.delivery is not Delivery.REACHES:
        return review(
            f"does a stop signal reach `{command.text}`? {command.why}", Evidence(command.location, command.why)
        )
    return passed(command.why, Evidence(command.location, command.text), *command.goes_through)


@rule("OPS305", severity=Severity.HIGH)
def shutdown_window_too_short(workload: Workload, service: Service) -> Verdict:
    """The platform kills the process before its hook and its server's drain are through.

    Why: requests and tasks that the server still meant to finish are cut off on every deployment.
    Fix: set the grace period to preStop plus drain plus a few seconds, and give the server's drain a limit.
    """
    if workload.grace_seconds is None or workload.kind not in (WorkloadKind.WEB, WorkloadKind.WORKER):
        return not_applicable("no grace period and drain to compare are known")
    if workload.process.server is None:
        return not_applicable("which server it runs isn't known")
    need, grace, evidence = workload.shutdown_need, workload.grace_seconds, workload.shutdown_evidence
    if workload.pre_stop_seconds is not None and workload.pre_stop_seconds >= grace:
        message = (
            f"preStop takes the whole {grace:g} s of {workload.name}: nothing is left to drain; raise the grace period"
        )
        return fail(message, *evidence)
    if need is not None and need > grace and workload.shutdown_is_stated:
        message = (
            f"{workload.name} is killed after {grace:g} s but needs up to {need:g} s; raise the grace period above that"
        )
        return fail(message, *evidence)
    if need is None:
        return review(f"is {grace:g} s enough for {workload.name}? {workload.drain_text}", *evidence)
    if need + SHUTDOWN_SLACK_SECONDS > grace:
        return review(f"{workload.name} may need {need:g} s of its {grace:g} s to stop", *evidence)
    if workload.platform is Platform.KUBERNETES and workload.traffic and workload.pre_stop is None:
        return review("without a preStop delay, requests still arrive while it shuts down", *evidence)
    return passed(f"{grace:g} s are enough for the {need:g} s it needs", *evidence)


@rule(
    "OPS306",
    severity=Severity.MEDIUM,
    cwe=(772, 404),
    references=(
        "https://fastapi.tiangolo.com/advanced/events/",
        "https://docs.aiohttp.org/en/stable/web_advanced.html#cleanup-context",
    ),
)
def resource_outlives_shutdown(resource: HeldResource, service: Service) -> Verdict:
    """A server opens something when it starts, and nothing closes it when it stops.

    Why: tasks end in the middle of their work, producers lose what they still hold, and databases and brokers keep
    dead connections until they notice.
    Fix: end it behind the `yield` of the lifespan, or in a shutdown handler, in the opposite order of opening; or open
    it with `async with` there.
    """
    if resource.ending is Ending.NEVER:
        return fail(f"nothing ends this {resource.kind}: call {resource.how} when the server stops", *resource.evidence)
    if resource.ending is Ending.PERHAPS:
        return review(f"is this {resource.kind} ended when the server stops?", *resource.evidence)
    return passed("it is ended when the server stops", *resource.evidence)
