"""A small but complete scan result that every report's tests share: each kind, severity and status, and nasty text.

The text of a scanned tree is hostile, so it holds markup, terminal escapes, newlines, Markdown and bidirectional marks.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.model.place import Evidence, Location
from assay.scanner.results import (
    Acceptance,
    AcceptedBy,
    Attestation,
    Base,
    BaseKind,
    Condition,
    Connection,
    ConnectionKind,
    GateResult,
    GateStatus,
    IgnoreComment,
    JudgedVerdict,
    Outcome,
    PrincipleScore,
    PrincipleStatus,
    RuleInfo,
    RuleOption,
    RuleScore,
    Scanned,
    ScanResult,
    SectionScore,
    ServiceResult,
    State,
    SubjectReference,
)
from assay.scanner.verdicts import Kind, Severity

NASTY = "<script>alert(1)</script> \x1b[31mred\x1b[0m\x07 & \"quoted\" 'text' `code` [link](javascript:x)\nsecond line"
"""Markup, a terminal escape, a bell, a Markdown link and a newline: no report may pass them on unescaped."""

NASTY_PATH = "orders/naïve dir/<b>50%#1?.py"
"""A legal POSIX path that isn't a legal URI."""

UNICODE = "Größe ✓ 订单 🚚 \u202egnirts"
"""Wide, astral and right-to-left-override characters."""


def sample_result() -> ScanResult:
    """Two services: `orders`, with findings of every sort, and `billing`, which is not rated."""
    return ScanResult(
        tool_version="1.2.3",
        edition="2026.1",
        scanned=Scanned(
            root="/home/dev/shop",
            commit="0123456789abcdef0123456789abcdef01234567",
            committed="2026-01-31T12:00:00Z",
            seconds=1.25,
            files=12,
            lines=3456,
        ),
        services=(_orders(), _billing()),
        rules=_rules(),
        verdicts=tuple(sorted(_verdicts(), key=lambda v: (v.location, v.rule, v.subject.id))),
        diagnostics=(
            Diagnostic("orders/api.py", 9, Reason.RULE_CRASHED, f"API401 raised KeyError: {NASTY}"),
            Diagnostic("orders/broken.py", 7, Reason.SYNTAX_ERROR, "unexpected indent"),
            Diagnostic("orders/data.bin.py", None, Reason.UNDECODABLE, "not UTF-8: invalid start byte at offset 3"),
        ),
        sources={
            "billing/app.py": {1: "from flask import Flask", 2: "app = Flask(__name__)"},
            "orders/api.py": dict(enumerate(_ORDERS_API, start=1)),
            NASTY_PATH: {1: f"# {NASTY.splitlines()[0]}", 2: f'log.info(f"{UNICODE} {{user.password}}")'},
        },
    )


def gated_result() -> ScanResult:
    """The same, compared with a base and judged by a gate, which fails: every state, outcome and kind of acceptance."""
    sample = sample_result()
    orders, billing = sample.services
    attestation = Attestation(f"restored every month {NASTY}", "@ops", "2026-12-31", "https://wiki.example/backups")
    return replace(
        sample,
        scanned=replace(sample.scanned, prefix="backend/"),
        services=(replace(_attested(orders, attestation), connections=_CONNECTIONS), billing),
        rules=tuple(_told(rule) for rule in sample.rules),
        verdicts=tuple(_compared(verdict) for verdict in sample.verdicts),
        ignores=(
            IgnoreComment(Location("orders/api.py", 31, 5, 31, 40), 31, 31, ("BANDIT-B101",), "only in development"),
        ),
        configuration="c0" * 16,
        base=Base(
            BaseKind.COMMIT,
            "merge base of origin/main",
            "fedcba9876543210fedcba9876543210fedcba98",
            fixed=(_FIXED,),
            services=(replace(orders, score=24.0), billing),
        ),
        gate=GateResult(
            GateStatus.FAILED,
            "1 new critical finding (SEC101), 1 expired waiver (W-014)",
            (
                Condition("coverage of orders", Outcome.MET, 96.25, "≥", 95.0, "%"),
                Condition("new critical findings", Outcome.NOT_MET, 1.0, "≤", 0.0, "", "SEC101", ("b1" * 16,)),
                Condition("new high findings", Outcome.MET, 0.0, "≤", 0.0),
                Condition("overall score of orders", Outcome.MET, 19.4, "≥", 10.0),
                Condition("drop of the overall score of orders", Outcome.NOT_MET, 4.6, "≤", 0.5, "points"),
                Condition("overall score of billing", Outcome.NOT_APPLICABLE, None, "≥", 10.0, "", f"no score {NASTY}"),
                Condition("expired waivers", Outcome.NOT_MET, 1.0, "≤", 0.0, "", "W-014 of @payments", ("a1" * 16,)),
                Condition(
                    "OBS101 findings", Outcome.ANNOUNCED, 1.0, "≤", 0.0, "", "counts from 2027-03-01", ("c1" * 16,)
                ),
            ),
        ),
        notices=("W-014 expires in 12 days (API401, @payments)", f"3 entries of the baseline match nothing {NASTY}"),
    )


