"""What a scan tells of the repository: where it is seen on the web, and who owns the files that findings are in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.scanner.owners import PLACES, owners_in, parsed
from assay.scanner.web_address import web_address
from tests.repositories import Repository
from tests.running import run_assay

SHOP = "https://github.com/acme/shop"


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/acme/shop.git",
        "https://github.com/acme/shop",
        "https://github.com/acme/shop/",
        "https://user:secret@github.com/acme/shop.git",
        "https://x-access-token:ghs_secret@GitHub.com/acme/shop",
        "git@github.com:acme/shop.git",
        "github.com:acme/shop",
        "ssh://git@github.com:22/acme/shop.git",
        "git://github.com/acme/shop.git",
    ],
)
def test_however_a_remote_is_written_its_web_address_is_the_same(remote: str) -> None:
    assert web_address(remote) == SHOP


def test_a_web_server_keeps_its_port() -> None:
    assert web_address("https://ci-token:abc@git.acme.io:8443/a/b/c.git") == "https://git.acme.io:8443/a/b/c"


@pytest.mark.parametrize(
    "remote",
    [
        "",
        "/srv/git/shop.git",
        "../shop",
        "file:///srv/git/shop",
        "C:/git/shop",
        "javascript:alert(1)/x",
        "https://github.com/acme/<script>",
        "https://github.com/acme/../x",
        "https://user@evil.example@github.com/acme/shop",
        "https://github.com/acme/shop\nx",
        "git@builder:acme/shop",
    ],
)
def test_what_is_on_no_host_has_none(remote: str) -> None:
    assert web_address(remote) == ""


@given(st.text())
def test_nothing_but_harmless_signs_is_ever_in_it(remote: str) -> None:
    address = web_address(remote)
    assert not address or set(address) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:/._~+-")


CODEOWNERS = """\
# who looks after what
*            @acme/all   # unless below
/billing/    @acme/pay ops@acme.example
*.sql        @acme/data
docs/
/a\\ b.py     @acme/space
!no          @acme/none
[[[          @acme/none
/free.py     not-an-owner
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("app.py", ("@acme/all",)),
        ("billing/app.py", ("@acme/pay", "ops@acme.example")),
        ("x/billing/app.py", ("@acme/all",)),
        ("billing/a.sql", ("@acme/data",)),
        ("docs/a.md", ()),
        ("a b.py", ("@acme/space",)),
        ("no", ("@acme/all",)),
        ("free.py", ()),
    ],
)
def test_the_last_pattern_that_fits_names_the_owners(path: str, owners: tuple[str, ...]) -> None:
    assert parsed(CODEOWNERS).of(path) == owners


def test_sections_of_gitlab_each_name_owners_and_may_have_some_by_default() -> None:
    owners = parsed("* @all\n[Database][2] @dba\n/db/\n^[Docs] @writers\n/db/README.md @other\n")
    assert owners.of("db/models.py") == ("@all", "@dba")
    assert owners.of("db/README.md") == ("@all", "@dba", "@other")
    assert owners.of("app.py") == ("@all",)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    for owners in (parsed(text).of("a/b.py"), parsed(f"* {text}").of("a/b.py")):
        assert all(owner and not set(owner) & set(" \t\n") for owner in owners)


@pytest.mark.parametrize("place", PLACES)
def test_it_is_found_where_platforms_look_for_it(tmp_path: Path, place: str) -> None:
    file = tmp_path / place
    file.parent.mkdir(exist_ok=True)
    file.write_text("* @acme/all\n", encoding="utf-8")
    assert owners_in(tmp_path).of("x.py") == ("@acme/all",)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("* @acme/all\n", encoding="utf-8")
    top = tmp_path / "top"
    top.mkdir()
    (top / "CODEOWNERS").symlink_to(secret)
    assert owners_in(top).of("x.py") == ()


APP = """\
import logging

from fastapi import FastAPI

app = FastAPI()


@app.get("/login")
def login(token: str):
    logging.getLogger(__name__).info(f"token {token}")
    return {}
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Of a service that lies in a folder of a repository."""
    repository = Repository.new(tmp_path_factory.mktemp("repository"))
    repository.write("backend/app.py", APP)
    repository.write(".github/CODEOWNERS", "/backend/ @acme/backend\n")
    repository.git("remote", "add", "origin", "https://me:secret@github.com/acme/shop.git")
    repository.commit()
    done = run_assay("scan", "backend", "--no-cache", "--no-analyzers", "-f", "json", cwd=repository.root)
    assert done.code == 0, done.err
    assert "secret@" not in done.out
    loaded: dict[str, object] = json.loads(done.out)
    return loaded


def test_a_scan_tells_where_the_repository_is_seen(report: dict[str, object]) -> None:
    scanned = report["scanned"]
    assert isinstance(scanned, dict)
    assert scanned["web"] == SHOP
    assert scanned["prefix"] == "backend/"


def test_a_scan_tells_who_owns_the_files_with_findings(report: dict[str, object]) -> None:
    assert report["owners"] == {"app.py": ["@acme/backend"], ".": ["@acme/backend"]}


def test_a_service_is_its_whose_most_of_its_files_are() -> None:
    owners = parsed("*.py @ada @acme/core\n/shop/ @acme/shop\n/shop/pay/ @acme/pay @acme/shop\n/tools/\n")
    files = ("app.py", "shop/a.py", "shop/b.py", "shop/pay/a.py", "tools/x.py", "tools/y.py", "tools/z.md")
    roots = (".", "shop", "shop/pay", "tools", "shopping")
    assert owners.teams(roots, files, "") == {".": "@acme/core", "shop": "@acme/shop", "shop/pay": "@acme/pay"}
    assert owners.teams(["."], ["a.py", "b.py"], "shop/") == {".": "@acme/shop"}
    assert owners.teams(["."], ["b.md", "a.py"], "") == {".": "@acme/core"}
    assert parsed("").teams(["."], files, "") == {}


def test_the_configuration_may_name_another_team(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    for team in ("Shop team", "@acme/shop"):
        (tmp_path / "assay.toml").write_text(f'[services.shop]\nroot = "."\nteam = "{team}"\n', encoding="utf-8")
        done = run_assay("scan", "--no-analyzers", "--cache-dir", "cache", "-f", "json", cwd=tmp_path)
        assert json.loads(done.out)["owners"] == {".": [team]}
