"""A result as large as they come: what a report of thousands of findings is measured with.

Lines are as long, and messages and subjects come again as often, as in the results of real backends: of 100 findings 30
say what none has said before, and they show 230 lines that no other one shows.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from itertools import cycle, islice

from assay.scanner.model.place import Evidence, Location
from assay.scanner.results import (
    Acceptance,
    AcceptedBy,
    JudgedVerdict,
    PrincipleScore,
    PrincipleStatus,
    RuleInfo,
    RuleScore,
    Scanned,
    ScanResult,
    SectionScore,
    ServiceResult,
    State,
    SubjectReference,
)
from assay.scanner.verdicts import Kind, Severity

SERVICES = ("orders", "billing", "accounts", "catalogue")
SECTIONS = ("API", "DB", "SEC", "OBS", "OPS", "SVC")
KINDS = ("Endpoint", "SqlSite", "LogCall", "UrlRequest", "Workload", "ExceptHandler")
WORDS = (
    *(
        "order",
        "invoice",
        "payment",
        "customer",
        "shipment",
        "refund",
        "price",
        "basket",
        "coupon",
        "ledger",
        "account",
    ),
    *("session", "report", "export", "warehouse", "carrier", "parcel", "variant", "product", "review", "address"),
)
LINES_A_FILE = 400
FILES_A_SERVICE = 55
ACCEPTED = 0.05
WITH_FLOWS = 0.04
NEW_MESSAGE = 0.3
NEW_SUBJECT = 0.6


def large_result(findings: int = 5_000, others: int = 20_000, seed: int = 8) -> ScanResult:
    """So many findings, and so many passes and not applicables, over four services; the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    rules = tuple(_rules())
    verdicts = sorted(
        _verdicts(chance, rules, findings, others), key=lambda v: (v.location, v.rule, v.subject.id, v.fingerprint)
    )
    sources = {path: dict(enumerate(_code(chance), start=1)) for path in _paths()}
    return ScanResult(
        edition="2026.1",
        scanned=Scanned(
            root="/home/dev/shop",
            commit="0123456789abcdef0123456789abcdef01234567",
            committed="2026-01-31T12:00:00Z",
            seconds=12.5,
            files=len(sources),
            lines=LINES_A_FILE * len(sources),
            web="https://github.com/acme/shop",
        ),
        services=tuple(_service(name, rules) for name in SERVICES),
        rules=rules,
        verdicts=tuple(verdicts),
        diagnostics=(),
        sources=sources,
        owners={path: (f"@acme/{path.partition('/')[0]}",) for path in sources},
    )


def _rules() -> Iterator[RuleInfo]:
    severities = cycle(Severity)
    for section in SECTIONS:
        for number in range(1, 13):
            code = f"{section}{number % 4 + 1}{number:02}"
            words = f"{WORDS[number % len(WORDS)]}-{WORDS[number * 3 % len(WORDS)]}-unguarded"
            yield RuleInfo(
                code=code,
                name=words,
                title=f"What a client sends as {words.replace('-', ' ')} is taken as it comes.",
                principle=code[:-2],
                severity=next(severities),
                cwe=(20 + number,),
                why="latency and memory grow with the table, and any client can ask for all of it. " * 2,
                fix="take a page size with an upper limit (or a cursor) and apply it to the query. " * 2,
                references=("https://owasp.org/API-Security/editions/2023/en/0xa4/",),
            )


def _paths() -> list[str]:
    return [
        f"{service}/{first}/{second}_{number}.py"
        for service in SERVICES
        for number, (first, second) in enumerate(
            islice(((a, b) for a in WORDS[:10] for b in WORDS[8:]), FILES_A_SERVICE)
        )
    ]


