"""Path templates in the notations of frameworks, the words of names, and the styles that a configuration asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

import assay.rules
from assay.scanner.config import load_config
from assay.scanner.engine import Options, scan
from assay.scanner.executors import InlineExecutor
from assay.scanner.model.naming import NameStyle
from assay.scanner.naming.templates import template_of
from assay.scanner.naming.words import style_of, verb_of
from assay.scanner.rulebook import load_rulebook
from assay.scanner.verdicts import Kind

RULEBOOK = load_rulebook(assay.rules)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/users/{id}", "/users/{id}"),
        ("/users/{id:int}/", "/users/{id}/"),
        ("/files/{path:path}", "/files/{path}"),
        ("/users/<int:id>", "/users/{id}"),
        ("users/<name>", "/users/{name}"),
        (r"^users/(?P<pk>[^/.]+)/$", "/users/{pk}/"),
        ("/{int:id}", "/{id}"),
        ("<language>/about/", "/{language}/about/"),
        ("", "/"),
        ("/{", "/{}"),
    ],
)
def test_templates_are_written_alike(path: str, text: str) -> None:
    assert template_of(path).text == text


@pytest.mark.parametrize(
    ("first", "second", "takes_all"),
    [
        ("/users/{id}", "/users/me", True),
        ("/users/{id:int}", "/users/me", False),
        ("/users/{id:int}", "/users/12", True),
        ("/users/<name>", "/users/<int:id>", True),
        ("/users/<int:id>", "/users/<name>", False),
        ("/users/<slug:name>", "/users/<uuid:id>", True),
        ("/files/{path:path}", "/files/a/{name}", True),
        ("/files/{path:path}", "/files", False),
        ("/{id}/items", "/users/{id}", False),
        ("/{name}.json", "/users.json", False),
        ("<language>/", "api/", False),
        (r"^users/(?P<pk>[^/.]+)/$", "users/me/", True),
        (r"^users/(?P<pk>\d+)", "users/12", False),
    ],
)
def test_what_a_template_takes_of_another(first: str, second: str, takes_all: bool) -> None:
    assert template_of(first).takes_all_of(template_of(second)) is takes_all


@pytest.mark.parametrize(
    ("name", "style"),
    [
        ("line-items", NameStyle.KEBAB),
        ("line_items", NameStyle.SNAKE),
        ("lineItems", NameStyle.CAMEL),
        ("LineItems", NameStyle.PASCAL),
        ("Line_items", NameStyle.MIXED),
        ("items", None),
        ("oauth2", None),
        ("filter[name]", None),
        ("created_at__gt", NameStyle.SNAKE),
    ],
)
def test_styles(name: str, style: NameStyle | None) -> None:
    assert style_of(name) is style


@pytest.mark.parametrize(
    ("segments", "verb"),
    [
        (["users", "create"], "create"),
        (["getUsers"], "get"),
        (["users", None, "set-price"], "set"),
        (["users", "list"], "list"),
        (["lists", None], None),
        (["settings"], None),
        (["email-update"], None),
        (["update-history"], None),
        (["set-password"], None),
        (["bulk", "delete"], None),
        ([None], None),
    ],
)
def test_verbs(segments: list[str | None], verb: str | None) -> None:
    assert verb_of(segments, len(segments) - 1) == verb


def test_a_configured_style_counts_whatever_most_names_look_like(tmp_path: Path) -> None:
    (tmp_path / "assay.toml").write_text('[rules.API202]\nsegments = "camel"\n')
    (tmp_path / "app.py").write_text(
        "from fastapi import FastAPI\napp = FastAPI()\n"
        '@app.get("/sales-orders")\ndef orders() -> list[str]: ...\n'
        '@app.get("/creditNotes")\ndef notes() -> list[str]: ...\n'
    )
    options = Options(load_config(tmp_path, RULEBOOK), jobs=1, analyzers=False, make_pool=lambda _: InlineExecutor())
    found = {v.location.line: v.kind for v in scan(tmp_path, RULEBOOK, {}, options).verdicts if v.rule == "API202"}
    assert found == {3: Kind.FAIL, 5: Kind.PASS}
