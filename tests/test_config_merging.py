"""Several files that configure one tree: which count, which wins, what their paths mean, and where a value is from."""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path

import pytest

from assay.scanner.config import Config, ConfigError, Loaded, load, load_config
from assay.scanner.config.gate import Mode, PathGate, ScoreLimit, SeverityLimits
from assay.scanner.model.role import Role


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    return file


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Its own folder is the top of a repository; `services/orders` lies in it."""
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "repository" / "services" / "orders").mkdir(parents=True)
    return tmp_path / "repository"


def origin(loaded: Loaded, *path: str | int) -> str:
    return str(loaded.merged.origin(path))


def error(root: Path, file: Path | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(root, file=file)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- which files count, and which wins --------------------------------------------------------------------------------


def test_all_files_up_to_the_repository_are_merged_and_the_nearest_wins(repository: Path) -> None:
    orders = repository / "services" / "orders"
    write(repository.parent / "assay.toml", "coverage.minimum = 0.1\nedition = 'outside'")
    write(repository / "assay.toml", "[coverage]\nminimum = 0.5\n[waivers]\nmax-days = 30\nfrom = 'base'")
    write(repository / "services" / "pyproject.toml", "[tool.assay.waivers]\nmax-days = 60")
    write(orders / ".assay.toml", "\n[coverage]\nminimum = 0.9")
    loaded = load(orders)
    config = loaded.config
    assert (config.coverage.minimum, config.waivers.max_days, config.waivers.from_) == (0.9, 60, "base")
    assert config.edition is None, "what lies above the repository is no part of it"
    assert config.sources == (".assay.toml", "../pyproject.toml", "../../assay.toml")
    assert origin(loaded, "coverage", "minimum") == ".assay.toml:3"
    assert origin(loaded, "waivers", "max-days") == "../pyproject.toml:2"
    assert origin(loaded, "waivers", "from") == "../../assay.toml:5"
    assert loaded.merged.origin(("gate", "mode")) is None


def test_root_ends_the_way_up(repository: Path) -> None:
    orders = repository / "services" / "orders"
    write(repository / "assay.toml", "coverage.minimum = 0.5")
    write(orders / "assay.toml", "root = true")
    assert load_config(orders) == Config(sources=("assay.toml",))


def test_outside_a_repository_only_root_makes_files_above_count(tmp_path: Path) -> None:
    inner = tmp_path / "project" / "inner"
    inner.mkdir(parents=True)
    above = write(tmp_path / "project" / "assay.toml", "coverage.minimum = 0.5")
    assert load_config(inner) == Config()
    write(above, "root = true\ncoverage.minimum = 0.5")
    assert load_config(inner).coverage.minimum == 0.5


def test_a_pyproject_without_the_table_is_passed_over(repository: Path) -> None:
    orders = repository / "services" / "orders"
    write(repository / "assay.toml", "coverage.minimum = 0.5")
    write(orders / "pyproject.toml", "[project]\nname = 'assay-orders'")
    assert load_config(orders).sources == ("../../assay.toml",)


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ("assay.toml", "pyproject.toml", "assay.toml: pyproject.toml has a [tool.assay] too; keep one of the two"),
        (".assay.toml", "assay.toml", ".assay.toml: there is assay.toml too; keep one of the two"),
    ],
)
def test_two_files_of_one_folder(repository: Path, one: str, other: str, message: str) -> None:
    for name in (one, other):
        table = "[tool.assay.coverage]" if name == "pyproject.toml" else "[coverage]"
        write(repository / name, f"{table}\nminimum = 0.5")
    assert error(repository) == message
    assert error(repository / "services").startswith("../")


def test_lists_are_replaced_and_extended_ones_added(repository: Path) -> None:
    orders = repository / "services" / "orders"
    write(repository / "assay.toml", "files.exclude = ['a', 'b']\nrules.disable = ['B101']")
    write(repository / "services" / "assay.toml", "files.exclude = ['c']\nrules.extend-disable = ['B102']")
    write(orders / "assay.toml", "[files]\nextend-exclude = [\n'd',\n'e']")
    loaded = load(orders)
    assert loaded.config.files.exclude == ("c", "d", "e")
    assert loaded.config.rules.disable == {"B101", "B102"}
    assert [origin(loaded, "files", "exclude", n) for n in range(3)] == [
        "../assay.toml:1",
        "assay.toml:3",
        "assay.toml:4",
    ]
    assert origin(loaded, "rules", "disable", 1) == "../assay.toml:2"


def test_extending_is_not_inherited(repository: Path) -> None:
    write(repository / "assay.toml", "files.exclude = ['a']\nfiles.extend-exclude = ['b']")
    write(repository / "services" / "assay.toml", "coverage.minimum = 0.5")
    assert load_config(repository / "services" / "orders").files.exclude == ("a", "b")


def test_roles_of_the_nearest_file_are_asked_first(repository: Path) -> None:
    write(repository / "assay.toml", "[files.roles]\n'*_demo.py' = 'example'\n'x.py' = 'tool'")
    write(repository / "services" / "assay.toml", "[files.roles]\n'y.py' = 'test'\n'x.py' = 'prod'")
    roles = load_config(repository / "services").files.roles
    assert list(roles.items()) == [("y.py", Role.TEST), ("x.py", Role.PROD), ("*_demo.py", Role.EXAMPLE)]


def test_a_mistake_is_told_although_a_nearer_file_hides_it(repository: Path) -> None:
    write(repository / "assay.toml", "[coverage]\nminimum = 95")
    write(repository / "services" / "assay.toml", "[coverage]\nminimum = 0.95")
    assert error(repository / "services") == "../assay.toml:2: coverage.minimum: expected a number <= 1.0"


def test_a_mistake_in_the_nearer_file_is_told_there(repository: Path) -> None:
    write(repository / "assay.toml", "[gate.new]\nmedium = 1\n[gate.principles]\nAPI4.min = 1")
    write(repository / "services" / "assay.toml", "# one\n[gate.principles]\nAPI6.min = 1\nAPI5.mim = 1\n")
    assert error(repository / "services") == (
        "assay.toml:4: gate.principles.API5.mim: there is no such key in [gate.principles.API5]; did you mean 'min'?"
    )


# --- paths ------------------------------------------------------------------------------------------------------------


def test_paths_of_a_file_above_are_seen_from_the_scanned_folder(repository: Path) -> None:
    orders = repository / "services" / "orders"
    (orders / "api").mkdir()
    write(
        repository / "assay.toml",
        """\
        [files]
        exclude = ["services/orders/gen/", "services/billing/gen/", "*_pb2.py", "services/orders/**"]
        roles = { "services/*/labs/" = "example", "tools/" = "tool", "services/billing/x" = "test" }
        [services.api]
        root = "services/orders/api"
        [services.billing]
        root = "services/billing"
        [services.whole]
        root = "services/orders/"
        [[gate.paths]]
        path = "services/billing/**"
        new.low = 1
        [[gate.paths]]
        path = "services/orders/"
        new.low = 2
        """,
    )
    config = load_config(orders)
    assert config.files.exclude == ("/gen/", "*_pb2.py"), "a folder that somebody scans isn't excluded as a whole"
    assert config.files.roles == {"/labs/": Role.EXAMPLE, "tools/": Role.TOOL}
    assert {name: service.root for name, service in config.services.items()} == {"api": "api", "whole": "."}
    assert config.gate.paths == (PathGate("**", new=SeverityLimits(low=2)),)
    assert error(repository).startswith("assay.toml:7: services.billing.root: there is no folder 'services/billing'")


def test_a_mistake_in_what_was_left_out_is_told(repository: Path) -> None:
    write(repository / "assay.toml", "[[gate.paths]]\npath = 'other/[z-a]'\n")
    found = error(repository / "services" / "orders")
    assert found == "../../assay.toml:2: gate.paths[0].path: 'other/[z-a]' is no pattern that could match a file"


def test_a_mistake_in_a_moved_entry_is_told_at_its_line(repository: Path) -> None:
    write(
        repository / "assay.toml",
        """\
        [[gate.paths]]
        path = "other/**"
        [[gate.paths]]
        path = "services/orders/**"
        new.low = -1
        """,
    )
    found = error(repository / "services" / "orders")
    assert found == "../../assay.toml:5: gate.paths[1].new.low: expected a whole number >= 0"


# --- extends ----------------------------------------------------------------------------------------------------------


def test_a_file_lies_above_what_it_extends(repository: Path) -> None:
    write(repository / "config" / "base.toml", "extends = ['lower.toml']\ngate.mode = 'warn'\ncoverage.minimum = 0.7")
    write(repository / "config" / "lower.toml", "gate.mode = 'enforce'\nwaivers.max-days = 5\nfiles.exclude = ['x/y']")
    write(repository / "config" / "second.toml", "waivers.max-days = 6")
    write(
        repository / "assay.toml",
        "extends = ['config/base.toml', 'config/second.toml']\nfiles.extend-exclude = ['z']\ncoverage.minimum = 0.8",
    )
    loaded = load(repository)
    assert (loaded.config.gate.mode, loaded.config.coverage.minimum) == (Mode.WARN, 0.8)
    assert loaded.config.waivers.max_days == 6, "what is named later wins"
    assert loaded.config.files.exclude == ("x/y", "z"), "paths count as if they stood in the file that extends"
    assert loaded.config.sources == ("assay.toml", "config/second.toml", "config/base.toml", "config/lower.toml")
    assert origin(loaded, "gate", "mode") == "config/base.toml:2"


def test_a_pyproject_may_extend_and_be_extended(repository: Path) -> None:
    write(repository / "pyproject.toml", "[tool.assay]\nextends = ['services/pyproject.toml']")
    write(repository / "services" / "pyproject.toml", "[tool.assay.coverage]\nminimum = 0.7")
    assert load_config(repository).coverage.minimum == 0.7


@pytest.mark.parametrize(
    ("extends", "message"),
    [
        ("['gone.toml']", "there is no file 'gone.toml'; it is looked for from this file's folder"),
        ("['loop.toml']", "'loop.toml' leads back to this file, so none would be the lowest"),
        ("['../outside.toml']", "'../outside.toml' lies outside the repository; what several share is a profile of an"),
        ("['/etc/hosts.toml']", "'/etc/hosts.toml' lies outside the repository"),
        ("['folder.toml']", "'folder.toml' can't be read: Is a directory"),
        ("['base']", "'base' is neither a TOML file nor a profile such as 'acme_standards:backend'"),
        ("['no_such_package:backend']", "there is no installed package 'no_such_package'; install it beside Assay"),
        ("['a.b:backend']", "'a.b:backend' is neither a TOML file nor a profile"),
        ("['click:backend']", "the package 'click' has no profile 'backend'; it has none"),
        ("['six_like:backend']", "'six_like' is a single module; profiles lie in a package's folder"),
        ("'base.toml'", "expected a list, got text"),
        ("[1]", "expected text, got a whole number"),
    ],
)
def test_mistakes_in_extends(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extends: str, message: str
) -> None:
    write(tmp_path / "outside.toml", "")
    write(tmp_path / "site-packages" / "six_like.py", "raise SystemExit")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "site-packages")])
    (repository / "folder.toml").mkdir()
    write(repository / "loop.toml", "extends = ['assay.toml']")
    write(repository / "assay.toml", f"\nextends = {extends}")
    where = "loop.toml:1: extends: 'assay.toml'" if "loop" in extends else "assay.toml:2: extends: "
    found = error(repository)
    assert found.startswith(where)
    assert message.removeprefix("'loop.toml'") in found


def test_a_mistake_in_an_extended_file_is_told_there(repository: Path) -> None:
    write(repository / "base.toml", "\n[files]\nexlude = []")
    write(repository / "assay.toml", "extends = ['base.toml']")
    assert error(repository).startswith("base.toml:3: files.exlude: there is no such key in [files]; did you mean")
    write(repository / "base.toml", "\n[files")
    assert error(repository).startswith("base.toml:2: it is not valid TOML")


def package(folder: Path, name: str = "acme_standards") -> Path:
    """A package that must not be run."""
    write(folder / name / "__init__.py", "raise SystemExit('it was imported')")
    write(folder / name / "backend.toml", "\n[gate.overall]\nmin = 70\n[files]\nexclude = ['gen/']\n")
    return folder


def test_a_profile_of_an_installed_package_is_read_and_none_of_its_code_is_run(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(package(tmp_path / "site-packages"))])
    write(repository / "assay.toml", "extends = ['acme-standards:backend']")
    loaded = load(repository)
    assert loaded.config.gate.overall == ScoreLimit(min=70)
    assert loaded.config.files.exclude == ("gen/",)
    assert origin(loaded, "gate", "overall", "min") == "acme_standards/backend.toml:3"
    assert "acme_standards" not in sys.modules
    write(repository / "assay.toml", "extends = ['acme-standards:backnd']")
    assert error(repository).endswith("has no profile 'backnd'; did you mean 'backend'?")


def test_a_profile_may_extend_files_of_its_package(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = package(tmp_path / "site-packages") / "acme_standards"
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder.parent)])
    write(repository / "assay.toml", "extends = ['acme-standards:backend']")
    write(folder / "backend.toml", "extends = ['more/base.toml', 'acme_standards:other']")
    write(folder / "more" / "base.toml", "waivers.max-days = 30")
    write(folder / "other.toml", "coverage.minimum = 0.5")
    loaded = load(repository)
    assert (loaded.config.waivers.max_days, loaded.config.coverage.minimum) == (30, 0.5)
    assert origin(loaded, "waivers", "max-days") == "acme_standards/more/base.toml:1"
    write(folder / "backend.toml", "extends = ['../../outside.toml']")
    assert error(repository).startswith(
        "acme_standards/backend.toml:1: extends: '../../outside.toml' lies outside the package 'acme_standards'"
    )


def test_the_scanned_tree_cannot_pass_for_an_installed_package(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(repository)
    write(repository / "assay.toml", "extends = ['acme_standards:backend']")
    monkeypatch.chdir(repository)
    for entry in ("", ".", str(repository)):
        monkeypatch.setattr(sys, "path", [entry, *sys.path])
    assert "there is no installed package 'acme_standards'" in error(repository)


# --- a named file, and none -------------------------------------------------------------------------------------------


def test_a_named_file_replaces_what_is_found(repository: Path, tmp_path: Path) -> None:
    write(repository / "assay.toml", "this is no TOML")
    file = write(tmp_path / "elsewhere" / "ci.toml", "extends = ['more.toml']\n[files]\nexclude = ['app/gen/']")
    write(tmp_path / "elsewhere" / "more.toml", "coverage.minimum = 0.5")
    config = load_config(repository, file=file)
    assert (config.files.exclude, config.coverage.minimum) == (("app/gen/",), 0.5)
    assert config.sources[0] == str(file)
    assert load_config(repository, isolated=True) == Config()


def test_a_named_file_that_is_missing(repository: Path) -> None:
    assert error(repository, file=repository / "gone.toml").endswith(
        "gone.toml: it can't be read: No such file or directory"
    )


# --- the environment --------------------------------------------------------------------------------------------------


def test_the_environment_wins(repository: Path) -> None:
    write(repository / "assay.toml", "gate.mode = 'enforce'\ngate.new.low = 3")
    loaded = load(repository, environment={"ASSAY_GATE_MODE": "warn", "ASSAY_EDITION": ""})
    assert (loaded.config.gate.mode, loaded.config.gate.new.low, loaded.config.edition) == (Mode.WARN, 3, None)
    assert origin(loaded, "gate", "mode") == "ASSAY_GATE_MODE"
    with pytest.raises(
        ConfigError, match=r"^ASSAY_GATE_MODE: gate\.mode: 'wran' is none of enforce, warn; did you mean"
    ):
        load(repository, environment={"ASSAY_GATE_MODE": "wran"})


# --- a stranger's files -----------------------------------------------------------------------------------------------


def test_what_is_nested_without_end(tmp_path: Path) -> None:
    for text in ("a." * 3000 + "a = 1", "a = " + "[" * 3000 + "]" * 3000):
        write(tmp_path / "assay.toml", text)
        assert error(tmp_path) == "assay.toml: tables and lists are nested more than 50 deep"


def test_files_that_extend_each_other_without_end(repository: Path) -> None:
    for number in range(40):
        write(repository / f"{number}.toml", f"extends = ['{number + 1}.toml', '{number + 1}.toml']")
    write(repository / "40.toml", "")
    write(repository / "assay.toml", "extends = ['0.toml']")
    assert error(repository).endswith(": that makes more than 100 files in all")


def test_a_pipe_for_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pyproject.toml")
    assert load_config(tmp_path) == Config()
    os.mkfifo(tmp_path / "assay.toml")
    assert error(tmp_path) == "assay.toml: it is no regular file (a pipe, socket or device)"