def _code(chance: random.Random) -> Iterator[str]:
    for _ in range(LINES_A_FILE):
        a, b, c = chance.sample(WORDS, 3)
        yield chance.choice(
            (
                f"    {a} = await session.scalars(select({b.title()}).where({b.title()}.{c}_id == {c}.id))",
                f"    if {a}.{b} is None:",
                f'        raise HTTPException(404, f"no {a} {{{b}_id}} in {c}")',
                f"async def list_{a}_{b}(session: Session = Depends(get_session)):",
                f'    logger.info("{a} of %s was sent", {b}.{c})',
                "",
                f"    {a}.{b} = {c}[0]",
                f"    return {a}_to_{b}({c})  # a {b} by now",
            )
        )


def _verdicts(
    chance: random.Random, rules: tuple[RuleInfo, ...], findings: int, others: int
) -> Iterator[JudgedVerdict]:
    paths = _paths()
    for number in range(findings + others):
        rule, path = chance.choice(rules), chance.choice(paths)
        is_finding = number < findings
        line = chance.randrange(3, LINES_A_FILE - 12, 4)
        label, message = _words(chance, number, is_finding)
        kind = chance.choices((Kind.FAIL, Kind.REVIEW) if is_finding else (Kind.PASS, Kind.NOT_APPLICABLE), (2, 1))[0]
        steps = [_evidence(chance, path, line + chance.randrange(6)) for _ in range(chance.randrange(3))]
        has_flow = is_finding and chance.random() < WITH_FLOWS
        is_accepted = is_finding and chance.random() < ACCEPTED
        yield JudgedVerdict(
            service=path.partition("/")[0],
            rule=rule.code,
            kind=kind,
            severity=rule.severity,
            subject=SubjectReference(chance.choice(KINDS), f"{path}:{label}", label),
            location=Location(path, line, 5, line, 40),
            message=message,
            evidence=tuple(steps if kind is not Kind.NOT_APPLICABLE else ()),
            fingerprint=hashlib.sha256(str(number).encode()).hexdigest()[:12],
            acceptance=Acceptance(AcceptedBy.WAIVER, "replaced in Q1", id=f"W-{number % 40:03}", owner="@acme/platform")
            if is_accepted
            else None,
            flows=((*steps, _evidence(chance, path, line)),) if has_flow else (),
            state=chance.choice(tuple(State)) if is_finding else None,
        )


def _words(chance: random.Random, number: int, is_finding: bool) -> tuple[str, str]:
    a, b, c = chance.sample(WORDS, 3)
    label = (
        f"query {number % 5} in {a}.{b}:list_{c}_of_{b}" if chance.random() < NEW_SUBJECT else f"GET /{a}s/{{{b}_id}}"
    )
    if not is_finding:
        return label, f"every query that it reads {a}s from is limited"
    if chance.random() < NEW_MESSAGE:
        return label, f"{label} returns every {c.title()}; take limit/offset or a cursor and cap it"
    return label, f"`{a}` becomes part of the statement; pass it as a parameter"


def _evidence(chance: random.Random, path: str, line: int) -> Evidence:
    return Evidence(
        Location(path, line, 9, line, 30), f"no limit between {chance.choice(WORDS)} and {chance.choice(WORDS)}"
    )


def _service(name: str, rules: tuple[RuleInfo, ...]) -> ServiceResult:
    return ServiceResult(
        name=name,
        root=name,
        frameworks=("FastAPI", "SQLAlchemy"),
        score=71.5,
        grade="C",
        coverage=0.97,
        sections=tuple(
            SectionScore(
                section,
                f"Section {section}",
                1.0,
                71.5,
                tuple(
                    PrincipleScore(
                        principle,
                        f"Principle {principle} is kept",
                        1.0,
                        PrincipleStatus.SCORED,
                        71.5,
                        79,
                        tuple(RuleScore(r.code, passed=50, failed=20) for r in rules if r.principle == principle),
                    )
                    for principle in sorted({rule.principle for rule in rules if rule.code.startswith(section)})
                ),
            )
            for section in SECTIONS
        ),
        files_read=FILES_A_SERVICE,
        files_wanted=FILES_A_SERVICE,
    )