_CONNECTIONS = (
    Connection(ConnectionKind.CONTAINER, f"orders {NASTY}", "kubernetes, web"),
    Connection(ConnectionKind.SERVICE, "billing", "2 calls, address in BILLING_API_ADDR"),
    Connection(ConnectionKind.HOST, "api.pay.example", f"3 calls {UNICODE}"),
    Connection(ConnectionKind.DATABASE, "SQL database", "12 tables, SQLAlchemy"),
    Connection(ConnectionKind.INFRASTRUCTURE, "db", "postgres:16, compose"),
)


def _told(rule: RuleInfo) -> RuleInfo:
    if rule.code == "OBS102":
        return replace(rule, since="2027.1", is_preview=True)
    if rule.code == "API401":
        options = (RuleOption("maximum", "1000", "200"), RuleOption("words", '["page"]', '["page"]'))
        return replace(rule, subject="endpoint", options=options)
    return rule


@cache
def large_result(count: int) -> ScanResult:
    """The same with so many open fails, in a thousand files: many have a name in common, and some their fingerprint."""
    sample = gated_result()
    patterns = [v for v in sample.verdicts if v.fingerprint[:2] in ("a1", "b1", "c1")]
    fails = []
    for number in range(count):
        pattern = patterns[number % len(patterns)]
        fails.append(
            replace(
                pattern,
                location=Location(f"orders/module{number % 1000}.py", number // 1000 + 1, 1, number // 1000 + 1, 12),
                fingerprint=f"{number - number % 100 // 99:012x}",
                state=State.NEW if number % 10 == 0 else State.KNOWN,
                line_hash=f"{number:x}:1",
                lapsed=None,
                flows=pattern.flows if number % 10 == 0 else (),
            )
        )
    return replace(sample, verdicts=tuple(sorted(fails, key=lambda v: (v.location, v.rule, v.subject.id))))


_STATES = {
    "a1": State.KNOWN,
    "a3": State.MOVED,
    "a5": State.KNOWN,
    "b1": State.NEW,
    "c1": State.EDITED,
    "c3": State.NEW,
    "d1": State.KNOWN,
    "e1": State.NEW,
}
"""By the beginning of the fingerprint."""


def _compared(verdict: JudgedVerdict) -> JudgedVerdict:
    name = verdict.fingerprint[:2]
    verdict = replace(verdict, state=_STATES.get(name), line_hash=f"{name * 8}:1" if name in _STATES else "")
    if name == "a1":
        return replace(verdict, lapsed=_WAIVER)
    if name == "d1":
        return replace(verdict, acceptance=Acceptance(AcceptedBy.IGNORE, "only in development"))
    return verdict


def _attested(service: ServiceResult, attestation: Attestation) -> ServiceResult:
    sections = []
    for section in service.sections:
        principles = tuple(
            replace(p, status=PrincipleStatus.ATTESTED, is_attested=True, attestation=attestation)
            if p.id == "OPS9"
            else p
            for p in section.principles
        )
        sections.append(replace(section, principles=principles))
    return replace(service, sections=tuple(sections))


_WAIVER = Acceptance(
    AcceptedBy.WAIVER,
    f"replaced by the reporting service in Q1 {NASTY}",
    id="W-014",
    owner="@payments",
    approver="@platform",
    ticket="PAY-2211",
    created="2025-11-02",
    expires="2026-01-28",
)

_FIXED = JudgedVerdict(
    "orders",
    "OBS101",
    Kind.FAIL,
    Severity.LOW,
    SubjectReference("log call", "orders.api.cancel#1", "log call in cancel"),
    Location("orders/api.py", 40, 5, 40, 38),
    "an f-string hides the values; pass them as fields",
    (),
    "f1" * 16,
)

_ORDERS_API = (
    "from fastapi import Depends, FastAPI",
    "",
    "app = FastAPI()",
    "",
    "",
    '@app.get("/orders")',
    "def list_orders(db: Session = Depends(get_db)):",
    '    """<script>alert(1)</script> \x1b[31mred"""',
    "    return db.scalars(select(Order)).all()",
    "",
    "",
    '@app.get("/users/{name}")',
    "def find_user(name: str):",
    "    query = f\"SELECT * FROM users WHERE name = '{name}'\"",
    "    return cursor.execute(query).fetchall()",
    "",
    "",
    '@app.get("/items")',
    "def list_items(limit: int = Query(50, le=200)):",
    "    return db.scalars(select(Item).limit(limit)).all()",
    "",
    "",
    '@app.get("/search")',
    "def search(q: str):",
    "    return db.scalars(build_query(q)).all()",
    "",
    "",
    '@app.post("/orders")',
    "def create_order(order: Order):",
    '    logging.info("created %s", order.id)',
    "    assert order.total > 0",
)


def _rules() -> tuple[RuleInfo, ...]:
    return (
        RuleInfo(
            code="API401",
            name="unpaginated-list-endpoint",
            title="A list endpoint hands out every row it has.",
            principle="API4",
            severity=Severity.HIGH,
            cwe=(770,),
            why="latency and memory grow with the table, and any client can ask for all of it.",
            fix="take a page size with an upper limit (or a cursor) and apply it to the query.",
            references=("OWASP API4:2023", "https://owasp.org/API-Security/editions/2023/en/0xa4/"),
        ),
        RuleInfo(
            code="BANDIT-B101",
            name="assert-used",
            title="An assert guards production code.",
            principle="SEC1",
            severity=Severity.LOW,
            cwe=(703,),
            why="python -O removes it.",
            fix="raise an exception instead.",
            advisory=True,
        ),
        RuleInfo(
            code="OBS101",
            name="unstructured-log-call",
            title="A log call builds its text from `values`.",
            principle="OBS1",
            severity=Severity.LOW,
            cwe=(),
            why="text can't be searched by field.",
            fix="hand the values over as fields.",
        ),
        RuleInfo(
            code="OBS102",
            name="secret-in-log",
            title="A log call writes a secret.",
            principle="OBS1",
            severity=Severity.MEDIUM,
            cwe=(532,),
            why="logs are copied to places that were never meant to hold <secrets> & keys.",
            fix="log an identifier instead of *the value*.",
        ),
        RuleInfo(
            code="OPS901",
            name="unrestored-backup",
            title="No job restores a backup to prove that it works.",
            principle="OPS9",
            severity=Severity.HIGH,
            cwe=(),
            why="a backup that was never restored is a hope.",
            fix="restore one on a schedule and compare.",
        ),
        RuleInfo(
            code="SEC101",
            name="sql-built-from-input",
            title="SQL is put together from what a client sent.",
            principle="SEC1",
            severity=Severity.CRITICAL,
            cwe=(89, 943),
            why="a client can run any statement.",
            fix="pass the value as a parameter.",
            references=("CWE-89",),
        ),
    )


def _verdict(
    rule: str,
    kind: Kind,
    severity: Severity,
    subject: SubjectReference,
    line: int,
    message: str,
    evidence: tuple[Evidence, ...] = (),
    *,
    path: str = "orders/api.py",
    service: str = "orders",
    fingerprint: str,
    acceptance: Acceptance | None = None,
    flows: tuple[tuple[Evidence, ...], ...] = (),
) -> JudgedVerdict:
    location = Location(path, line, 1, line, 12)
    return JudgedVerdict(
        service, rule, kind, severity, subject, location, message, evidence, fingerprint, acceptance, flows
    )


def _endpoint(route: str) -> SubjectReference:
    return SubjectReference("endpoint", route, route)


def _verdicts() -> tuple[JudgedVerdict, ...]:
    return (
        _verdict(
            "API401",
            Kind.FAIL,
            Severity.HIGH,
            _endpoint("GET /orders"),
            6,
            "GET /orders returns every Order; take limit/offset or a cursor and cap it",
            (Evidence(Location("orders/api.py", 9, 12, 9, 43), "no limit between query and response"),),
            fingerprint="a1" * 16,
        ),
        _verdict(
            "API401",
            Kind.PASS,
            Severity.HIGH,
            _endpoint("GET /items"),
            18,
            "every query it reads from is limited",
            (Evidence(Location("orders/api.py", 20, 23, 20, 48), "limited to at most 200"),),
            fingerprint="a2" * 16,
        ),
        _verdict(
            "API401",
            Kind.REVIEW,
            Severity.HIGH,
            _endpoint("GET /search"),
            23,
            "GET /search: a query built elsewhere may be unbounded",
            (Evidence(Location("orders/api.py", 25, 12, 25, 42), f"built by build_query; {UNICODE}"),),
            fingerprint="a3" * 16,
        ),
        _verdict(
            "API401",
            Kind.NOT_APPLICABLE,
            Severity.HIGH,
            _endpoint("POST /orders"),
            28,
            "it doesn't return a collection",
            fingerprint="a4" * 16,
        ),
        _verdict(
            "API401",
            Kind.FAIL,
            Severity.HIGH,
            _endpoint("GET /users/{name}"),
            12,
            "GET /users/{name} returns every User; take limit/offset or a cursor and cap it",
            fingerprint="a5" * 16,
            acceptance=Acceptance(AcceptedBy.WAIVER, "at most 20 users exist", owner="@payments", expires="2026-06-30"),
        ),
        _verdict(
            "SEC101",
            Kind.FAIL,
            Severity.CRITICAL,
            SubjectReference("query", "orders.api.find_user#1", "query in find_user"),
            15,
            f"the path parameter `name` becomes part of the statement: {NASTY}",
            (
                Evidence(Location("orders/api.py", 13, 15, 13, 24), "comes from the client"),
                Evidence(Location("orders/api.py", 14, 5, 14, 57), f"put into the text: {NASTY}"),
            ),
            fingerprint="b1" * 16,
            flows=(
                (
                    Evidence(Location("orders/api.py", 13, 15, 13, 24), "a client sends `name`"),
                    Evidence(Location(NASTY_PATH, 2, 10, 2, 47), f"put together here: {NASTY}"),
                    Evidence(Location("orders/gone.py", 8, 5, 8, 20), f"handed on {UNICODE}"),
                    Evidence(Location("orders/api.py", 15, 12, 15, 33), "run as SQL"),
                ),
                (
                    Evidence(Location("orders/api.py", 24, 12, 24, 18), "a client sends `q`"),
                    Evidence(Location("orders/api.py", 15, 12, 15, 33), "run as SQL"),
                ),
            ),
        ),
        _verdict(
            "OBS101",
            Kind.FAIL,
            Severity.LOW,
            SubjectReference("log call", "orders.naive.<module>#1", NASTY),
            2,
            "an f-string hides the values; pass them as fields",
            path=NASTY_PATH,
            fingerprint="c1" * 16,
        ),
        _verdict(
            "OBS101",
            Kind.PASS,
            Severity.LOW,
            SubjectReference("log call", "orders.api.create_order#1", "log call in create_order"),
            30,
            "constant text with its values apart",
            fingerprint="c2" * 16,
        ),
        _verdict(
            "OBS102",
            Kind.FAIL,
            Severity.MEDIUM,
            SubjectReference("log call", "orders.naive.<module>#1", UNICODE),
            2,
            "user.password is written to the log",
            (Evidence(Location(NASTY_PATH, 2, 10, 2, 47), "a password"),),
            path=NASTY_PATH,
            fingerprint="c3" * 16,
        ),
        _verdict(
            "BANDIT-B101",
            Kind.FAIL,
            Severity.LOW,
            SubjectReference("line", "orders/api.py:assert order.total > 0", "assert order.total > 0"),
            31,
            "assert is removed by python -O",
            fingerprint="d1" * 16,
        ),
        _verdict(
            "API401",
            Kind.REVIEW,
            Severity.HIGH,
            _endpoint("GET /invoices"),
            2,
            "GET /invoices: its handler is chosen at run time",
            path="billing/app.py",
            service="billing",
            fingerprint="e1" * 16,
        ),
    )


def _orders() -> ServiceResult:
    return ServiceResult(
        name="orders",
        root="orders",
        frameworks=("FastAPI", "SQLAlchemy"),
        score=19.444444444444443,
        grade="E",
        coverage=0.875,
        files_read=6,
        files_wanted=6,
        sections=(
            SectionScore(
                "API",
                "API design",
                2.0,
                50.0,
                (
                    PrincipleScore(
                        "API4",
                        "Lists are paginated, traffic is limited",
                        1.0,
                        PrincipleStatus.SCORED,
                        50.0,
                        79,
                        (RuleScore("API401", passed=1, failed=1, review=1, not_applicable=1, waived=1),),
                    ),
                    PrincipleScore(
                        "API5", "Errors follow one format", 1.0, PrincipleStatus.NO_RULE_YET, None, None, ()
                    ),
                ),
            ),
            SectionScore(
                "OBS",
                "Observability",
                1.0,
                16.666666666666668,
                (
                    PrincipleScore(
                        "OBS1",
                        "Logs are structured",
                        1.0,
                        PrincipleStatus.SCORED,
                        16.666666666666668,
                        None,
                        (RuleScore("OBS101", passed=1, failed=1), RuleScore("OBS102", failed=1)),
                    ),
                ),
            ),
            SectionScore(
                "OPS",
                "Deployment",
                1.0,
                None,
                (
                    PrincipleScore(
                        "OPS9",
                        "Backups are tested",
                        1.0,
                        PrincipleStatus.NEEDS_ATTESTATION,
                        None,
                        None,
                        (RuleScore("OPS901"),),
                        is_attested=True,
                    ),
                ),
            ),
            SectionScore(
                "SEC",
                "Security",
                3.0,
                0.0,
                (
                    PrincipleScore(
                        "SEC1",
                        f"Input is never code <b>& {UNICODE}</b>",
                        2.0,
                        PrincipleStatus.SCORED,
                        0.0,
                        39,
                        (RuleScore("SEC101", failed=1),),
                    ),
                ),
            ),
        ),
    )


def _billing() -> ServiceResult:
    api = PrincipleScore(
        "API4",
        "Lists are paginated, traffic is limited",
        1.0,
        PrincipleStatus.NOT_APPLICABLE,
        None,
        None,
        (RuleScore("API401", review=1),),
    )
    return ServiceResult(
        name="billing",
        root="billing",
        frameworks=("Flask",),
        score=None,
        grade="not rated",
        coverage=0.0,
        files_read=6,
        files_wanted=6,
        sections=(SectionScore("API", "API design", 2.0, None, (api,)),),
    )
