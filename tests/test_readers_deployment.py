"""The readers of deployment files and the deployment stage, through their public entry points."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.rules.deployment import health_and_shutdown as rules
from assay.scanner.deployment import Facts, link_deployment, service_hints
from assay.scanner.diagnostics import Reason
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.health import HealthCheck, HealthPurpose
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.probing import endpoints_at
from assay.scanner.model.role import Role
from assay.scanner.model.service import Service
from assay.scanner.model.workload import Delivery, WorkloadKind
from assay.scanner.readers import compose, dockerfile, procfile, shell, yaml_documents
from assay.scanner.readers.kubernetes import reader
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.yaml_documents import Mapping, Node, Scalar, Sequence
from assay.scanner.verdicts import Kind

READERS = (dockerfile.read, compose.read, reader.read, procfile.read, shell.read)

SHELL_PIECES: tuple[str, ...] = (
    "if",
    "then",
    "fi",
    "case",
    "esac",
    "in",
    "do",
    "done",
    "for",
    "x",
    "$1",
    '"',
    "'",
    "(",
    ")",
    "{",
    "}",
)
SHELL_PIECES += (";;", ";", "&&", "||", "|", "&", "\n", "<<EOF", "EOF", "exec", "`", "$(", "${", "\\", "#", "=", "((")
DOCKER_PIECES: tuple[str, ...] = (
    "FROM a",
    "FROM",
    "RUN",
    "x",
    "\\\n",
    "\n",
    "<<EOF",
    "EOF",
    "ENV",
    "A=b",
    '"',
    "'",
    "[",
    "]",
    "COPY",
)
DOCKER_PIECES += ("ARG", "#", "CMD", "HEALTHCHECK", "NONE", "--from=a", "SHELL", "$A", "${A:-b}", "USER", " ", "\t")
YAML_PIECES: tuple[str, ...] = (
    "a",
    ":",
    " ",
    "\n",
    "- ",
    "  ",
    "&x",
    "*x",
    "<<",
    "{",
    "}",
    "[",
    "]",
    ",",
    "|",
    ">",
    "'",
    '"',
    "#",
    "!t",
)
YAML_PIECES += ("---", "services", "image", "apiVersion", "kind", "Deployment", "spec", "{{", "}}", "\t", "?", "%")


def text_of(pieces: tuple[str, ...]) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(pieces), max_size=40).map(lambda parts: " ".join(parts).encode())


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__module__.rsplit(".", 1)[-1])
@given(data=st.one_of(st.binary(max_size=200), text_of(SHELL_PIECES), text_of(DOCKER_PIECES), text_of(YAML_PIECES)))
@settings(max_examples=300, deadline=None)
def test_a_reader_gives_facts_or_one_problem(read: object, data: bytes) -> None:
    assert callable(read)
    try:
        facts = read("some/path", data)
    except ReadProblem as caught:
        problem = caught
    else:
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(facts), type=type(facts)) == facts
        return
    assert problem.message


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__module__.rsplit(".", 1)[-1])
@pytest.mark.parametrize("data", [b"(" * 5000, b"{" * 50000, b"[" * 50000, b"if " * 5000, b"$(" * 5000, b"- " * 5000])
def test_deep_nesting_costs_no_recursion(read: object, data: bytes) -> None:
    assert callable(read)
    try:
        encoded = msgspec.msgpack.encode(read("some/path", data))
    except ReadProblem as problem:
        encoded = problem.message.encode()
    assert encoded


# --- YAML ------------------------------------------------------------------------------------------------------------

PLAIN = st.text("abcdefgh é𝄞_", min_size=1, max_size=8).map(lambda t: "x" + t.strip())
VALUES = st.recursive(
    PLAIN | st.integers(0, 99),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN, inner, max_size=4),
    max_leaves=12,
)


def scalars(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from scalars(item)
    else:
        for entry in node.entries:
            yield entry.key
            yield from scalars(entry.value)


def plain_value(node: Node) -> object:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain_value(item) for item in node.items]
    return {entry.key.text: plain_value(entry.value) for entry in node.entries}


def as_text(value: object) -> object:
    if isinstance(value, dict):
        return {str(k): as_text(v) for k, v in value.items()}
    return [as_text(v) for v in value] if isinstance(value, list) else str(value)


@given(
    value=st.dictionaries(PLAIN, VALUES, min_size=1, max_size=4), flow=st.booleans(), style=st.sampled_from([None, '"'])
)
@settings(max_examples=200, deadline=None)
def test_yaml_positions_agree_with_the_text(value: dict[str, object], flow: bool, style: str | None) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow, default_style=style, width=1_000_000)
    (document,) = yaml_documents.read("x.yaml", text.encode())
    assert plain_value(document) == as_text(value)
    lines = text.split("\n")
    for scalar in scalars(document):
        span = scalar.span
        assert span.line == span.end_line
        written = lines[span.line - 1][span.column - 1 : span.end_column - 1]
        assert yaml.safe_load(written.partition(" ")[2] if written.startswith("!!") else written) is not None
        assert str(yaml.safe_load(written)) == scalar.text


def yaml_problem(text: str) -> ReadProblem:
    with pytest.raises(ReadProblem) as caught:
        yaml_documents.read("x.yaml", text.encode())
    return caught.value


def test_an_alias_bomb_is_one_problem() -> None:
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    problem = yaml_problem("\n".join(layers))
    assert problem.reason is Reason.BAD_YAML
    assert "aliases" in problem.message


def test_a_node_that_holds_itself_is_one_problem() -> None:
    assert "*a" in yaml_problem("a: &a [*a]").message


@pytest.mark.parametrize(
    "text", ["name: {{ .Values.name }}\n", "{{- if .x }}\na: 1\n{{- end }}\n", "{% if x %}\na: 1\n{% endif %}\n"]
)
def test_a_template_is_said_to_be_one(text: str) -> None:
    assert yaml_problem(text).reason is Reason.TEMPLATE


def test_braces_inside_a_scalar_make_no_template() -> None:
    (document,) = yaml_documents.read("x.yaml", b"summary: 'too slow on {{ $labels.instance }}'\n")
    assert isinstance(document, Mapping)
    assert document.text("summary") == "too slow on {{ $labels.instance }}"


def test_merges_and_duplicates() -> None:
    text = b"base: &base {a: 1, b: 2}\nother: &other {b: 3, c: 4}\nx:\n  <<: [*base, *other]\n  a: 9\n  a: 10\n"
    (document,) = yaml_documents.read("x.yaml", text)
    assert isinstance(document, Mapping)
    merged = document.mapping("x")
    assert merged is not None
    assert {key: merged.text(key) for key in "abc"} == {"a": "10", "b": "2", "c": "4"}
    entry = merged.entry("c")
    assert entry is not None
    assert (entry.key.span.line, entry.key.span.column) == (2, 22)


# --- Dockerfiles -----------------------------------------------------------------------------------------------------

INSTRUCTIONS = st.sampled_from(
    [
        "RUN echo hi",
        "RUN apt-get update && \\\n    # why\n    apt-get install -y curl",
        "RUN <<EOF\necho one\n# not a comment of ours\nEOF",
        "COPY <<'A' <<B /x/\nfirst\nA\nsecond\nB",
        "ENV A=b \\\n\n    C=d",
        "ENV OLD style value",
        "  USER app",
        'CMD ["python", "app.py"]',
        "cmd python app.py",
        "HEALTHCHECK --interval=5s \\\n  CMD curl -f http://localhost/",
        "WORKDIR /app",
        "EXPOSE 8000 9000/udp",
    ]
)
FILLERS = st.sampled_from(["# a comment", "", "   ", "   # indented"])


@given(pieces=st.lists(st.one_of(INSTRUCTIONS, FILLERS), max_size=12))
@settings(max_examples=200, deadline=None)
def test_dockerfile_instructions_cover_every_line_that_is_no_comment(pieces: list[str]) -> None:
    text = "\n".join(["FROM python:3.12-slim", *pieces]) + "\n"
    facts = dockerfile.read("Dockerfile", text.encode())
    covered = [set(range(i.span.line, i.span.end_line + 1)) for i in facts.instructions]
    lines = text.split("\n")
    meant = {n for n, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")}
    assert meant <= set().union(*covered)
    assert not any(a & b for a, b in itertools.pairwise(covered))
    for instruction in facts.instructions:
        first = lines[instruction.span.line - 1]
        assert first[instruction.span.column - 1 :].upper().startswith(instruction.keyword)
    assert [i.keyword for i in facts.instructions] == [
        "FROM",
        *(p.split()[0].upper() for p in pieces if p.strip() and not p.strip().startswith("#")),
    ]


def stage_of(text: str) -> dockerfile.Stage:
    return dockerfile.read("Dockerfile", text.encode()).stages[-1]


def test_arguments_and_variables_are_put_in() -> None:
    stage = stage_of(
        "ARG VERSION=3.12\nARG PACKAGES='curl git'\nFROM python:${VERSION}-slim AS base\nARG PACKAGES\n"
        "ENV HOME_DIR=/srv\nENV APP=${HOME_DIR}/app EMPTY=${NOTHING:-default}\nWORKDIR $APP\n"
        "RUN apt-get install -y $PACKAGES\n"
    )
    assert stage.base == "python:3.12-slim"
    assert dict(stage.env) == {"HOME_DIR": "/srv", "APP": "/srv/app", "EMPTY": "default"}
    assert stage.workdir == "/srv/app"
    assert stage.packages[0].names == ("curl", "git")


def test_virtual_packages_go_with_their_group() -> None:
    stage = stage_of(
        "FROM alpine:3\nRUN apk add --no-cache --virtual .build gcc curl && make && apk del .build && apk add bash\n"
    )
    assert stage.packages[0].names == ("bash",)


def test_a_package_hidden_in_an_unknown_variable_is_said_to_be() -> None:
    assert stage_of("FROM debian:12\nARG P\nRUN apt-get install -y $P\n").packages[0].unresolved


@pytest.mark.parametrize(
    "text", ["", "RUN x\n", "FROM a\nNONSENSE b\n", "FROM a\nRUN <<E\nno end\n", "FROM a\nSHELL bash\n"]
)
def test_what_is_no_dockerfile_is_one_problem(text: str) -> None:
    with pytest.raises(ReadProblem) as caught:
        dockerfile.read("Dockerfile", text.encode())
    assert caught.value.reason is Reason.SYNTAX_ERROR


# --- from facts to workloads -----------------------------------------------------------------------------------------


def read_all(files: dict[str, str]) -> dict[str, Facts]:
    found: dict[str, Facts] = {}
    for path, text in files.items():
        name = path.rsplit("/", 1)[-1]
        data = text.encode()
        if "ockerfile" in name:
            found[path] = dockerfile.read(path, data)
        elif "compose" in name:
            found[path] = compose.read(path, data)
        elif name == "Procfile":
            found[path] = procfile.read(path, data)
        elif name.endswith((".yaml", ".yml")):
            found[path] = reader.read(path, data)
        else:
            found[path] = shell.read(path, data)
    return found


def deployed(files: dict[str, str], **roots: str) -> dict[str, list[str]]:
    """The names of each service's workloads."""
    linked = link_deployment(read_all(files), roots)
    return {name: [w.name for w in deployment.workloads] for name, deployment in linked.items()}


