"""PERF3: the instances of a service are interchangeable, so that there can be as many as it takes."""

from __future__ import annotations

from assay.scanner.model.instance import CoordinationStore, Disk, ProcessState, Reach, Use, UserFiles
from assay.scanner.model.key import KeyOrigin, SigningKey
from assay.scanner.model.place import Evidence
from assay.scanner.model.service import Service
from assay.scanner.model.workload import Lanes, StartCommand, WorkloadKind
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


def _replicas(service: Service) -> tuple[Evidence, ...]:
    """What says that several instances of the service run."""
    serving = [w for w in service.workloads if w.kind is WorkloadKind.WEB and (w.replicas or 1) > 1]
    return tuple(Evidence(w.location, f"{w.replicas} replicas run") for w in serving[:1])


@rule(
    "PERF301",
    severity=Severity.MEDIUM,
    cwe=(400, 1049),
    references=(
        "https://docs.gunicorn.org/en/stable/design.html#how-many-workers",
        "https://flask.palletsprojects.com/en/stable/deploying/",
        "https://docs.djangoproject.com/en/stable/ref/django-admin/#runserver",
    ),
)
def single_lane_server(command: StartCommand, service: Service) -> Verdict:
    """Production is served by one worker that takes one request at a time, or by a server for development.

    Why: while it waits for the database or another service, everybody else waits too, and one that hangs stops all.
    A server for development is neither fast nor safe, and restarts whenever a file changes.
    Fix: start Gunicorn with `--workers` from a variable with a sane default, or with `--threads`; an ASGI server with
    `--workers`, or in several replicas.
    """
    process, shown = command.process, Evidence(command.location, f"it runs `{command.text[:80]}`")
    if process.kind is not WorkloadKind.WEB:
        return not_applicable("it serves no requests")
    if command.goes_through:
        return not_applicable("what its script starts is told there", *command.goes_through)
    if process.is_made_for_development:
        return fail(f"{process.server or 'this'} is for development; serve production with Gunicorn or Uvicorn", shown)
    if process.lanes is Lanes.CONTRADICTORY:
        return fail("a flag is given twice, and only the last one counts; say each number once", shown)
    if process.lanes is Lanes.MANY:
        return passed("it works on many requests at once", shown)
    replicas = _replicas(service)
    if replicas:
        return passed("several instances run", *replicas)
    if process.lanes is Lanes.ELSEWHERE or (command.started_by_platform and process.lanes is not Lanes.UNKNOWN):
        return not_applicable("the environment, the platform or a file says how many requests it takes", shown)
    match process.lanes:
        case Lanes.ONE:
            return fail("one worker without threads takes one request at a time; give it `--workers`", shown)
        case Lanes.LOOP:
            return review("do several of these run? one process uses one processor", shown)
    return not_applicable("how many requests it takes at once can't be told", shown)


@rule(
    "PERF302",
    severity=Severity.HIGH,
    cwe=(1188, 488),
    references=("https://12factor.net/processes",),
)
def request_state_in_process_memory(state: ProcessState, service: Service) -> Verdict:
    """A variable of the process remembers something from one request to the next.

    Why: every worker and every instance has a variable of its own, so the next request may reach one that knows
    nothing of the first; and a restart forgets all of it.
    Fix: keep it in Redis or in the database; where only speed is wanted, in a cache that may miss.
    """
    match state.use:
        case Use.STATE:
            return fail(f"`{state.name}` is another one in each process; keep it in a shared store", *state.evidence)
        case Use.CONNECTIONS:
            return review("does what is sent also reach clients that another process serves?", *state.evidence)
        case Use.CACHE:
            return not_applicable("it keeps what can be worked out again", *state.evidence)
        case Use.LAZY:
            return passed("the first call makes it, in every process alike", *state.evidence)
        case Use.WRITTEN_ONLY:
            return passed("nothing that answers requests looks at it", *state.evidence)
    return passed("no request changes it", *state.evidence)


