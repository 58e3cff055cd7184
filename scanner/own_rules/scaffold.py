"""A new rule to begin with: its file and its cases, which pass as they are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from assay.scanner.own_rules.errors import OwnRuleError
from assay.scanner.own_rules.headings import headings_in
from assay.scanner.rulebook import CODE, Standard

__all__ = ["new_rule"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")


def new_rule(folder: Path, code: str, name: str, standard: Standard, *, is_data: bool) -> Mapping[Path, str]:
    """The files to write, by path, with their contents; none of them is there yet. Raises OwnRuleError."""
    match = CODE.fullmatch(code)
    if match is None:
        raise OwnRuleError(
            code, "that is no rule code; it takes letters, the principle's digit and two digits: ACME101"
        )
    if match["section"] in {section.id for section in standard.sections if not section.is_own}:
        section = match["section"]
        raise OwnRuleError(
            code, f"{section} is a section of the standard; give your rules letters of their own: ACME101"
        )
    if _NAME.fullmatch(name) is None:
        raise OwnRuleError(
            name, "that is no name of a rule; say what is bad in small letters: unsigned-billing-endpoint"
        )
    principle = code[:-2]
    statement = _statement(folder, principle) or "billing endpoints ask who is calling."
    file = folder / f"{name.replace('-', '_')}{'.yaml' if is_data else '.py'}"
    template, cases = (_DATA, _DATA_CASES) if is_data else (_PYTHON, _CASES)
    words = {"CODE": code, "PRINCIPLE": principle, "NAME": name, "FUNCTION": name.replace("-", "_")}
    texts = {file: _filled(template, words | {"STATEMENT": statement})}
    texts |= {folder / "cases" / code / f"{outcome}.py": text for outcome, text in cases.items()}
    there = [path for path in (file, folder / "cases" / code) if path.exists()]
    if there:
        raise OwnRuleError(str(there[0]), "it is there already; take another name, or another code")
    return texts


def _statement(folder: Path, principle: str) -> str | None:
    """What a rule file beside it says of the principle: two files must not say different things."""
    for file in sorted(folder.glob("*.py")):
        try:
            docstring = ast.get_docstring(ast.parse(file.read_bytes())) or ""
        except (OSError, SyntaxError, ValueError):
            continue
        for heading in headings_in(docstring, str(file)):
            if heading.id == principle:
                return heading.text
    return None


def _filled(template: str, words: Mapping[str, str]) -> str:
    return re.sub("|".join(f"<{word}>" for word in words), lambda match: words[match[0][1:-1]], template)


def written(texts: Mapping[Path, str]) -> Iterator[Path]:
    """Write the files, and give their paths as they are written. Raises UnwritableError."""
    from assay.scanner.output import UnwritableError, write_text

    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnwritableError(f"{path.parent}: {error.strerror or error}") from error
        write_text(path, text)
        yield path


_PYTHON = '''\
"""<PRINCIPLE>: <STATEMENT>"""

from __future__ import annotations

from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule("<CODE>", severity=Severity.HIGH)
def <FUNCTION>(endpoint: Endpoint, service: Service) -> Verdict:
    """A billing endpoint answers anybody.

    Why: say here what harm it does.
    Fix: say here what to do about it.
    """
    if not endpoint.path.startswith("/billing"):
        return not_applicable("it has nothing to do with billing")
    if endpoint.auth:
        return passed("it asks who is calling", *endpoint.guards)
    if endpoint.unresolved_guards:
        return review("does this ask who is calling?", *endpoint.unresolved_guards)
    return fail(f"{endpoint.label} answers anybody")
'''

_CASES = {
    "fail": """\
from fastapi import FastAPI

app = FastAPI()


@app.post("/billing/refunds")
def refund() -> dict[str, str]:  # expect: fail
    return {"status": "done"}
""",
    "pass": """\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBearer

app = FastAPI()


def current_user(token=Depends(HTTPBearer())) -> str:  # evidence
    if token.credentials != "known":
        raise HTTPException(401)
    return "ann"


@app.post("/billing/refunds", dependencies=[Depends(current_user)])
def refund() -> dict[str, str]:  # expect: pass
    return {"status": "done"}
""",
    "review": """\
from acme import signed_in
from fastapi import Depends, FastAPI

app = FastAPI()


@app.post("/billing/refunds", dependencies=[Depends(signed_in)])  # evidence
def refund() -> dict[str, str]:  # expect: review
    return {"status": "done"}
""",
    "not_applicable": """\
from fastapi import FastAPI

app = FastAPI()


@app.get("/prices")
def prices() -> dict[str, int]:  # expect: notApplicable
    return {"tea": 3}
""",
}

_DATA = """\
principles:
  <PRINCIPLE>: <STATEMENT>

rules:
  - code: <CODE>
    name: <NAME>
    title: A billing endpoint answers anybody.
    severity: high
    subject: endpoint
    where: {path: /billing/**}
    require: {auth: true}
    why: Say here what harm it does.
    fix: Say here what to do about it.
"""

_DATA_CASES = {
    "fail": _CASES["fail"].replace("# expect: fail", "# expect: fail  # evidence"),
    "pass": _CASES["pass"].replace("  # evidence", "").replace("# expect: pass", "# expect: pass  # evidence"),
    "not_applicable": _CASES["not_applicable"],
}
