"""The pipeline as a whole: what the configuration says holds for verdicts, scores and reports alike."""

from __future__ import annotations

from pathlib import Path

import assay.rules
from assay.scanner.config import Config, RuleConfig, RulesConfig
from assay.scanner.engine import Options, scan, understand
from assay.scanner.executors import InlineExecutor
from assay.scanner.results import ScanResult
from assay.scanner.rulebook import load_rulebook
from assay.scanner.verdicts import Severity

OPEN_LIST = """from fastapi import FastAPI
\f
from db import User, session

app = FastAPI()


@app.get("/users")
def users(limit: int = 10) -> list[dict]:
    return session.query(User).order_by(User.id).limit(limit).all()
"""


def scanned(root: Path, config: Config) -> ScanResult:
    options = Options(config, jobs=1, analyzers=False, make_pool=lambda _: InlineExecutor())
    return scan(root, load_rulebook(assay.rules), {}, options)


def cap_of(result: ScanResult, principle: str) -> int | None:
    (service,) = result.services
    return next(p.cap for s in service.sections for p in s.principles if p.id == principle)


def test_a_configured_severity_counts_in_the_score_too(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(OPEN_LIST)
    critical = Config(rules=RulesConfig(rules={"API402": RuleConfig(severity=Severity.CRITICAL)}))
    result = scanned(tmp_path, critical)
    assert {v.severity for v in result.verdicts if v.rule == "API402"} == {Severity.CRITICAL}
    assert cap_of(result, "API4") == 39
    assert cap_of(scanned(tmp_path, Config()), "API4") == 79


def test_code_is_cited_by_the_lines_that_python_counts(tmp_path: Path) -> None:
    """A form feed ends no line of Python."""
    (tmp_path / "app.py").write_text(OPEN_LIST)
    result = scanned(tmp_path, Config())
    (finding,) = [v for v in result.findings if v.rule == "API402"]
    assert "def users(" in result.line("app.py", finding.location.line)


def test_services_in_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for team in ("billing", "shop"):
        folder = tmp_path / team / "api"
        folder.mkdir(parents=True)
        (folder / "requirements.txt").write_text("fastapi\n")
        (folder / "app.py").write_text(OPEN_LIST)
    result = scanned(tmp_path, Config())
    assert [s.name for s in result.services] == ["billing/api", "shop/api"]
    assert {v.service for v in result.verdicts} == {"billing/api", "shop/api"}


def test_a_service_is_where_its_own_application_is(tmp_path: Path) -> None:
    """Not where that of a service in its folder is, be it ever so near to the root."""
    deep, nested = tmp_path / "src" / "shop" / "web", tmp_path / "worker"
    for folder in (deep, nested):
        folder.mkdir(parents=True)
        (folder / "app.py").write_text(OPEN_LIST)
    (nested / "requirements.txt").write_text("fastapi\n")
    known = understand(tmp_path, Options(analyzers=False, make_pool=lambda _: InlineExecutor()))
    assert [(s.root, s.location.path) for s in known.linked.services] == [
        (".", "src/shop/web/app.py"),
        ("worker", "worker/app.py"),
    ]