@rule(
    "PERF303",
    severity=Severity.HIGH,
    cwe=(1188, 362),
    references=(
        "https://12factor.net/backing-services",
        "https://channels.readthedocs.io/en/stable/topics/channel_layers.html",
        "https://docs.djangoproject.com/en/stable/topics/http/sessions/",
    ),
)
def coordination_service_in_memory(store: CoordinationStore, service: Service) -> Verdict:
    """Sessions, messages or jobs are kept where only one of the processes sees them.

    Why: people are signed out whenever another instance answers, a message reaches only who happens to be connected
    to the same process, and each process runs every job.
    Fix: keep them in Redis or in the database, which all instances share.
    """
    match store.reach:
        case Reach.SHARED:
            return passed("all processes share it", *store.evidence)
        case Reach.UNKNOWN:
            return review("does production set one that all processes share?", *store.evidence)
    if store.several:
        return fail(f"the {store.what} isn't seen by all processes; share it", *store.evidence, *store.several)
    if store.single:
        return passed("only one process serves requests", *store.single)
    return review(f"does more than one process serve requests? each has its own {store.what}", *store.evidence)


@rule(
    "PERF304",
    severity=Severity.HIGH,
    cwe=(1188, 404),
    references=(
        "https://12factor.net/backing-services",
        "https://docs.djangoproject.com/en/stable/ref/settings/#storages",
        "https://docs.docker.com/engine/storage/",
    ),
)
def user_data_on_local_disk(files: UserFiles, service: Service) -> Verdict:
    """Files of users are written to the disk of the instance that happens to answer.

    Why: the next request reaches another instance, which doesn't have the file; and with the container its disk goes,
    at the latest when the next version is deployed.
    Fix: keep files in object storage and hand out signed URLs; where it has to be a disk, mount a volume that all
    instances share.
    """
    if files.aside is not None:
        return not_applicable(files.aside)
    match files.disk:
        case Disk.UNKNOWN:
            return not_applicable("where files are kept can't be told", *files.evidence)
        case Disk.OBJECTS:
            return passed("all instances see the same files", *files.evidence)
        case Disk.CONTAINER:
            return fail("files of users go with the container; keep them in object storage", *files.evidence)
        case Disk.VOLUME:
            return review("do all instances share this volume, and is it backed up?", *files.evidence)
        case Disk.CONFIGURED:
            return review("does production set a storage that all instances share?", *files.evidence)
        case Disk.MACHINE:
            return review("do all instances share this folder, and does it outlive them?", *files.evidence)


@rule(
    "PERF305",
    severity=Severity.CRITICAL,
    cwe=(1188, 330),
    references=(
        "https://12factor.net/config",
        "https://flask.palletsprojects.com/en/stable/config/#SECRET_KEY",
        "https://docs.djangoproject.com/en/stable/ref/settings/#secret-key",
    ),
)
def secret_generated_per_instance(key: SigningKey, service: Service) -> Verdict:
    """Each process makes up the key that signs sessions or tokens, where nobody sets one.

    Why: what one worker signed, the next one refuses, so that people are signed out at random; and every restart
    signs out all of them.
    Fix: read the key from the environment or a secret store, and refuse to start without it; make one up only where
    debugging is on.
    """
    proof = key.evidence
    if key.aside is not None:
        return not_applicable(key.aside, *proof)
    match key.origin:
        case KeyOrigin.PUBLIC:
            return not_applicable("it only verifies", *proof)
        case KeyOrigin.UNKNOWN:
            return not_applicable("where it comes from can't be told", *proof)
        case KeyOrigin.RANDOM:
            return fail(f"each process makes up its own `{key.what}`; refuse to start without one", *proof)
        case KeyOrigin.LOCAL:
            return review("do all instances share the file that keeps it, and does it outlive them?", *proof)
    return passed("all instances have the same", *proof)
