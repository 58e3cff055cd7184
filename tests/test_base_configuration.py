"""What a commit configures is read from git's objects, as it would be read from a checkout of it."""

from __future__ import annotations

from pathlib import Path

import pytest

import assay.rules
from assay.scanner.base.configuration import configuration_at
from assay.scanner.config import Config, ConfigError, load_config
from assay.scanner.rulebook import load_rulebook
from tests.repositories import Repository

RULEBOOK = load_rulebook(assay.rules)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.new(tmp_path / "shop")
    made.write("config/base.toml", 'extends = ["more.toml"]\n[gate.new]\nmedium = 1\n')
    made.write("config/more.toml", "[coverage]\nminimum = 0.5\n")
    made.write("assay.toml", 'extends = ["config/base.toml"]\n[files]\nexclude = ["old/"]\n')
    made.write(
        "services/pyproject.toml",
        '[tool.assay.services.orders]\nroot = "orders"\n[tool.assay.files]\nextend-exclude = ["b"]\n',
    )
    made.write("services/orders/app.py", "x = 1\n")
    made.write("ci.toml", '[gate]\nmode = "warn"\n[services.all]\nroot = "services"\n')
    return made


@pytest.mark.parametrize("folder", [".", "services", "services/orders"])
def test_it_says_what_a_checkout_would(folder: str, repository: Repository) -> None:
    root = repository.root / folder
    expected = load_config(root, RULEBOOK)
    commit = repository.commit()
    for path in ("assay.toml", "config/base.toml", "config/more.toml", "services/pyproject.toml"):
        (repository.root / path).unlink()
    assert configuration_at(root, commit, RULEBOOK) == expected != Config()


def test_a_named_file_is_read_as_it_was(repository: Repository, tmp_path: Path) -> None:
    file = repository.root / "ci.toml"
    expected = load_config(repository.root, RULEBOOK, file=file)
    commit = repository.commit()
    file.write_text("[gate]\n", encoding="utf-8")
    found = configuration_at(repository.root, commit, RULEBOOK, file)
    assert found is not None
    assert (found.gate, found.services) == (expected.gate, expected.services)
    assert configuration_at(repository.root, commit, RULEBOOK, repository.root / "new.toml") == Config()
    outside = tmp_path / "outside.toml"
    outside.write_text("", encoding="utf-8")
    assert configuration_at(repository.root, commit, RULEBOOK, outside) is None


def test_a_folder_that_was_not_there_yet_has_what_lies_above(repository: Repository) -> None:
    commit = repository.commit()
    repository.write("services/new/app.py", "x = 1\n")
    found = configuration_at(repository.root / "services" / "new", commit, RULEBOOK)
    assert found is not None
    assert found.coverage.minimum == 0.5


@pytest.mark.parametrize(
    "text",
    ["[gait]\n", "no toml", 'extends = ["../../outside.toml"]\n', 'extends = ["missing.toml"]\n', "[rules.NOPE1]\n"],
)
def test_a_mistake_is_told(text: str, repository: Repository) -> None:
    repository.write("assay.toml", text)
    commit = repository.commit()
    repository.write("assay.toml", "")
    with pytest.raises(ConfigError, match=r"^assay\.toml"):
        configuration_at(repository.root, commit, RULEBOOK)


def test_files_that_extend_each_other_end(repository: Repository) -> None:
    repository.write("config/more.toml", 'extends = ["base.toml"]\n')
    commit = repository.commit()
    with pytest.raises(ConfigError, match="leads back to this file"):
        configuration_at(repository.root, commit, RULEBOOK)
