"""Data rules: what is wrong with them, and what they say of real shapes of code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assay.scanner.model.call import Argument, FunctionCall
from assay.scanner.model.patterns import Patterns
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.own_rules.data.attributes import attributes_of, nouns
from assay.scanner.own_rules.data.conditions import AllOf, ArgumentGiven
from assay.scanner.own_rules.data.judging import DataJudge, Demand, Message
from assay.scanner.own_rules.data.loading import _Rule, load_data
from assay.scanner.own_rules.errors import OwnRuleError
from assay.scanner.results import ScanResult
from assay.scanner.rulebook import RuleFormat, RuleSource
from assay.scanner.verdicts import Kind
from tests.own_rules import DATA, problem_of, rule_with, scanned, written

MISTAKES = {
    "no YAML": ("rules: [", ":1: it is no YAML"),
    "an empty file": ("", ": the file is empty"),
    "a list": ("- 1\n", ":1: expected keys and values, got a list"),
    "no rules": ("principles: {}\n", ":1: the key 'rules' is missing"),
    "rules that are none": ("rules: []\n", ":1: rules: expected a list of length >= 1"),
    "an unknown key": ("ruls: []\n", ":1: there is no key 'ruls' here; did you mean 'rules'?"),
    "an unknown key of a rule": (
        rule_with(sverity="low"),
        ":12: there is no key 'sverity' here; did you mean 'severity'?",
    ),
    "a key twice": (f"{DATA}    fix: Again.\n", ":12: the key 'fix' is there twice"),
    "no severity": (rule_with(severity=None), ":4: the key 'severity' is missing"),
    "an unknown severity": (rule_with(severity="hgih"), ":7: 'hgih' is none of critical, high, medium, low"),
    "a number for text": (rule_with(title="3"), ":6: title: expected text, got a whole number"),
    "a bad code": (rule_with(code="acme201"), ":4: 'acme201' is no rule code; one looks like ACME101"),
    "a bad name": (rule_with(name="Open Endpoint"), ":5: 'Open Endpoint' is no name of a rule"),
    "the standard's code": (DATA.replace("ACME", "DB"), ":4: DB201: DB is a section of the standard"),
    "an unknown principle": (DATA.replace("ACME2:", "ACME3:"), ":4: ACME201 belongs to ACME2, and nothing says"),
    "a principle that is none": (DATA.replace("ACME2:", "acme2:"), ":2: 'acme2' names none of the principles"),
    "an unknown subject": (
        rule_with(subject="endpiont"),
        ":8: there is no subject 'endpiont'; did you mean 'endpoint'?",
    ),
    "no subject": (rule_with(subject=None), ":4: ACME201 says nothing of its subject; write `subject: endpoint`"),
    "no demand": (rule_with(require=None), ":4: ACME201 demands nothing"),
    "an empty demand": (rule_with(require="{}"), ":9: it says nothing"),
    "an unknown attribute": (
        rule_with(require="{auht: true}"),
        ":9: an endpoint has no attribute 'auht'; did you mean 'auth'?",
    ),
    "an identity": (rule_with(require="{subject_id: x}"), ":9: an endpoint has no attribute 'subject_id'"),
    "a private attribute": (rule_with(require="{_reads: x}"), ":9: an endpoint has no attribute '_reads'"),
    "an attribute of a part": (
        rule_with(require="{reads: {bund: limited}}"),
        ":9: a collection read has no attribute 'bund'; did you mean 'bound'?",
    ),
    "a part as text": (
        rule_with(require="{guards: login}"),
        ":9: 'guards' is true or false (there or not), or says what",
    ),
    "a value that is never there": (rule_with(where="{kind: jsn}"), ":12: 'kind' is never 'jsn'; did you mean 'json'?"),
    "text for a flag": (rule_with(require="{is_read: 'yes'}"), ":9: 'is_read' is true or false, not 'yes'"),
    "text for a number": (
        rule_with(require="{status_codes: ok}"),
        ":9: 'status_codes' is a number, or compared with one",
    ),
    "a number for a pattern": (rule_with(require="{path: 3}"), ":9: 3 is no pattern; put it into quotes"),
    "no patterns": (rule_with(require="{path: []}"), ":9: the list is empty"),
    "unless of nothing": (
        rule_with(require="{auth: true, unless: x}"),
        ":9: here stand attributes and what they are to be",
    ),
    "unless of an unknown": (
        rule_with(require="{auth: true, unless: [{pth: /x}]}"),
        ":9: an endpoint has no attribute 'pth'; did you mean 'path'?",
    ),
    "a call of an endpoint": (rule_with(forbid="{call: os.system}"), ":12: only function calls have a `call`"),
    "a call that isn't named": (
        rule_with(subject="function call", require="{argument: timeout}"),
        ":8: a rule about function calls says which, as in `call: requests.*`",
    ),
    "a call that is no name": (
        rule_with(subject=None, require=None, forbid="{call: 'os system()'}"),
        ":10: 'os system()' is no dotted name",
    ),
    "a call twice": (
        rule_with(subject=None, require=None, where="{call: os.system}", forbid="{call: os.popen}"),
        ":11: the call is named in `where` already",
    ),
    "arguments of two values": (
        rule_with(subject=None, require=None, forbid="{call: os.popen, argument: {a: 1, b: 2}}"),
        ":10: here stands one argument with its value",
    ),
    "an unknown word in a message": (
        rule_with(message="'{lable} is open'"),
        ":12: {lable} is nothing that can be put into the message; did you mean 'label'?",
    ),
    "a brace in a message": (
        rule_with(message="'{label is open'"),
        ":12: expected '}' before end of string; write {{ and }}",
    ),
    "a weight": (f"{DATA}weights: {{ACME: 200}}\n", ":12: weights: expected a number <= 100.0"),
    "a weight of nothing": (f"{DATA}weights: {{ACNE: 2}}\n", ":12: no rule is in a section ACNE; did you mean 'ACME'?"),
    "an alias in itself": ("&a [*a]\n", ":1: an alias stands inside of what it stands for"),
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("app")
    written(
        root / "app.py",
        """\
        import logging
        import os
        import requests as http
        from acme import audited
        from fastapi import FastAPI
        from requests import Session as Connection, get as fetch
        from clients import Client, shared

        app = FastAPI()
        LEVEL = os.environ["LOG_LEVEL"]
        log = logging.getLogger(__name__)

        @app.get("/api/v1/users")
        async def users(limit: int = 5) -> list[str]:
            http.get("https://a.example", timeout=3)
            http.get("https://b.example", timeout=None)
            fetch("https://c.example", verify=False)
            shared.post("https://d.example", None, {}, verify=VERIFY)
            Connection().get("https://e.example", **OPTIONS)
            return []

        @app.post("/api/v2/users", status_code=201)
        @audited(level=2)
        def create() -> dict[str, str]:
            log.error("failed")
            Client().ask("x", 7)
            return {}
        """,
    )
    written(
        root / "clients.py",
        """\
        import requests

        shared = requests.Session()

        class Client:
            def ask(self, what, limit=3):
                return shared.get(what, timeout=limit)
        """,
    )
    return root


class TestDataRules:
    @pytest.mark.parametrize("mistake", MISTAKES)
    def test_a_mistake_is_told_with_file_and_line(self, mistake: str, tmp_path: Path) -> None:
        text, expected = MISTAKES[mistake]
        assert problem_of(written(tmp_path / "mine.yaml", text)).startswith(f"{tmp_path / 'mine.yaml'}{expected}")

    def test_every_noun_has_attributes_that_can_be_asked_for(self) -> None:
        assert [name for name, noun in nouns().items() if len(attributes_of(noun)) < 3] == []
        assert {"endpoint", "table", "setting", "outbound call", "log call", "SQL site", "task", "service"} <= set(
            nouns()
        )

    def judged(self, app: Path, folder: Path, **rule: str | None) -> list[tuple[str, str]]:
        """What a rule says, in order of place: the subject's label and the verdict."""
        result = scanned(app, written(folder / "mine.yaml", rule_with(**rule)))
        assert [str(d) for d in result.diagnostics] == []
        return [(v.subject.label, v.kind.value) for v in result.verdicts]

    def calls(self, app: Path, folder: Path, forbid: str, where: str = "{}") -> list[tuple[str, str]]:
        return self.judged(app, folder, subject=None, require=None, where=where, forbid=forbid)

    def test_calls_are_found_by_whatever_name_they_are_called(self, app: Path, tmp_path: Path) -> None:
        assert self.calls(app, tmp_path, "{call: [requests.get, requests.Session.*], unless: {argument: timeout}}") == [
            ("requests.get in app:users", "pass"),
            ("requests.get in app:users", "pass"),
            ("requests.get in app:users", "fail"),
            ("requests.Session.post in app:users", "fail"),
            ("requests.Session.get in app:users", "review"),
            ("requests.Session.get in clients:Client.ask", "pass"),
        ]

    def test_a_name_that_is_assigned_stands_for_the_function(self, tmp_path: Path) -> None:
        text = "import requests\n\nfetch = requests.get\n\ndef f():\n    fetch('https://x.example')\n"
        written(tmp_path / "app" / "app.py", f"from fastapi import FastAPI\n{text}\napp = FastAPI()\n")
        for pattern in ("requests.get", "requests.*"):
            assert self.calls(tmp_path / "app", tmp_path, f"{{call: {pattern}}}") == [("requests.get in app:f", "fail")]

    def test_what_is_excluded_is_no_subject(self, app: Path, tmp_path: Path) -> None:
        found = self.calls(app, tmp_path, '{call: ["requests.*", "!requests.get"]}')
        assert found == [("requests.Session in app:users", "fail"), ("requests.Session in clients", "fail")]

    def test_arguments_are_known_by_value(self, app: Path, tmp_path: Path) -> None:
        found = self.calls(app, tmp_path, '{call: ["requests.**", "!requests.Session"], argument: {verify: false}}')
        assert [kind for _, kind in found] == ["pass", "pass", "fail", "review", "review", "pass"]
        found = self.calls(app, tmp_path, "{call: requests.get, unless: {argument: {timeout: '!None'}}}")
        assert [kind for _, kind in found] == ["pass", "fail", "fail"]

    def test_arguments_are_known_by_place_and_by_parameter(self, app: Path, tmp_path: Path) -> None:
        assert self.calls(app, tmp_path, "{call: clients.Client.ask, unless: {argument: limit}}") == [
            ("clients.Client.ask in app:create", "pass")
        ]
        assert self.calls(app, tmp_path, "{call: clients.Client.ask, argument: {1: 7}}") == [
            ("clients.Client.ask in app:create", "fail")
        ]

    def test_a_call_that_is_forbidden_without_more(self, app: Path, tmp_path: Path) -> None:
        assert self.calls(app, tmp_path, "{call: logging.getLogger}") == [("logging.getLogger in app", "fail")]

    def test_where_and_require_say_the_same_of_calls(self, app: Path, tmp_path: Path) -> None:
        found = self.judged(
            app, tmp_path, subject="function call", where="{call: requests.get}", require="{argument: timeout}"
        )
        assert [kind for _, kind in found] == ["pass", "pass", "fail"]

    def test_endpoints_by_path_method_and_decorator(self, app: Path, tmp_path: Path) -> None:
        where, require = "{path: /api/**, method: ['!GET']}", "{decorator: acme.*}"
        assert self.judged(app, tmp_path, where=where, require=require) == [
            ("GET /api/v1/users", "notApplicable"),
            ("POST /api/v2/users", "pass"),
        ]

    @pytest.mark.parametrize(
        ("subject", "require", "kinds"),
        [
            ("endpoint", "{path: /api/*/users}", ["pass", "pass"]),
            ("endpoint", "{path: /api/*}", ["fail", "fail"]),
            ("endpoint", "{path: [/api/v1/**, /x]}", ["pass", "fail"]),
            ("endpoint", "{status_codes: 201}", ["fail", "pass"]),
            ("endpoint", "{status_codes: '>= 200'}", ["fail", "pass"]),
            ("endpoint", "{returns_collection: false}", ["fail", "pass"]),
            ("endpoint", "{auth: false}", ["pass", "pass"]),
            ("endpoint", "{location: {path: app.py}}", ["pass", "pass"]),
            ("endpoint", "{auth: true, unless: [{method: GET}, {method: PUT}]}", ["pass", "fail"]),
            ("Log call", "{level: [warning, error]}", ["pass"]),
            ("setting", "{variables: LOG_*}", ["pass"]),
            ("function", "{is_async: true, unless: {name: 'app:create'}}", ["pass", "pass", "fail"]),
            ("function", "{parameters: [limit]}", ["pass", "fail", "pass"]),
            ("service", "{frameworks: FastAPI, endpoints: {path: /health}}", ["fail"]),
            ("service", "{endpoints: {path: /api/**, method: POST}}", ["pass"]),
        ],
    )
    def test_nouns_are_asked_by_their_attributes(
        self, subject: str, require: str, kinds: list[str], app: Path, tmp_path: Path
    ) -> None:
        assert [kind for _, kind in self.judged(app, tmp_path, subject=subject, require=require)] == kinds

    def test_what_it_says_names_what_is_there(self, app: Path, tmp_path: Path) -> None:
        rules = written(tmp_path / "mine.yaml", rule_with(message="'{method} {path} {status_codes} {{}}'"))
        said = [(v.message, [e.text for e in v.evidence]) for v in scanned(app, rules).verdicts]
        assert said == [
            ("GET /api/v1/users  {}", ["`auth` is empty"]),
            ("POST /api/v2/users 201 {}", ["`auth` is empty"]),
        ]

    def test_a_call_keeps_its_identity_when_lines_move_and_other_rules_come(self, app: Path, tmp_path: Path) -> None:
        rules = written(tmp_path / "mine.yaml", rule_with(subject=None, require=None, forbid="{call: requests.get}"))
        more = written(
            tmp_path / "more.yaml",
            rule_with(code="ACME202", subject=None, require=None, forbid="{call: '**'}"),
        )
        moved = written(tmp_path / "app" / "app.py", "# moved\n\n" + (app / "app.py").read_text(encoding="utf-8"))
        written(moved.parent / "clients.py", (app / "clients.py").read_text(encoding="utf-8"))

        def marks(result: ScanResult) -> set[str]:
            return {v.fingerprint for v in result.verdicts if v.rule == "ACME201"}

        assert len(marks(scanned(app, rules))) == 3
        assert marks(scanned(app, rules)) == marks(scanned(moved.parent, rules, more))

    def test_paths_begin_with_a_slash_where_the_framework_writes_none(self, tmp_path: Path) -> None:
        written(tmp_path / "app" / "manage.py", "from django.core.management import execute_from_command_line\n")
        written(tmp_path / "app" / "settings.py", 'ROOT_URLCONF = "urls"\n')
        written(
            tmp_path / "app" / "urls.py",
            """\
            from django.http import JsonResponse
            from django.urls import path

            def users(request):
                return JsonResponse({})

            urlpatterns = [path("api/users/", users)]
            """,
        )
        assert self.judged(tmp_path / "app", tmp_path, require="{path: /api/**}") == [("ANY api/users/", "pass")]

    def test_nothing_is_looked_for_that_no_rule_asks_for(self, app: Path, tmp_path: Path) -> None:
        rules = written(tmp_path / "mine.yaml", rule_with(subject="service", require="{functions: true}"))
        (verdict,) = scanned(app, rules).verdicts
        assert verdict.kind is Kind.FAIL