SERVES = 'FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nCMD ["gunicorn", "-b", ":8000", "app:app"]\n'


def test_another_application_built_from_the_whole_tree_is_not_the_service_s() -> None:
    web = 'FROM node:22\nCOPY . .\nHEALTHCHECK CMD curl http://localhost:3000/\nCMD ["node", "web/server.js"]\n'
    build = "services:\n  web:\n    build: {context: ., dockerfile: web/Dockerfile}\n"
    assert deployed({"compose.yml": build, "web/Dockerfile": web}, api="api") == {"api": []}


def test_a_workload_belongs_to_the_service_whose_code_it_runs() -> None:
    files = {
        "compose.yml": "services:\n  shop:\n    build: ./shop\n"
        "  bill:\n    build: {context: ., dockerfile: billing/Dockerfile}\n"
        "  cache:\n    image: redis:8\n",
        "shop/Dockerfile": SERVES,
        "billing/Dockerfile": SERVES,
    }
    assert deployed(files, shop="shop", billing="billing") == {
        "shop": ["shop", "shop/Dockerfile"],
        "billing": ["bill", "billing/Dockerfile"],
    }


def test_a_database_beside_one_service_is_that_services() -> None:
    files = {
        "compose.yml": "services:\n  shop:\n    build: ./shop\n  cache:\n    image: redis:8\n",
        "shop/Dockerfile": SERVES,
    }
    assert deployed(files, shop="shop") == {"shop": ["shop", "cache", "shop/Dockerfile"]}


