"""Waivers: what the file may say, what they do to a result, and the commands that write and list them."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from watchfiles import Change

from assay.scanner.acceptance.accepting import AtBase, accept
from assay.scanner.acceptance.waivers import Limits, Waiver, WaiverError, load_waivers, parse_waivers
from assay.scanner.acceptance.writing import next_id, with_waiver
from assay.scanner.config import AttestationConfig, Config, WaiversConfig, WaiversFrom
from assay.scanner.config.documents import Document
from assay.scanner.model.place import Location
from assay.scanner.results import (
    IgnoreComment,
    JudgedVerdict,
    PrincipleStatus,
    Scanned,
    ScanResult,
    SubjectReference,
)
from assay.scanner.rulebook import Rulebook
from assay.scanner.scoring import rescored, score_service
from assay.scanner.standard_pages import rule_info
from assay.scanner.verdicts import Kind, Severity
from assay.scanner.watching import Relevant
from tests.repositories import Repository
from tests.running import Ended, run_assay

TODAY = date(2026, 11, 29)
LIMITS = Limits(frozenset({"API401", "API402", "SEC101", "B608"}), 180, TODAY)
ENTRY = """\
[[waiver]]
id = "W-014"
rule = "API401"
subject = "GET /admin/export"
reason = "Internal export, at most 400 rows"
owner = "@acme/payments"
created = 2026-11-02
expires = 2027-01-31
"""


def parse(text: str, limits: Limits = LIMITS) -> tuple[Waiver, ...]:
    return parse_waivers(Document(".assay/waivers.toml", text), limits)


# --- the file ---------------------------------------------------------------------------------------------------------


def test_a_waiver_as_the_documentation_shows_it() -> None:
    (waiver,) = parse(ENTRY + 'approved-by = "@acme/platform"\nticket = "PAY-2211"\nmax = 3\n')
    assert waiver == Waiver(
        id="W-014",
        rule="API401",
        reason="Internal export, at most 400 rows",
        owner="@acme/payments",
        created=date(2026, 11, 2),
        expires=date(2027, 1, 31),
        subject="GET /admin/export",
        approver="@acme/platform",
        ticket="PAY-2211",
        maximum=3,
        place=".assay/waivers.toml:1",
    )


def edited(old: str, new: str) -> str:
    assert old in ENTRY
    return ENTRY.replace(old, new)


MISTAKES = {
    "no id": (edited('id = "W-014"\n', ""), "1: waiver[0].id: this waiver lacks it"),
    "no rule": (edited('rule = "API401"\n', ""), "1: waiver[0].rule: waiver W-014 lacks it"),
    "no reason": (edited('reason = "Internal export, at most 400 rows"\n', ""), "1: waiver[0].reason: waiver W-014"),
    "no owner": (edited('owner = "@acme/payments"\n', ""), "1: waiver[0].owner: waiver W-014 lacks it"),
    "no created": (edited("created = 2026-11-02\n", ""), "1: waiver[0].created: waiver W-014 lacks it"),
    "no expires": (edited("expires = 2027-01-31\n", ""), "1: waiver[0].expires: waiver W-014 lacks it"),
    "no target": (edited('subject = "GET /admin/export"\n', ""), "1: waiver: waiver W-014 names no subject, no path"),
    "unknown key": (edited("owner", "ownr"), "6: waiver[0].ownr: a waiver has no such key; did you mean 'owner'?"),
    "approved_by": (ENTRY + 'approved_by = "x"\n', "9: waiver[0].approved_by: a waiver has no such key; did you mean"),
    "unknown rule": (edited("API401", "API410"), "3: waiver[0].rule: there is no rule API410; did you mean 'API40"),
    "rule in lower case": (edited("API401", "api401"), "3: waiver[0].rule: there is no rule api401"),
    "empty reason": (edited("Internal export, at most 400 rows", "  "), "5: waiver[0].reason: it is empty"),
    "reason no text": (edited('"Internal export, at most 400 rows"', "5"), "5: waiver[0].reason: expected text"),
    "owner a list": (edited('"@acme/payments"', '["@a"]'), "6: waiver[0].owner: expected text in quotes"),
    "date in quotes": (edited("2027-01-31", '"2027-01-31"'), "8: waiver[0].expires: write the date without quotes"),
    "date with time": (edited("2027-01-31", "2027-01-31T00:00:00"), "8: waiver[0].expires: expected a date"),
    "no such day": (edited("2027-01-31", "2027-02-30"), "8: it is not valid TOML"),
    "expires before created": (edited("2027-01-31", "2026-10-31"), "8: waiver[0].expires: 2026-10-31 comes before"),
    "too long": (
        edited("2027-01-31", "2027-11-01"),
        "8: waiver[0].expires: 364 days after it was created; a waiver may",
    ),
    "created in the future": (
        edited("2026-11-02", "2026-12-24"),
        "7: waiver[0].created: 2026-12-24 lies in the future",
    ),
    "max zero": (ENTRY + "max = 0\n", "9: waiver[0].max: expected a whole number"),
    "max true": (ENTRY + "max = true\n", "9: waiver[0].max: expected a whole number"),
    "max text": (ENTRY + 'max = "3"\n', "9: waiver[0].max: expected a whole number"),
    "odd id": (edited("W-014", "W 014"), "2: waiver[0].id: an id is letters, digits"),
    "no fingerprint": (ENTRY + 'finding = "f3a9"\n', "9: waiver[0].finding: a finding is named by 12 hex digits"),
    "pattern of nothing": (ENTRY + 'path = "!a"\n', "9: waiver[0].path: '!a' is a negation"),
    "pattern out of the tree": (ENTRY + 'path = "../a"\n', "9: waiver[0].path: '../a' leads out"),
    "same id twice": (f"{ENTRY}\n{ENTRY}", "11: waiver[1].id: the waiver in line 1 has the id W-014 too"),
    "one bracket": (edited("[[waiver]]", "[waiver]"), "1: waiver: write each waiver as [[waiver]], with two brackets"),
    "another table": (
        edited("[[waiver]]", "[[waivers]]"),
        "1: waivers: only [[waiver]] entries belong here; did you mean",
    ),
    "no TOML": (ENTRY + "max 3\n", "9: it is not valid TOML"),
    "key twice": (ENTRY + 'owner = "@b"\n', "9: it is not valid TOML"),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=list(MISTAKES))
def test_mistakes_are_told_with_file_line_and_key(text: str, message: str) -> None:
    with pytest.raises(WaiverError) as caught:
        parse(text)
    assert str(caught.value).startswith(f".assay/waivers.toml:{message}")


def test_east_of_here_it_may_be_tomorrow() -> None:
    assert parse(edited("2026-11-02", "2026-11-30"))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / ".assay" / "waivers.toml").mkdir(parents=True)
    with pytest.raises(WaiverError, match=r"^\.assay/waivers\.toml: it is no file$"):
        load_waivers(tmp_path, LIMITS)
    (tmp_path / ".assay" / "waivers.toml").rmdir()
    (tmp_path / ".assay" / "waivers.toml").write_bytes(b"\xff")
    with pytest.raises(WaiverError, match=r"^\.assay/waivers\.toml: it is not UTF-8"):
        load_waivers(tmp_path, LIMITS)
    (tmp_path / ".assay" / "waivers.toml").write_bytes(b"\xef\xbb\xbf" + ENTRY.encode())
    assert load_waivers(tmp_path, LIMITS)
    assert not load_waivers(tmp_path / ".assay", LIMITS)


def test_a_scanned_subfolder_has_its_own_waivers_and_those_of_the_repository(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path)
    repository.write(".assay/waivers.toml", edited('subject = "GET /admin/export"', 'path = "/backend/app/**"'))
    repository.write("backend/.assay/waivers.toml", edited("W-014", "W-001"))
    own, above = load_waivers(tmp_path / "backend", LIMITS)
    assert (own.id, own.prefix, own.place) == ("W-001", "", ".assay/waivers.toml:1")
    assert (above.id, above.prefix, above.place) == ("W-014", "backend/", "../.assay/waivers.toml:1")
    assert above.covers(verdict("API401", path="app/api.py"))
    assert not above.covers(verdict("API401", path="other/api.py"))
    assert [w.id for w in load_waivers(tmp_path, LIMITS)] == ["W-014"]


# --- what they do -----------------------------------------------------------------------------------------------------


def verdict(
    rule: str,
    subject: str = "GET /admin/export",
    *,
    kind: Kind = Kind.FAIL,
    severity: Severity = Severity.HIGH,
    path: str = "app.py",
    line: int = 1,
    mark: str = "f3a9c1d2e8b7",
) -> JudgedVerdict:
    place = Location(path, line, 1, line, 10)
    return JudgedVerdict(
        "shop", rule, kind, severity, SubjectReference("Endpoint", f"{subject}!", subject), place, "it is bad", (), mark
    )


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    from assay.scanner.cli import wiring

    return wiring.rulebook()


RULES = ("API401", "API402", "SEC101", "OBS101")


def scanned(rulebook: Rulebook, *verdicts: JudgedVerdict, ignores: tuple[IgnoreComment, ...] = ()) -> ScanResult:
    told_apart = tuple(replace(v, fingerprint=f"{n:012x}") for n, v in enumerate(verdicts))
    ordered = tuple(sorted(told_apart, key=lambda v: (v.location, v.rule, v.subject.id)))
    return ScanResult(
        edition="2026.1",
        scanned=Scanned("shop", None, None, 0, 1, 10),
        services=(score_service("shop", ".", (), rulebook, ordered, 1, 1),),
        rules=tuple(rule_info(rule) for rule in rulebook.rules),
        verdicts=ordered,
        diagnostics=(),
        ignores=ignores,
    )


def settled(
    result: ScanResult,
    *waivers: Waiver,
    today: date = TODAY,
    config: Config | None = None,
    base: AtBase | None = None,
) -> ScanResult:
    return accept(result, waivers, config or Config(), known=RULES, asked=RULES, today=today, base=base)


def waiver(name: str = "W-001", rule: str = "API401", **terms: object) -> Waiver:
    given: dict[str, object] = {"subject": "GET /admin/export"} if not terms.keys() & {"path", "finding"} else {}
    made = Waiver(name, rule, "known", "@acme", date(2026, 11, 1), date(2026, 12, 31), place=".assay/waivers.toml:1")
    return replace(made, **(given | terms))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("terms", "covers"),
    [
        ({"subject": "GET /admin/export"}, True),
        ({"subject": "GET /admin/export!"}, True),
        ({"subject": "GET /admin"}, False),
        ({"path": "legacy/"}, True),
        ({"path": "*.py"}, True),
        ({"path": "/api.py"}, False),
        ({"finding": "f3a9c1d2e8b7"}, True),
        ({"finding": "f3a9c1d2e8b8"}, False),
        ({"subject": "GET /admin/export", "path": "other/"}, False),
        ({"rule": "API402"}, False),
    ],
)
def test_what_a_waiver_covers(terms: dict[str, Any], covers: bool) -> None:
    assert waiver(**terms).covers(verdict("API401", path="legacy/api.py")) is covers


def test_a_covered_finding_is_accepted_and_counts_no_more(rulebook: Rulebook) -> None:
    before = scanned(rulebook, verdict("API401"), verdict("API401", "GET /", kind=Kind.PASS, line=2))
    after = settled(before, waiver(approver="@boss", ticket="T-1"))
    (finding,) = after.findings
    assert str(finding.acceptance) == "W-001 of @acme: known (until 2026-12-31)"
    assert finding.acceptance
    assert (finding.acceptance.approver, finding.acceptance.ticket) == ("@boss", "T-1")
    (old,), (new,) = before.services, after.services
    assert (old.score, new.score, new.score_before_waivers) == (50.0, 100.0, 50.0)
    assert not after.notices


@pytest.mark.parametrize(("today", "is_accepted"), [(date(2026, 12, 31), True), (date(2027, 1, 1), False)])
def test_the_last_day_counts(rulebook: Rulebook, today: date, is_accepted: bool) -> None:
    (finding,) = settled(scanned(rulebook, verdict("API401")), waiver(), today=today).findings
    assert (finding.acceptance is not None) is is_accepted
    assert (finding.lapsed is not None) is not is_accepted


def test_what_expired_counts_again_and_is_told_with_its_owner(rulebook: Rulebook) -> None:
    result = settled(scanned(rulebook, verdict("API401")), waiver(), today=date(2027, 1, 3))
    assert result.notices == (
        "waiver W-001 (API401, GET /admin/export) of @acme expired 3 days ago: 1 finding counts again",
    )
    assert result.services[0].score == 0
    assert result.services[0].score_before_waivers is None


def test_a_valid_waiver_beside_an_expired_one_holds(rulebook: Rulebook) -> None:
    old = waiver("W-001", expires=date(2026, 11, 20))
    (finding,) = settled(scanned(rulebook, verdict("API401")), old, waiver("W-002")).findings
    assert finding.acceptance
    assert finding.acceptance.id == "W-002"
    assert finding.lapsed is None


def test_nothing_is_left_for_an_expired_waiver_whose_successor_holds(rulebook: Rulebook) -> None:
    old = waiver("W-001", expires=date(2026, 11, 20))
    assert settled(scanned(rulebook, verdict("API401")), old, waiver("W-002")).notices == (
        "waiver W-001 (API401, GET /admin/export) of @acme expired 9 days ago: "
        "nothing is left for it to cover; remove it (.assay/waivers.toml:1)",
    )


def test_soon_to_expire_is_told_from_two_weeks_before(rulebook: Rulebook) -> None:
    result = scanned(rulebook, verdict("API401"))
    assert not settled(result, waiver(), today=date(2026, 12, 16)).notices
    assert settled(result, waiver(), today=date(2026, 12, 17)).notices == (
        "waiver W-001 (API401, GET /admin/export) of @acme expires in 14 days, on 2026-12-31",
    )
    assert settled(result, waiver(), today=date(2026, 12, 31)).notices == (
        "waiver W-001 (API401, GET /admin/export) of @acme expires today, on 2026-12-31",
    )


def test_what_covers_nothing_is_told_where_that_can_be_known(rulebook: Rulebook) -> None:
    result = scanned(rulebook, verdict("SEC101"))
    assert settled(result, waiver()).notices == (
        "waiver W-001 (API401, GET /admin/export) covers nothing; remove it (.assay/waivers.toml:1)",
    )
    assert not settled(result, waiver(prefix="backend/")).notices
    assert not settled(result, waiver(rule="B608")).notices
    assert not settled(result, waiver(rule="B608"), today=date(2027, 2, 1)).notices


def test_the_surplus_counts_and_the_worst_is_covered_first(rulebook: Rulebook) -> None:
    result = scanned(
        rulebook,
        verdict("API401", "a", line=1, kind=Kind.REVIEW),
        verdict("API401", "b", line=2),
        verdict("API401", "c", line=3),
    )
    after = settled(result, waiver(path="*", maximum=2))
    assert {f.subject.label: f.acceptance is not None for f in after.findings} == {"a": False, "b": True, "c": True}
    assert after.notices == ("waiver W-001 (API401, *) of @acme may cover 2 findings and fits 3: the other 1 count",)


def test_attestations_count_until_they_expire(rulebook: Rulebook) -> None:
    given = AttestationConfig("restored each month", "@ops", date(2026, 12, 31), "https://wiki.example.org")
    result = scanned(rulebook, verdict("API401"))
    (principle,) = [p.id for s in result.services[0].sections for p in s.principles if p.is_attested][:1]
    config = Config(attestations={principle: given})

    def status(today: date) -> tuple[PrincipleStatus, tuple[str, ...]]:
        after = settled(result, today=today, config=config)
        (score,) = [p for s in after.services[0].sections for p in s.principles if p.id == principle]
        return score.status, after.notices

    assert status(date(2026, 12, 1)) == (PrincipleStatus.ATTESTED, ())
    soon = (f"the attestation of {principle} by @ops expires in 1 day, on 2026-12-31",)
    assert status(date(2026, 12, 30)) == (PrincipleStatus.ATTESTED, soon)
    gone, notices = status(date(2027, 1, 1))
    assert gone is not PrincipleStatus.ATTESTED
    assert notices == (f"the attestation of {principle} by @ops expired 1 day ago; it doesn't count",)


FROM_BASE = Config(waivers=WaiversConfig(from_=WaiversFrom.BASE))


def test_nobody_exempts_their_own_change(rulebook: Rulebook) -> None:
    result = scanned(rulebook, verdict("API401"), verdict("SEC101", line=2))
    old, new = waiver("W-001"), waiver("W-002", "SEC101")
    after = settled(result, old, new, config=FROM_BASE, base=AtBase((old,)))
    assert [f.rule for f in after.findings if f.acceptance] == ["API401"]
    assert after.notices == (
        "waiver W-002 (SEC101, GET /admin/export) is added here and would cover 1 finding: "
        'it counts once it is merged ([waivers] from = "base")',
    )
    assert all(f.acceptance for f in settled(result, old, new, base=AtBase((old,))).findings)


def test_a_waiver_that_a_change_prolongs_counts_as_it_was(rulebook: Rulebook) -> None:
    result = scanned(rulebook, verdict("API401"))
    old = waiver(expires=date(2026, 11, 20))
    after = settled(result, waiver(), config=FROM_BASE, base=AtBase((old,)))
    assert not after.findings[0].acceptance
    assert after.findings[0].lapsed
    assert any("is changed here and counts as it was at the base" in notice for notice in after.notices)
    assert not settled(result, config=FROM_BASE, base=AtBase((old,))).findings[0].lapsed


# --- properties -------------------------------------------------------------------------------------------------------

_VERDICTS = st.lists(
    st.builds(
        verdict,
        st.sampled_from(RULES),
        st.sampled_from(["a", "b", "c"]),
        kind=st.sampled_from(list(Kind)),
        path=st.sampled_from(["x.py", "legacy/y.py"]),
        line=st.integers(1, 5),
    ),
    max_size=12,
)
_WAIVERS = st.lists(
    st.builds(
        waiver,
        rule=st.sampled_from(RULES),
        expires=st.sampled_from([date(2026, 11, 20), date(2026, 12, 31)]),
        maximum=st.sampled_from([1, 2, 100]),
    ).flatmap(lambda made: st.sampled_from([replace(made, subject="a"), replace(made, subject="", path="legacy/")])),
    max_size=6,
).map(lambda made: [replace(w, id=f"W-{n:03}") for n, w in enumerate(made)])
_IGNORES = st.lists(
    st.builds(
        lambda path, line, rule, reason: IgnoreComment(Location(path, line, 1, line, 9), line, line, (rule,), reason),
        st.sampled_from(["x.py", "legacy/y.py"]),
        st.integers(1, 5),
        st.sampled_from([*RULES, "XYZ1"]),
        st.sampled_from(["because", ""]),
    ),
    max_size=4,
).map(tuple)


@given(_VERDICTS, _WAIVERS, _IGNORES, st.randoms())
@settings(max_examples=60, deadline=None)
def test_accepting_lowers_no_score_and_changes_no_kind(
    rulebook: Rulebook,
    verdicts: list[JudgedVerdict],
    waivers: list[Waiver],
    ignores: tuple[IgnoreComment, ...],
    chance: random.Random,
) -> None:
    severities = {rule.code: rule.severity for rule in rulebook.rules}
    before = scanned(rulebook, *(replace(v, severity=severities[v.rule]) for v in verdicts), ignores=ignores)
    after = settled(before, *waivers)
    (old,), (new,) = before.services, after.services
    for lower, higher in zip(
        [old.score, *(p.score for s in old.sections for p in s.principles)],
        [new.score, *(p.score for s in new.sections for p in s.principles)],
        strict=True,
    ):
        # What has no subject left to judge has no score.
        assert higher is None or (lower is not None and higher >= lower)
    assert new.coverage >= old.coverage
    assert new.score_before_waivers in (None, old.score)
    own = {v.fingerprint: v for v in after.verdicts}
    assert all(own[v.fingerprint].kind is v.kind for v in before.verdicts)
    assert all(v.acceptance is None or v.lapsed is None for v in after.verdicts)
    assert all(v.acceptance is None for v in after.verdicts if not v.is_finding)
    assert {rule.code for rule in after.rules} >= {v.rule for v in after.verdicts}
    chance.shuffle(waivers)
    assert settled(before, *waivers) == after
    rescored_again = rescored(new, [r for r in after.rules if r.counts], after.verdicts)
    assert replace(rescored_again, score_before_waivers=new.score_before_waivers) == new


_TEXT = st.text(min_size=1, max_size=30).filter(lambda text: bool(text.strip()))


@given(_TEXT, _TEXT, st.sampled_from(["", ENTRY, ENTRY.rstrip(), "# mine\r\n", "\ufeff", "# x"]))
@settings(deadline=None)
def test_whatever_a_finding_is_called_is_written_and_read_back(subject: str, reason: str, text: str) -> None:
    halves = re.compile("[\ud800-\udfff]")
    wanted = waiver("W-099", subject=subject.strip(), reason=reason.strip())
    written = with_waiver(text, wanted)
    assert written.startswith(text)
    read = parse(written.removeprefix("\ufeff"))[-1]
    assert read.subject == halves.sub("\ufffd", wanted.subject)
    assert read.reason == halves.sub("\ufffd", wanted.reason)
    assert replace(read, subject="", reason="", place="") == replace(wanted, subject="", reason="", place="")


def test_ids_are_counted_on() -> None:
    assert next_id([]) == "W-001"
    assert next_id([waiver("W-014"), waiver("other"), waiver("W-2")]) == "W-015"


# --- the commands -----------------------------------------------------------------------------------------------------

APP = """\
import logging