KEYS = st.sampled_from(
    [*"rules code name title severity why fix subject where forbid require unless message cwe roles call".split(),
     *"argument path auth kind reads location callee principles sections weights ACME ACME2 timeout x".split()]
)  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.dates(),
    st.sampled_from(["ACME201", "endpoint", "function call", "requests.*", "!GET", "<= 3", "{label}", "high"]),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)


class TestWhateverIsWritten:
    """A file is read, or refused with its name; nothing else happens."""

    @staticmethod
    def refused_or_read(text: str) -> None:
        problem = "mine.yaml: none"
        try:
            load_data(RuleSource(RuleFormat.DATA, "mine.yaml", text.encode("utf-8", "surrogatepass")))
        except OwnRuleError as error:
            problem = str(error)
        assert re.match(r"mine\.yaml(:\d+)?: \S", problem)

    @given(VALUES)
    def test_as_a_file(self, value: object) -> None:
        self.refused_or_read(yaml.safe_dump(value))

    @given(st.dictionaries(st.sampled_from(_Rule.__struct_fields__), VALUES, max_size=4))
    def test_as_a_rule(self, changes: dict[str, object]) -> None:
        document = yaml.safe_load(DATA)
        document["rules"][0].update(changes)
        self.refused_or_read(yaml.safe_dump(document))

    @given(st.text(max_size=40))
    def test_as_text(self, text: str) -> None:
        self.refused_or_read(text)