def test_the_code_copied_into_an_image_tells_whose_it_is() -> None:
    files = {
        "docker/Dockerfile": "FROM python:3.12\nCOPY backend /app\n",
        "compose.yml": "services:\n  api:\n    build: {context: ., dockerfile: docker/Dockerfile}\n",
    }
    assert deployed(files, backend="backend", frontend="frontend")["backend"] == ["api", "docker/Dockerfile"]


def test_hints_are_the_folders_that_something_builds_or_starts() -> None:
    files = {
        "Procfile": "web: gunicorn app:app\n",
        "shop/Dockerfile": SERVES,
        "db/Dockerfile": "FROM postgres:17\nCOPY x /\n",
    }
    assert service_hints(read_all(files)) == (".", "shop")


def test_an_image_is_found_by_the_name_of_its_folder() -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - name: p\n"
    pod += "      image: ghcr.io/x/shop:1@sha256:0\n"
    linked = link_deployment(read_all({"k8s/p.yaml": pod, "src/shop/Dockerfile": SERVES}), {"shop": "src/shop"})
    (workload, _) = linked["shop"].workloads
    assert workload.dockerfile == "src/shop/Dockerfile"
    assert workload.process.port == 8000


@pytest.mark.parametrize(
    ("line", "server", "kind", "port"),
    [
        ("gunicorn app:app", "gunicorn", WorkloadKind.WEB, 8000),
        ("gunicorn -b 0.0.0.0:5000 --bind=unix:/tmp/s app:app", "gunicorn", WorkloadKind.WEB, None),
        ("uv run --no-dev uvicorn app:app --port 9000", "uvicorn", WorkloadKind.WEB, 9000),
        ("opentelemetry-instrument python -m gunicorn -b:80 app", "gunicorn", WorkloadKind.WEB, 80),
        ("env A=b poetry run celery -A app worker", "celery", WorkloadKind.WORKER, None),
        (
            "./wait-for-it.sh db:5432 -t 5 -- python manage.py runserver 0.0.0.0:8001",
            "runserver",
            WorkloadKind.WEB,
            8001,
        ),
        ("python manage.py migrate --noinput", "manage.py migrate", WorkloadKind.JOB, None),
        ("gosu app fastapi run --port 80", "fastapi run", WorkloadKind.WEB, 80),
        ("java -jar app.jar", None, WorkloadKind.UNKNOWN, None),
    ],
)
def test_a_command_line_names_its_server(line: str, server: str | None, kind: WorkloadKind, port: int | None) -> None:
    facts = read_all({"compose.yml": f"services:\n  x:\n    image: example.com/x\n    command: {line}\n"})
    process = link_deployment(facts, {"x": "."})["x"].workloads[0].process
    assert (process.server, process.kind, process.port) == (server, kind, port)