from fastapi import FastAPI

app = FastAPI()
logger = logging.getLogger(__name__)


@app.get("/orders")
def orders(limit: int = 100):
    logger.info(f"listed {limit}")
    return []
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A backend, a cache that knows it, and the fingerprint of its badly written log call."""
    root, cache = tmp_path_factory.mktemp("template") / "shop", tmp_path_factory.mktemp("cache")
    root.mkdir()
    (root / "app.py").write_text(APP)
    done = run_assay("scan", root, "-f", "json", "--cache-dir", cache, cwd=root)
    (mark,) = [v["fingerprint"] for v in json.loads(done.out)["verdicts"] if v["rule"] == "OBS101"]
    return root, cache, mark


@pytest.fixture
def shop(template: tuple[Path, Path, str], tmp_path: Path) -> tuple[Path, Path, str]:
    root, cache, mark = template
    return shutil.copytree(root, tmp_path / "shop"), cache, mark


def assay(shop: tuple[Path, Path, str], command: str, *arguments: str) -> Ended:
    root, cache, _ = shop
    return run_assay(command, *arguments, "--cache-dir", cache, cwd=root)


def waived(shop: tuple[Path, Path, str]) -> Counter[str]:
    """Accepted findings by rule, as a scan reports them."""
    report = json.loads(assay(shop, "scan", "-f", "json").out)
    return Counter(v["rule"] for v in report["verdicts"] if v["acceptance"])


GIVEN = ("--reason", 'It says "hi" \\ é', "--owner", "@acme/shop", "--expires", "90d")


def test_waive_a_finding(shop: tuple[Path, Path, str]) -> None:
    root, _, mark = shop
    ended = assay(shop, "waive", mark, *GIVEN, "--ticket", "SHOP-1", "--approved-by", "@boss", "--max", "1")
    assert ended.code == 0, ended.err
    today = datetime.now(UTC).date()
    last = today + timedelta(days=90)
    assert ended.out == f"W-001 covers 1 finding until {last}; written to .assay/waivers.toml\n"
    text = (root / ".assay" / "waivers.toml").read_text()
    assert text.startswith("# Findings that were accepted")
    (entry,) = load_waivers(root, Limits({"OBS101"}, 180, today))
    assert entry == Waiver(
        "W-001",
        "OBS101",
        'It says "hi" \\ é',
        "@acme/shop",
        today,
        last,
        subject="app:orders:log call 1",
        approver="@boss",
        ticket="SHOP-1",
        maximum=1,
        place=".assay/waivers.toml:4",
    )
    assert waived(shop) == {"OBS101": 1}
    again = assay(shop, "waive", mark, *GIVEN)
    assert again.code == 2
    assert f"{mark} is accepted already: W-001 of @acme/shop" in again.err
    assert (root / ".assay" / "waivers.toml").read_text() == text


def test_the_users_text_stays_as_it_is(shop: tuple[Path, Path, str]) -> None:
    root, _, mark = shop
    mine = b"# mine,\twith \xc3\xa9\r\n\r\n# and no end of line"
    (root / ".assay").mkdir()
    (root / ".assay" / "waivers.toml").write_bytes(mine)
    assert assay(shop, "waive", mark, *GIVEN).code == 0
    written = (root / ".assay" / "waivers.toml").read_bytes()
    assert written.startswith(mine + b"\r\n\r\n[[waiver]]\r\n")
    assert waived(shop) == {"OBS101": 1}


def test_waive_a_rule_on_a_subject_or_in_files(shop: tuple[Path, Path, str]) -> None:
    root, _, _ = shop
    subject = assay(shop, "waive", "obs101", "--subject", "app:orders:log call 1", *GIVEN)
    files = assay(shop, "waive", "API402", "--path", "*.py", *GIVEN)
    assert (subject.code, files.code) == (0, 0), subject.err + files.err
    assert waived(shop) == {"OBS101": 1, "API402": 1}
    assert [w.id for w in load_waivers(root, Limits({"OBS101", "API402"}, 180, datetime.now(UTC).date()))] == [
        "W-001",
        "W-002",
    ]
    again = assay(shop, "waive", "API402", "--path", "app.py", *GIVEN)
    assert again.code == 2
    assert "all that is API402, app.py is accepted already: W-002 of @acme/shop" in again.err


def test_two_findings_with_one_subject_are_told_apart(shop: tuple[Path, Path, str]) -> None:
    root, _, _ = shop
    (root / "two.py").write_text("x = 1\n")
    for name in ("one", "two"):
        (root / name).mkdir()
        (root / name / "app.py").write_text(APP)
        (root / name / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n')
    report = json.loads(assay(shop, "scan", "-f", "json").out)
    seen = Counter((v["rule"], v["subject"]["id"]) for v in report["verdicts"] if v["kind"] in ("fail", "review"))
    shared = [v for v in report["verdicts"] if v["kind"] == "fail" and seen[v["rule"], v["subject"]["id"]] > 1]
    assert shared
    assert assay(shop, "waive", shared[0]["fingerprint"], *GIVEN).code == 0
    text = (root / ".assay" / "waivers.toml").read_text()
    assert f'finding = "{shared[0]["fingerprint"]}"' in text
    assert "subject =" not in text
    assert sum(waived(shop).values()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("000000000000", *GIVEN), "there is no finding 000000000000 in this tree"),
        (("OBS1O1", *GIVEN), "'OBS1O1' is neither the 12 digits of a finding nor a rule; did you mean"),
        (("OBS101", *GIVEN), "say where OBS101 is accepted: --subject or --path"),
        (("OBS101", "--subject", "app:orders:log call 2", *GIVEN), "did you mean 'app:orders:log call 1'?"),
        (("SEC101", "--path", "*.py", *GIVEN), "SEC101 finds nothing in this tree"),
        (("OBS101", "--path", "../x", *GIVEN), "--path: '../x' leads out"),
        (("000000000000", "--path", "x", *GIVEN), "--subject and --path go with a rule"),
        (("OBS101", "--path", "x", "--owner", "x", "--expires", "9d"), "Missing option '--reason'"),
        (("OBS101", "--path", "x", "--reason", " ", "--owner", "x", "--expires", "9d"), "it is empty"),
        (("OBS101", "--path", "x", "--reason", "x", "--owner", "x", "--expires", "soon"), "'soon' is no date"),
        (("OBS101", "--path", "x", "--reason", "x", "--owner", "x", "--expires", "2020-01-01"), "comes before"),
        (("OBS101", "--path", "x", "--reason", "x", "--owner", "x", "--expires", "181d"), "a waiver may hold 180 days"),
        (("OBS101", "--path", "x", *GIVEN, "--max", "0"), "0 is not in the range"),
    ],
)
def test_waive_tells_mistakes_and_writes_nothing(
    template: tuple[Path, Path, str], arguments: tuple[str, ...], message: str
) -> None:
    ended = assay(template, "waive", *arguments)
    assert ended.code == 2
    assert message in " ".join(ended.err.split())
    assert not (template[0] / ".assay").exists()


def test_waive_appends_to_no_file_with_a_mistake(shop: tuple[Path, Path, str]) -> None:
    root, _, mark = shop
    (root / ".assay").mkdir()
    (root / ".assay" / "waivers.toml").write_text("waiver = 1\n")
    ended = assay(shop, "waive", mark, *GIVEN)
    assert ended.code == 2
    assert ended.err == "assay: .assay/waivers.toml:1: waiver: write each waiver as [[waiver]], with two brackets\n"
    assert (root / ".assay" / "waivers.toml").read_text() == "waiver = 1\n"


def entry(name: str, days: int, owner: str = "@acme/shop", rule: str = "OBS101") -> str:
    """A waiver that expires in so many days from today."""
    today = datetime.now(UTC).date()
    return (
        f'[[waiver]]\nid = "{name}"\nrule = "{rule}"\npath = "*.py"\nreason = "known"\nowner = "{owner}"\n'
        f"created = {today - timedelta(days=40)}\nexpires = {today + timedelta(days=days)}\n\n"
    )


def with_waivers(shop: tuple[Path, Path, str], *entries: str) -> None:
    root, _, _ = shop
    (root / ".assay").mkdir(exist_ok=True)
    (root / ".assay" / "waivers.toml").write_text("".join(entries))


def test_the_list_by_owner(shop: tuple[Path, Path, str]) -> None:
    with_waivers(shop, entry("W-1", 60), entry("W-2", -1, "@b\\u001b[31m", "API402"), entry("W-3", 5, "@c", "SEC101"))
    ended = assay(shop, "waivers")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert [line for line in lines if line.startswith("@")] == [
        "@acme/shop   1 waiver, 1 finding",
        "@b␛[31m   1 waiver, 1 finding",
        "@c   1 waiver, 0 findings",
    ]
    rows = {line.split()[2]: line.split() for line in lines if ", *.py  " in line}
    assert rows["W-1"][-2:] == ["days", "left"]
    assert rows["W-2"][-4:] == ["expired", "1", "day", "ago"]
    assert rows["W-3"][3] == "0"
    soon = assay(shop, "waivers", "--expiring", "30d")
    assert "W-1" not in soon.out
    assert {"W-2", "W-3"} <= set(re.findall(r"W-\d", soon.out))
    as_json = json.loads(assay(shop, "waivers", "--format", "json").out)
    assert [(w["id"], w["days_left"], w["is_expired"], w["covered"]) for w in as_json] == [
        ("W-1", 60, False, 1),
        ("W-2", -1, True, 1),
        ("W-3", 5, False, 0),
    ]


def test_the_check_of_the_list(shop: tuple[Path, Path, str]) -> None:
    assert assay(shop, "waivers", "--check").code == 0
    with_waivers(shop, entry("W-1", 0))
    assert assay(shop, "waivers", "--check").code == 0
    with_waivers(shop, entry("W-1", -1))
    assert assay(shop, "waivers").code == 0
    assert assay(shop, "waivers", "--check").code == 1
    with_waivers(shop, entry("W-1", 1), entry("W-1", 1))
    ended = assay(shop, "waivers", "--check")
    assert ended.code == 2
    assert ".assay/waivers.toml:11: waiver[1].id: the waiver in line 1 has the id W-1 too" in ended.err


def test_acceptance_7_one_day_past_is_red_and_names_the_owner(shop: tuple[Path, Path, str]) -> None:
    root, _, _ = shop
    repository = Repository.new(root)
    with_waivers(shop, entry("W-014", 1))
    repository.commit()
    green = assay(shop, "gate")
    assert green.code == 0, green.out + green.err
    with_waivers(shop, entry("W-014", -1))
    red = assay(shop, "gate")
    assert red.code == 1, red.out + red.err
    assert "W-014" in red.out
    assert "@acme/shop" in red.out
    assert "1 day ago" in red.out


INJECTION = """