class TestPatterns:
    PART = st.text(alphabet=st.characters(exclude_characters="*?!/."), min_size=1, max_size=8)

    @given(st.text(max_size=20).filter(lambda text: not text.startswith("!") and "*" not in text and "?" not in text))
    def test_a_text_without_wildcards_matches_itself_alone(self, text: str) -> None:
        assert Patterns((text,)).match(text)
        assert not Patterns((text,)).match(f"{text}x")
        assert not Patterns((f"!{text}",)).match(text)

    @given(st.lists(PART, min_size=1, max_size=5), st.sampled_from("/."))
    def test_a_star_is_one_part_and_two_are_any(self, parts: list[str], separator: str) -> None:
        text = separator.join(parts)
        assert Patterns(("**",)).match(text)
        assert Patterns(("*",)).match(text) is (len(parts) == 1)
        assert Patterns((separator.join("*" for _ in parts),)).match(text)
        assert Patterns((f"{parts[0]}**",)).match(text)

    @given(st.lists(PART, max_size=4), st.lists(PART, max_size=4))
    def test_none_of_the_unwanted_may_be_there(self, texts: list[str], unwanted: list[str]) -> None:
        patterns = Patterns(tuple(f"!{text}" for text in unwanted))
        assert patterns.match(*texts) is set(texts).isdisjoint(unwanted)

    def test_nothing_in_a_pattern_is_a_regular_expression(self) -> None:
        assert not Patterns(("/users/(.+)",)).match("/users/7")
        assert Patterns(("/users/{id}/[a]",)).match("/users/{id}/[a]")


class TestDoubt:
    @given(st.booleans(), st.booleans())
    def test_a_call_with_double_star_is_never_a_fail(self, is_given: bool, is_open: bool) -> None:
        place = Location("app.py", 1, 1, 1, 2)
        arguments = (Argument("timeout", "3"),) if is_given else ()
        call = FunctionCall("requests.get", "app:f", 1, place, Role.PROD, arguments, is_open)
        excuse = AllOf((ArgumentGiven(Patterns(("timeout",))),))
        judge = DataJudge(AllOf(()), (Demand(AllOf(()), is_forbidden=True, unless=(excuse,)),), Message("{callee}"))
        expected = Kind.PASS if is_given else Kind.REVIEW if is_open else Kind.FAIL
        assert judge(call).kind is expected