def deliveries(script: str, *arguments: str) -> dict[str, Delivery]:
    """What an entry script's own last commands come to."""
    words = ", ".join(f'"{w}"' for w in ("./run.sh", *arguments))
    image = f"FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nCMD [{words}]\n"
    linked = link_deployment(read_all({"Dockerfile": image, "run.sh": script}), {"x": "."})
    return {c.text: c.delivery for c in linked["x"].start_commands if c.location.path == "run.sh"}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("exec gunicorn a", {"gunicorn a": Delivery.REACHES}),
        ("gunicorn a", {"gunicorn a": Delivery.SHELL_IN_FRONT}),
        ("gunicorn a\necho done", {"gunicorn a": Delivery.SHELL_IN_FRONT}),
        ("gunicorn --daemon a\nexec uvicorn b", {"uvicorn b": Delivery.REACHES}),
        ("nginx\nexec uvicorn b", {"uvicorn b": Delivery.REACHES}),
        ("until pg_isready; do sleep 1; done\nexec gunicorn a", {"gunicorn a": Delivery.REACHES}),
        ("run() { exec gunicorn a; }\nrun", {"gunicorn a": Delivery.REACHES}),
        (
            'if [ "$A" ]; then exec gunicorn a; else uvicorn b; fi',
            {"gunicorn a": Delivery.REACHES, "uvicorn b": Delivery.SHELL_IN_FRONT},
        ),
        ("cat <<EOF\ngunicorn a\nEOF\nexec uvicorn b", {"uvicorn b": Delivery.REACHES}),
        ("gunicorn a &\nwait", {"gunicorn a": Delivery.UNSURE}),
        ("while true; do gunicorn a; done", {"gunicorn a": Delivery.SHELL_IN_FRONT}),
        ("(gunicorn a)", {"gunicorn a": Delivery.UNSURE}),
        ("trap 'stop' TERM\ngunicorn a", {"gunicorn a": Delivery.UNSURE}),
        (
            "test -f x && gunicorn a || exec uvicorn b",
            {"gunicorn a": Delivery.SHELL_IN_FRONT, "uvicorn b": Delivery.REACHES},
        ),
        ("select x in a b; do exec gunicorn a; done", {}),
    ],
)
def test_where_a_script_ends(script: str, expected: dict[str, Delivery]) -> None:
    found = deliveries("#!/bin/sh\n" + script + "\n")
    assert {text: d for text, d in found.items() if text.startswith(("gunicorn", "uvicorn"))} == expected


