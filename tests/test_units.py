"""Trees of several services: each is linked with what it sees, alone, and the whole is the same as before."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

import assay.rules
from assay.scanner.cache import Cache
from assay.scanner.config import Config
from assay.scanner.engine import Options, scan
from assay.scanner.executors import InlineExecutor
from assay.scanner.libraries import packaged_libraries
from assay.scanner.link import units_of_tree
from assay.scanner.profiling import Profile
from assay.scanner.readers.python.form import Mentions
from assay.scanner.readers.python.reader import read
from assay.scanner.recall import Recall
from assay.scanner.results import ScanResult
from assay.scanner.rulebook import load_rulebook

SAMPLES = Path(__file__).parent.parent / "fixtures" / "frameworks"
RULEBOOK = load_rulebook(assay.rules)
API = """\
from fastapi import FastAPI
from {name}.telling import tell

app = FastAPI()


@app.get("/{name}")
def {name}():
    tell("{name}")
    return []
"""
TELLING = """\
def tell(what):
    print(what)
"""


def tree_of(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def two_services(root: Path) -> Path:
    return tree_of(
        root,
        {
            "orders/requirements.txt": "",
            "orders/api.py": API.replace("{name}", "orders"),
            "users/requirements.txt": "",
            "users/api.py": API.replace("{name}", "users"),
            "orders/telling.py": TELLING,
            "users/telling.py": TELLING,
        },
    )


def scanned(tree: Path, cache: Path | None = None, jobs: int = 1) -> tuple[ScanResult, Profile]:
    profile = Profile()
    recall = Recall(Cache.open(cache)) if cache is not None else None
    return scan(tree, RULEBOOK, {}, Options(Config(), jobs, False, recall=recall, profile=profile)), profile


def units(sources: dict[str, str]) -> dict[str, set[str]]:
    """The modules of each, by its roots; every folder with an `app.py` is a project."""
    mentions: dict[str, Mentions] = {path: read(text.encode()).mentions for path, text in sources.items()}
    paths = {*sources, *(p.replace("app.py", "requirements.txt") for p in sources if p.endswith("/app.py"))}
    return {" ".join(unit.roots): set(unit.modules) for unit in units_of_tree(mentions, {}, frozenset(paths))}


def test_what_code_speaks_of_stays_with_it() -> None:
    found = units(
        {
            "a/app.py": "from fastapi import FastAPI\nfrom lib.one import x\nfrom ns.part import guards\n",
            "b/app.py": "import flask\nimport other.two\n",
            "lib/__init__.py": "",
            "lib/one.py": "from . import three\nfrom .many import *\n",
            "lib/three.py": "def f():\n    from lib.four import y\n",
            "lib/four.py": "import beside\n",
            "lib/beside.py": "",
            "lib/many/__init__.py": "__all__ = ['listed']\n",
            "lib/many/listed.py": "",
            "ns/part/guards.py": "",
            "other/two.py": "",
            "nobody.py": "",
        }
    )
    assert found["b"] == {"b/app.py", "other/two.py"}
    assert found["a"] == {
        "a/app.py", "lib/__init__.py", "lib/one.py", "lib/three.py", "lib/four.py", "lib/beside.py",
        "lib/many/__init__.py", "lib/many/listed.py", "ns/part/guards.py",
    }  # fmt: skip


def test_services_that_share_a_module_stay_together() -> None:
    found = units({"a/app.py": "import flask\nimport lib\n", "b/app.py": "import flask\nimport lib\n", "lib.py": ""})
    assert found == {"a b": {"a/app.py", "b/app.py", "lib.py"}}


def test_what_a_string_names_stays_with_it() -> None:
    found = units(
        {
            "a/app.py": "from celery import Celery\napp = Celery(include=['work.orders'])\n",
            "b/app.py": "import flask\nuvicorn.run('work.users:app')\n",
            "work/orders.py": "",
            "work/users.py": "",
        }
    )
    assert found == {"a": {"a/app.py", "work/orders.py"}, "b": {"b/app.py", "work/users.py"}}


def test_code_that_names_no_application_belongs_to_the_project_around_it() -> None:
    found = units({"app.py": "import flask\n", "tools/app.py": "import requests\n", "b/app.py": "import flask\n"})
    assert found == {".": {"app.py", "tools/app.py"}, "b": {"b/app.py"}}


def test_each_service_has_its_verdicts(tmp_path: Path) -> None:
    result, _ = scanned(two_services(tmp_path))
    assert [(s.name, s.root) for s in result.services] == [("orders", "orders"), ("users", "users")]
    assert {(v.service, v.location.path) for v in result.verdicts if v.rule == "API401"} == {
        ("orders", "orders/api.py"),
        ("users", "users/api.py"),
    }


def test_side_by_side_or_one_by_one_is_the_same(tmp_path: Path) -> None:
    tree = two_services(tmp_path)
    one, two = scanned(tree, jobs=1)[0], scanned(tree, jobs=2)[0]
    assert msgspec.json.encode(one.verdicts) == msgspec.json.encode(two.verdicts)
    assert one.services == two.services


def test_only_services_that_see_a_change_are_judged_again(tmp_path: Path) -> None:
    tree, cache = two_services(tmp_path / "tree"), tmp_path / "cache"
    scanned(tree, cache)
    (tree / "users" / "telling.py").write_text(TELLING + "\n\ndef more():\n    print(1)\n")
    result, profile = scanned(tree, cache)
    assert profile.units == {"users": False, "orders": True}
    assert msgspec.json.encode(result.verdicts) == msgspec.json.encode(scanned(tree)[0].verdicts)


def test_services_in_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    tree = tree_of(
        tmp_path,
        {
            f"{team}/api/{name}": text
            for team in ("billing", "shop")
            for name, text in {"requirements.txt": "", "app.py": API.replace("{name}", team)}.items()
        },
    )
    result, _ = scanned(tree)
    assert [s.name for s in result.services] == ["billing/api", "shop/api"]
    assert {v.service for v in result.verdicts} == {"billing/api", "shop/api"}


def test_a_library_that_makes_no_application_after_all_belongs_to_the_service_around_it(tmp_path: Path) -> None:
    tree = tree_of(
        tmp_path,
        {
            "shop/requirements.txt": "",
            "shop/app.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
            "shop/plugin/requirements.txt": "",
            "shop/plugin/typing_only.py": "from fastapi import FastAPI\n\n\ndef plug(app: FastAPI):\n    print(app)\n",
            "other/requirements.txt": "",
            "other/app.py": "from flask import Flask\n\napp = Flask(__name__)\n",
        },
    )
    result, _ = scanned(tree)
    assert [s.root for s in result.services] == ["other", "shop"]
    assert {v.service for v in result.verdicts if v.location.path == "shop/plugin/typing_only.py"} == {"shop"}


def test_a_tree_whose_root_only_looks_like_a_service(tmp_path: Path) -> None:
    tree = two_services(tmp_path)
    (tree / "tools.py").write_text("from fastapi import FastAPI\n")
    result, _ = scanned(tree)
    assert [s.root for s in result.services] == ["orders", "users"]


def test_a_unit_that_turns_out_to_see_another_is_linked_with_it(tmp_path: Path) -> None:
    """What is joined of several strings is seen only when it is linked."""
    tree = tree_of(
        tmp_path,
        {
            "a/manage.py": "import django\n",
            "a/settings.py": "ROOT_URLCONF = 'b.' + 'urls'\nINSTALLED_APPS = []\nMIDDLEWARE = []\n",
            "b/requirements.txt": "",
            "b/urls.py": "from django.urls import path\nfrom b.views import show\nurlpatterns = [path('x', show)]\n",
            "b/views.py": "from django.http import JsonResponse\n\n\ndef show(request):\n    return JsonResponse({})\n",
            "c/requirements.txt": "",
            "c/app.py": "from flask import Flask\n\napp = Flask(__name__)\n",
        },
    )
    result, _ = scanned(tree)
    assert [s.root for s in result.services] == ["a", "c"]
    assert verdicts_of_the_whole(tree) == msgspec.json.encode(result.verdicts)


def test_a_service_that_takes_its_application_from_a_library(tmp_path: Path) -> None:
    tree = tree_of(
        tmp_path,
        {
            "libs/common/requirements.txt": "",
            "libs/common/web.py": "from fastapi import FastAPI\n\n\nclass App(FastAPI):\n    pass\n",
            "a/requirements.txt": "",
            "a/main.py": "from libs.common.web import App\n\napp = App()\n",
            "a/loose.py": "print(1)\n",
            "b/requirements.txt": "",
            "b/app.py": "from flask import Flask\n\napp = Flask(__name__)\n",
        },
    )
    result, _ = scanned(tree)
    assert [s.root for s in result.services] == ["a", "b"]
    assert verdicts_of_the_whole(tree) == msgspec.json.encode(result.verdicts)


def verdicts_of_the_whole(tree: Path) -> bytes:
    """Of the tree linked in one piece: a rulebook that no worker can find is judged here."""
    libraries = packaged_libraries("assay.rules")
    options = Options(Config(), 1, False, lambda _: InlineExecutor(), libraries=libraries)
    return msgspec.json.encode(scan(tree, replace(RULEBOOK, packages=()), {}, options).verdicts)


def test_configured_services_are_linked_together(tmp_path: Path) -> None:
    tree = two_services(tmp_path)
    config = msgspec.convert({"services": {"everything": {"root": "."}}}, Config)
    options = Options(config, 1, False, lambda _: InlineExecutor())
    assert [s.name for s in scan(tree, RULEBOOK, {}, options).services] == ["everything"]


@pytest.mark.parametrize("name", sorted(folder.name for folder in SAMPLES.iterdir() if folder.is_dir()))
def test_a_service_beside_another_has_the_verdicts_of_the_whole(name: str, tmp_path: Path) -> None:
    """Every sample of a framework, with a stranger beside it."""
    shutil.copytree(SAMPLES / name / "sample", tmp_path / "one")
    (tmp_path / "one" / "requirements.txt").touch()
    tree_of(tmp_path, {"two/requirements.txt": "", "two/app.py": "import falcon\n\napp = falcon.App()\n"})
    result, _ = scanned(tmp_path)
    assert msgspec.json.encode(result.verdicts) == verdicts_of_the_whole(tmp_path)
    assert "two" in [s.root for s in result.services]


def test_after_each_edit_the_result_is_that_of_a_cold_scan(tmp_path: Path) -> None:
    """Without one of its lines, each module is another one, broken ones among them."""
    tree, cache = two_services(tmp_path / "tree"), tmp_path / "cache"
    results = set()
    for module in sorted(tree.rglob("*.py")):
        text = module.read_text()
        lines = text.splitlines(keepends=True)
        for number in range(len(lines)):
            module.write_text("".join(lines[:number] + lines[number + 1 :]))
            warm, cold = (msgspec.json.encode(scanned(tree, folder)[0].verdicts) for folder in (cache, None))
            assert warm == cold
            results.add(warm)
        module.write_text(text)
    assert len(results) > 5


def test_a_service_at_the_root_may_have_the_name_of_a_folder(tmp_path: Path) -> None:
    """Two services of one name would be one in a report."""
    tree = tree_of(
        tmp_path,
        {
            "pyproject.toml": '[project]\nname = "api"\n',
            "main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
            "more/api/requirements.txt": "",
            "more/api/app.py": "from flask import Flask\n\napp = Flask(__name__)\n",
        },
    )
    result, profile = scanned(tree)
    assert len(profile.units) == 2
    assert [(s.name, s.root) for s in result.services] == [(".", "."), ("more/api", "more/api")]
    assert verdicts_of_the_whole(tree) == msgspec.json.encode(result.verdicts)
