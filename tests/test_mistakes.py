"""Every mistake that a user can make in configuration, waivers and options is told in a message of its own.

Each names file and line where a file is meant, ends with exit code 2, and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assay.scanner import cli
from tests.repositories import Repository
from tests.running import backend, listing, run_assay

TODAY = datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Mistake:
    """What somebody wrote, and what they are told: its beginning, where a file is meant, else a part."""

    told: str
    files: dict[str, str]
    command: tuple[str, ...] = ("gate",)


def configured(text: str, told: str) -> Mistake:
    return Mistake(f"assay: {told}", {"assay.toml": text})


def waived(told: str, **changes: str | None) -> Mistake:
    """A waiver that is right but for some lines; None leaves one out."""
    right: dict[str, str | None] = {
        "id": '"W-001"',
        "rule": '"API401"',
        "subject": '"GET /users"',
        "reason": '"At most 20 exist."',
        "owner": '"@ada"',
        "created": TODAY.isoformat(),
        "expires": (TODAY + timedelta(days=30)).isoformat(),
    }
    lines = (f"{key.replace('_', '-')} = {value}\n" for key, value in (right | changes).items() if value is not None)
    return Mistake(f"assay: .assay/waivers.toml:{told}", {".assay/waivers.toml": "[[waiver]]\n" + "".join(lines)})


def ordered(told: str, *command: str, **files: str) -> Mistake:
    """A mistake in the command line, with files by their name, which has `__` for its dot."""
    return Mistake(told, {name.replace("__", "."): text for name, text in files.items()}, command)


WAIVE = ("waive", "API401", "--subject", "GET /users", "--reason", "few", "--owner", "@ada")
LATE = (TODAY + timedelta(days=400)).isoformat()

MISTAKES = {
    # --- configuration ---
    "no TOML": configured("[rules\n", "assay.toml:1: it is not valid TOML: Expected ']' at the end of a table"),
    "a key twice": configured(
        "[gate]\nmode = 'warn'\nmode = 'warn'\n", "assay.toml:3: it is not valid TOML: Cannot over"
    ),
    "an unknown table": configured("\n[rule]\n", "assay.toml:2: rule: there is no such key in the top level; did you"),
    "an unknown key": configured(
        "[gate]\nmin-covrage = 1\n", "assay.toml:2: gate.min-covrage: there is no such key in"
    ),
    "a key with the wrong dash": configured("gate.new_since = 'x'\n", "assay.toml:1: gate.new_since: there is no such"),
    "text for a number": configured(
        "[files]\nmax-size = '1'\n", "assay.toml:2: files.max-size: expected a whole number"
    ),
    "a number that is too small": configured("files.max-size = 0\n", "assay.toml:1: files.max-size: expected a whole"),
    "percent for a share": configured(
        "coverage.minimum = 95\n", "assay.toml:1: coverage.minimum: expected a number <="
    ),
    "more than a hundred percent": configured(
        "gate.overall.min = 120\n", "assay.toml:1: gate.overall.min: expected a nu"
    ),
    "text for a list": configured("files.exclude = 'x'\n", "assay.toml:1: files.exclude: expected a list, got text"),
    "a pattern that matches nothing": configured(
        "files.exclude = [\n'a',\n'/']\n", "assay.toml:3: files.exclude: '/' is "
    ),
    "a pattern that leads out": configured(
        "files.exclude = ['../x']\n", "assay.toml:1: files.exclude: '../x' leads out"
    ),
    "an unknown role": configured("[files.roles]\n'a' = 'tests'\n", "assay.toml:2: files.roles.a: 'tests' is none of"),
    "a service without a folder": configured("[services.a]\n", "assay.toml:1: services.a: the key 'root' is missing"),
    "a folder that is missing": configured(
        "services.a.root = 'a'\n", "assay.toml:1: services.a.root: there is no folder"
    ),
    "a folder outside": configured(
        "services.a.root = '../a'\n", "assay.toml:1: services.a.root: expected a folder inside"
    ),
    "two services in one folder": configured(
        "services.a.root = '.'\nservices.b.root = './'\n", "assay.toml:2: services.b.root: the service 'a' has this"
    ),
    "an unknown rule": configured(
        "rules.disable = ['API999']\n", "assay.toml:1: rules.disable: there is no rule API999"
    ),
    "settings of an unknown rule": configured("[rules.API999]\n", "assay.toml:1: rules.API999: there is no such rule"),
    "settings of an analyzer's check": configured(
        "[rules.B101]\n", "assay.toml:1: rules.B101: an analyzer's check never counts; all that can be set is [rules]"
    ),
    "settings of what is no rule": configured("[rules.api401]\n", "assay.toml:1: rules.api401: that is no rule code"),
    "settings of a rule of one's own": configured(
        "[rules.ACME101]\n",
        "assay.toml:1: rules.ACME101: there is no such rule; rules of your own are read with --rules",
    ),
    "an unknown option of a rule": configured(
        "[rules.API402]\nmaximun = 1\n", "assay.toml:2: rules.API402.maximun: API402 has no such option; did you mean"
    ),
    "a wrong option of a rule": configured(
        "[rules.API402]\nmaximum = 'x'\n", "assay.toml:2: rules.API402.maximum: expected a whole number, got text"
    ),
    "an unknown severity": configured(
        "[rules.API402]\nseverity = 'hgih'\n", "assay.toml:2: rules.API402.severity: 'hgih'"
    ),
    "another edition": configured("\nedition = '1999'\n", "assay.toml:2: edition: this version of Assay holds edition"),
    "an edition without quotes": configured("edition = 2026.1\n", "assay.toml:1: edition: expected text, got a number"),
    "an unknown mode": configured("gate.mode = 'of'\n", "assay.toml:1: gate.mode: 'of' is none of enforce, warn"),
    "no base": configured("gate.new-since = ''\n", "assay.toml:1: gate.new-since: it is empty"),
    "less than none": configured("gate.new.high = -1\n", "assay.toml:1: gate.new.high: expected a whole number >= 0"),
    "neither a number nor any": configured(
        "gate.new.high = 'all'\n", "assay.toml:1: gate.new.high: 'all' is neither a "
    ),
    "an unknown section": configured(
        "[gate.sections]\nAPL = {}\n", "assay.toml:2: gate.sections.APL: the standard has no"
    ),
    "a principle for a section": configured(
        "gate.sections.API4 = {}\n", "assay.toml:1: gate.sections.API4: API4 is a pri"
    ),
    "a rule for a principle": configured(
        "gate.principles.API401 = {}\n", "assay.toml:1: gate.principles.API401: API401 is"
    ),
    "an unknown principle": configured(
        "gate.principles.API0 = {}\n", "assay.toml:1: gate.principles.API0: the standard"
    ),
    "an unknown principle of a service": configured(
        "services.a.root = '.'\n[services.a.gate.principles]\nDB99 = {}\n",
        "assay.toml:3: services.a.gate.principles.DB99: ",
    ),
    "a date that is none": configured(
        "[gate.rules]\nAPI401 = { from = '1 May' }\n", "assay.toml:2: gate.rules.API401.from: expected a date such as"
    ),
    "a time for a date": configured(
        "[gate.rules]\nAPI401 = { from = 10:00:00 }\n",
        "assay.toml:2: gate.rules.API401.from: expected a date, got a time",
    ),
    "a day that there isn't": configured(
        "gate.rules.API401.from = 2027-02-30\n", "assay.toml:1: it is not valid TOML: Inva"
    ),
    "an announced rule that there isn't": configured(
        "gate.rules.API499.from = 2027-01-01\n", "assay.toml:1: gate.rules.API499: there is no such rule"
    ),
    "the second entry of a list": configured(
        "[[gate.paths]]\npath = 'a'\n[[gate.paths]]\npth = 'b'\n",
        "assay.toml:4: gate.paths[1].pth: there is no such key",
    ),
    "a bad pattern in the gate": configured(
        "[[gate.paths]]\npath = 'a[z-a]'\n", "assay.toml:2: gate.paths[0].path: 'a[z-a]' is no pattern that could match"
    ),
    "days that are none": configured(
        "waivers.max-days = 0\n", "assay.toml:1: waivers.max-days: expected a whole number"
    ),
    "an attestation without an end": configured(
        "[attestations.DB3]\nby = 'x'\nstatement = 'x'\n",
        "assay.toml:1: attestations.DB3: the key 'expires' is missing",
    ),
    "an attestation of nobody": configured(
        "[attestations.DB3]\nby = ''\n", "assay.toml:2: attestations.DB3.by: it is empty"
    ),
    "an attestation of a rule": configured(
        "[attestations.API401]\nby = 'x'\nstatement = 'x'\nexpires = 2030-01-01\n",
        "assay.toml:1: attestations.API401: API401 is a rule, and this takes a principle",
    ),
    "extending what is missing": configured(
        "extends = ['no.toml']\n", "assay.toml:1: extends: there is no file 'no.toml'"
    ),
    "extending oneself": configured(
        "extends = ['assay.toml']\n", "assay.toml:1: extends: 'assay.toml' leads back to this"
    ),
    "extending no package": configured(
        "extends = ['no_such:x']\n", "assay.toml:1: extends: there is no installed package"
    ),
    "a mistake in pyproject": Mistake(
        "assay: pyproject.toml:2: tool.assay.gate.mod: there is no such key in [gate]; did you mean 'mode'?",
        {"pyproject.toml": "[tool.assay.gate]\nmod = 'warn'\n"},
    ),
    "two files in one folder": Mistake(
        "assay: assay.toml: pyproject.toml has a [tool.assay] too; keep one of the two",
        {"assay.toml": "[gate]\n", "pyproject.toml": "[tool.assay.gate]\n"},
    ),
    # --- waivers ---
    "waivers that are no TOML": Mistake(
        "assay: .assay/waivers.toml:1: it is not valid TOML", {".assay/waivers.toml": "waiver: none\n"}
    ),
    "one bracket": Mistake(
        "assay: .assay/waivers.toml:1: waiver: write each waiver as [[waiver]], with two brackets",
        {".assay/waivers.toml": "[waiver]\n"},
    ),
    "another table among waivers": Mistake(
        "assay: .assay/waivers.toml:1: waivers: only [[waiver]] entries belong here; did you mean 'waiver'?",
        {".assay/waivers.toml": "[[waivers]]\n"},
    ),
    "a waiver without a reason": waived("1: waiver[0].reason: waiver W-001 lacks it", reason=None),
    "a waiver without an owner": waived("1: waiver[0].owner: waiver W-001 lacks it", owner=None),
    "a waiver without an end": waived("1: waiver[0].expires: waiver W-001 lacks it", expires=None),
    "a waiver of nothing": waived("1: waiver: waiver W-001 names no subject, no path and no finding", subject=None),
    "a waiver of everything": waived("8: waiver[0].path: '!x' is a negation", subject=None, path='"!x"'),
    "a waiver of an unknown rule": waived("3: waiver[0].rule: there is no rule API499", rule='"API499"'),
    "a waiver with an unknown key": waived("9: waiver[0].expire: a waiver has no such key; did you", expire="1"),
    "a waiver with an empty reason": waived("5: waiver[0].reason: it is empty", reason='" "'),
    "a waiver's date in quotes": waived("8: waiver[0].expires: write the date without quotes", expires='"2027-01-31"'),
    "a waiver's date with a time": waived(
        "8: waiver[0].expires: expected a date, such as", expires="2027-01-31T00:00:00"
    ),
    "a waiver that holds too long": waived(
        "8: waiver[0].expires: 400 days after it was created; a waiver", expires=LATE
    ),
    "a waiver that ends before it begins": waived(
        "8: waiver[0].expires: 2020-01-01 comes before", expires="2020-01-01"
    ),
    "a waiver from the future": waived(f"7: waiver[0].created: {LATE} lies in the future", created=LATE, expires=LATE),
    "a waiver of no findings": waived("9: waiver[0].max: expected a whole number of findings, 1 or more", max="0"),
    "a waiver of no finding": waived("9: waiver[0].finding: a finding is named by 12 hex digits", finding='"xyz"'),
    "a waiver with a wrong id": waived("2: waiver[0].id: an id is letters, digits", id='"W 1"'),
    # --- the baseline ---
    "a baseline that is none": Mistake(
        "assay: .assay/baseline.jsonl:1: that is no entry of a baseline", {".assay/baseline.jsonl": "{}\n"}
    ),
    "a baseline with a merge in it": Mistake(
        "assay: .assay/baseline.jsonl:1: a merge was left unfinished here", {".assay/baseline.jsonl": "<<<<<<< HEAD\n"}
    ),
    "a baseline that isn't there": ordered(
        "there is no .assay/baseline.jsonl; `assay baseline create`", "baseline", "prune"
    ),
    # --- the command line ---
    "an unknown command": ordered("No such command 'scna'", "scna"),
    "an unknown option": ordered("No such option '--formt'", "scan", "--formt", "json"),
    "a path that isn't there": ordered("assay: there is no nowhere", "scan", "nowhere"),
    "a file for a folder": ordered(
        "assay: app.py is no folder; name the folder that holds it", "config", "check", "app.py"
    ),
    "no workers": ordered("Invalid value for '--jobs'", "scan", "--jobs", "0"),
    "an unknown format": ordered("Invalid value for '--format'", "scan", "--format", "pdf"),
    "a report in an unknown format": ordered("there is no format 'pdf'", "scan", "--report", "pdf=x.pdf"),
    "a report whose format nobody knows": ordered("'report' doesn't tell a format", "scan", "--report", "report"),
    "a report without a file": ordered("'json=' names no file", "scan", "--report", "json="),
    "two reports in one file": ordered("x is named twice", "scan", "--report", "json=x", "--report", "html=x"),
    "a report into no folder": ordered("there is no folder no; make it first", "scan", "--report", "json=no/x.json"),
    "a configuration that isn't there": ordered(
        "assay: no.toml: it can't be read: No such file", "scan", "--config", "no.toml"
    ),
    "a mistake in a named configuration": ordered(
        "assay: ci.toml:1: gat: there is no such key in the top level",
        "gate",
        "--config",
        "ci.toml",
        ci__toml="gat = 1\n",
    ),
    "a configuration, and none": ordered(
        "--isolated takes none", "scan", "--config", "ci.toml", "--isolated", ci__toml=""
    ),
    "rules that aren't there": ordered("Invalid value for '--rules'", "scan", "--rules", "no.py"),
    "libraries that are none": ordered(
        "assay: models.yaml: ", "scan", "--libraries", "models.yaml", models__yaml="- 1\n"
    ),
    "a revision that there isn't": ordered("git knows no revision 'no-such'", "gate", "--since", "no-such"),
    "a result that isn't there": ordered("Invalid value for '--from'", "gate", "--from", "no.json"),
    "a result that is none": ordered("assay: x.json: ", "gate", "--from", "x.json", x__json="{}"),
    "watching in a format that ends": ordered("--watch goes on and on", "scan", "--watch", "--format", "json"),
    "a CI that nobody knows": ordered("Invalid value for '--ci'", "init", "--ci", "travis"),
    "a rule that there isn't": ordered("no section, principle, rule or check API999", "explain", "API999"),
    "a waiver without any reason": ordered("Missing option '--reason'", "waive", "API401", "--owner", "@ada"),
    "a waiver until some day": ordered("'someday' is no date; write 2027-01-31", *WAIVE, "--expires", "someday"),
    "a waiver for ever": ordered("--expires: 400 days after it was created", *WAIVE, "--expires", "400d"),
    "an acceptance without a reason": ordered(
        "say why these findings may stay", "baseline", "accept", "--reason", " ", **{".assay/baseline__jsonl": ""}
    ),
}


@dataclass(frozen=True, slots=True)
class Told:
    code: int
    out: str
    err: str
    left: set[str]


def run(root: Path, *command: str) -> Told:
    """In this process: a hundred of its own would take minutes."""
    before = listing(root)
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(sys, "argv", ["assay", *command])
        for name in [name for name in os.environ if name.startswith("ASSAY_") or name == "CI"]:
            patch.delenv(name)
        patch.setenv("ASSAY_CACHE_DIR", str(root.parent / "cache"))
        try:
            cli.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            gc.enable()
    written = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return Told(code, written[0], written[1], listing(root) - before)


def made(root: Path, mistake: Mistake) -> Path:
    """A repository with the mistake in it."""
    repository = Repository.new(root)
    backend(repository.root)
    for path, text in mistake.files.items():
        repository.write(path, text)
    if "--since" in mistake.command or ".assay/waivers.toml" in mistake.files:
        repository.commit()
    return repository.root


@pytest.fixture(scope="module")
def everything_told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    folder = tmp_path_factory.mktemp("mistakes")
    cases = enumerate(MISTAKES.items())
    return {name: run(made(folder / str(number), mistake), *mistake.command) for number, (name, mistake) in cases}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told(name: str, everything_told: dict[str, Told]) -> None:
    told = everything_told[name]
    assert (told.code, told.out) == (2, ""), told.err
    beginning = MISTAKES[name].told
    assert told.err.startswith(beginning) if beginning.startswith("assay: ") else beginning in told.err, told.err
    assert "Traceback" not in told.err
    assert told.left == set(), "nothing is left behind"


@pytest.mark.parametrize("name", [name for name, mistake in MISTAKES.items() if mistake.told.startswith("assay: ")])
def test_it_is_one_line(name: str, everything_told: dict[str, Told]) -> None:
    assert everything_told[name].err.count("\n") == 1


@pytest.mark.parametrize(
    "name", [n for n, m in MISTAKES.items() if m.command == ("gate",) and n != "two files in one folder"]
)
def test_it_names_file_and_line(name: str, everything_told: dict[str, Told]) -> None:
    (file,) = MISTAKES[name].files
    assert re.match(rf"assay: {re.escape(file)}:\d+: ", everything_told[name].err)


def test_all_messages_are_their_own(everything_told: dict[str, Told]) -> None:
    """Without the place, which tells anything apart."""
    words = [re.sub(r"\S+:\d+: ", "", told.err) for told in everything_told.values()]
    assert len(set(words)) == len(words) >= 90


SOME = ("an unknown rule", "a waiver without a reason", "a baseline that is none", "an unknown command")


@pytest.mark.parametrize("name", SOME)
def test_the_same_in_a_process_of_its_own(name: str, tmp_path: Path, everything_told: dict[str, Told]) -> None:
    ended = run_assay(*MISTAKES[name].command, cwd=made(tmp_path / "tree", MISTAKES[name]))
    assert (ended.code, ended.out, ended.err) == (2, "", everything_told[name].err)