def test_a_script_that_branches_without_end_is_given_up() -> None:
    nested = "if x; then f{0}; fi\nif y; then f{0}; fi\n"
    functions = "".join(f"f{i}() {{\n{nested.format(i + 1)}}}\n" for i in range(30))
    ifs = "if [ a = a ]; then\n" * 30 + "exec gunicorn a\n" + "fi\n" * 30
    assert Delivery.UNSURE in deliveries(functions + "f0\n").values()
    assert deliveries(ifs) == {"gunicorn a": Delivery.REACHES}


def test_the_arguments_choose_the_branch() -> None:
    script = 'case "$1" in\n  web) exec gunicorn a ;;\n  worker) rq worker ;;\nesac\n'
    assert deliveries(script, "web") == {"gunicorn a": Delivery.REACHES}
    assert deliveries(script, "worker") == {"rq worker": Delivery.SHELL_IN_FRONT}


# --- rules that need the route table ---------------------------------------------------------------------------------


def endpoint(path: str, method: str = "GET", framework: str = "fastapi", auth: tuple[str, ...] = ()) -> Endpoint:
    place = Location("app.py", 7, 1, 7, 20)
    return Endpoint(method, path, "app:f", place, framework, EndpointKind.JSON, Role.PROD, auth=auth)


@pytest.mark.parametrize(
    ("template", "framework", "path", "answers"),
    [
        ("/ready", "flask", "/ready", True),
        ("/ready", "flask", "/ready/", False),
        ("/ready/", "flask", "/ready", True),
        ("/ready", "fastapi", "/ready/", True),
        ("/<name>/ready", "flask", "/a/ready", True),
        ("/<path:rest>", "flask", "/a/b", True),
        ("/{name}", "fastapi", "/a/b", False),
        ("/{rest:path}", "fastapi", "/a/b", True),
        (r"/^health/(?P<name>[a-z]+)/$", "django", "/health/db/", True),
        ("/a.b", "flask", "/axb", False),
    ],
)
def test_which_route_answers_a_path(template: str, framework: str, path: str, answers: bool) -> None:
    assert bool(endpoints_at([endpoint(template, framework=framework)], path)) is answers


POD = """\
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers:
    - name: shop
      image: shop
      livenessProbe: {httpGet: {path: /health, port: 8000}}
"""


def judged(
    *endpoints: Endpoint, gaps: tuple[Evidence, ...] = (), checks: tuple[HealthCheck, ...] = ()
) -> dict[str, Kind]:
    linked = link_deployment(read_all({"k8s/p.yaml": POD, "shop/Dockerfile": SERVES}), {"shop": "shop"})["shop"]
    (probe,) = linked.probes
    service = Service(
        "shop", "shop", Location.whole_file("x"), Role.PROD, endpoints=endpoints, route_gaps=gaps, health_checks=checks
    )
    both = (rules.probe_hits_nothing, rules.liveness_depends_on_others)
    return {rule.code: rule.judge(probe, service).kind for rule in both}


def test_probes_against_the_route_table() -> None:
    place = Evidence(Location("app.py", 1, 1, 1, 2), "x")
    health = endpoint("/health")
    assert judged(health)["OPS303"] is Kind.PASS
    assert judged(endpoint("/other"))["OPS303"] is Kind.FAIL
    assert judged(endpoint("/other"), gaps=(place,))["OPS303"] is Kind.REVIEW
    assert judged(endpoint("/health", auth=("bearer",)))["OPS303"] is Kind.FAIL
    assert judged(endpoint("/health", "POST"))["OPS303"] is Kind.FAIL
    assert judged()["OPS303"] is Kind.REVIEW
    assert judged(health)["OPS302"] is Kind.REVIEW
    constant = HealthCheck(health, HealthPurpose.LIVENESS, constant=True)
    assert judged(health, checks=(constant,))["OPS302"] is Kind.PASS
    asking = HealthCheck(health, HealthPurpose.LIVENESS, dependencies=(place,))
    assert judged(health, checks=(asking,))["OPS302"] is Kind.FAIL
    unknown = HealthCheck(health, HealthPurpose.LIVENESS, unresolved=(place,))
    assert judged(health, checks=(unknown,))["OPS302"] is Kind.REVIEW