@app.get("/users/{name}")
def user(name: str):
    return db.execute(f"SELECT * FROM users WHERE name = '{name}'").fetchone()
"""


def test_what_a_change_accepts_itself_does_not_open_the_gate(shop: tuple[Path, Path, str]) -> None:
    root, _, _ = shop
    repository = Repository.new(root)
    repository.write("assay.toml", '[waivers]\nfrom = "base"\n')
    repository.write(
        "app.py", APP.replace("import logging\n", "import logging\nimport sqlite3\n") + "db = sqlite3.connect('x')\n"
    )
    repository.commit()
    (root / "app.py").write_text((root / "app.py").read_text() + INJECTION)
    with_waivers(shop, *(entry(f"W-{rule}", 9, rule=rule) for rule in ("SEC101", "API601", "SEC401", "API402")))
    red = assay(shop, "gate", "--since", "HEAD")
    assert red.code == 1, red.out + red.err
    assert "SEC101" in red.out
    assert "waiver W-SEC101 (SEC101, *.py) is added here and would cover 1 finding" in " ".join(red.out.split())
    repository.commit()
    assert assay(shop, "gate", "--since", "HEAD").code == 0
    assert waived(shop)["SEC101"] == 1


def test_a_watched_tree_is_scanned_again_when_its_waivers_change(tmp_path: Path) -> None:
    file = tmp_path / ".assay" / "waivers.toml"
    assert Relevant(tmp_path, [])(Change.modified, str(file))


def test_a_scan_shows_scores_with_and_without(shop: tuple[Path, Path, str]) -> None:
    with_waivers(shop, entry("W-1", 5), entry("W-2", -3, "@late", "API402"))
    text = assay(shop, "scan")
    assert text.code == 0
    assert re.search(r"Total \d+\.\d of 100, [^(]*\(\d+\.\d before waivers\)", text.out)
    assert "waiver expired  W-2 of @late: known" in text.out
    assert "! waiver W-1 (OBS101, *.py) of @acme/shop expires in 5 days" in text.out
    assert "! waiver W-2 (API402, *.py) of @late expired 3 days ago: 1 finding counts again" in text.out
    report = json.loads(assay(shop, "scan", "-f", "json").out)
    (service,) = report["services"]
    assert service["score_before_waivers"] < service["score"]
    page = assay(shop, "scan", "-f", "html").out
    assert "Before waivers the score is" in page
    assert "waiver expired" in page
    assert "expires in 5 days" in page
