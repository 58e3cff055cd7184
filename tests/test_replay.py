"""The benchmark of matching: what git's line map says of a finding, and what is counted of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from assay.scanner.git import Git
from assay.scanner.matching import marked
from assay.scanner.verdicts import Kind
from benchmarks import replay
from benchmarks.line_map import line_map
from benchmarks.replay import Finding, Tally, Truth, compare, truths
from tests.repositories import Repository
from tests.running import APP


def weak(name: str, more: str = "") -> str:
    return f"\n\ndef {name}(data):\n    return hashlib.md5(data{more}).hexdigest()  # {name}\n"


BEFORE = "import hashlib\n" + weak("stays") + weak("edited") + weak("moved")
AFTER = "import hashlib\n\nLIMIT = 10\n" + weak("fresh") + weak("stays") + weak("edited", " + data")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A backend of two commits; in the second, of three findings one is edited and one is moved, and one is new."""
    made = Repository.new(tmp_path / "shop")
    made.write("app.py", APP)
    made.write("weak.py", BEFORE)
    made.commit()
    made.write("weak.py", AFTER)
    made.write("other.py", "import hashlib\n" + weak("moved"))
    made.commit()
    return made


def finding(path: str, line: int, text: str, subject: str = "f") -> Finding:
    return Finding(marked("SEC304", Kind.FAIL, path, line, f"{path}:{subject}", text), text)


def test_lines_are_followed_through_hunks_and_renames(repository: Repository) -> None:
    lines = line_map(repository.root, "HEAD~1", "HEAD")
    file = lines.of("weak.py")
    numbers = [file.old_line(number) for number in range(1, AFTER.count("\n") + 1)]
    old = BEFORE.split("\n")
    for number, text in enumerate(AFTER.split("\n")[:-1]):
        was = numbers[number]
        assert was is None or old[was - 1] == text
    assert [
        AFTER.split("\n")[n] for n, was in enumerate(numbers) if was is None and "return" in AFTER.split("\n")[n]
    ] == [
        "    return hashlib.md5(data).hexdigest()  # fresh",
        "    return hashlib.md5(data + data).hexdigest()  # edited",
    ]
    assert lines.of("untouched.py").old_line(7) == 7
    repository.git("mv", "weak.py", "a b.py")
    repository.commit()
    moved = line_map(repository.root, "HEAD~1", "HEAD")
    assert moved.renames == {"a b.py": "weak.py"}
    assert moved.of("a b.py").old_line(3) == 3


def test_git_tells_what_stayed_what_was_edited_or_moved_and_what_is_added(repository: Repository) -> None:
    def findings(texts: dict[str, str]) -> list[Finding]:
        return [
            finding(path, number, line)
            for path, text in texts.items()
            for number, line in enumerate(text.split("\n"), start=1)
            if "md5" in line
        ]

    old = findings({"weak.py": BEFORE})
    new = findings({"other.py": "import hashlib\n" + weak("moved"), "weak.py": AFTER})
    told = truths(old, new, line_map(repository.root, "HEAD~1", "HEAD"))
    assert told == [Truth.MOVED, Truth.ADDED, Truth.UNCHANGED, Truth.EDITED]


def test_what_matching_calls_wrong_is_counted_and_shown(repository: Repository) -> None:
    lines = line_map(repository.root, "HEAD~1", "HEAD")
    there, here = (
        text.split("\n").index("    return hashlib.md5(data).hexdigest()  # stays") + 1 for text in (BEFORE, AFTER)
    )
    tally = Tally()
    compare([finding("weak.py", there, "one")], [finding("weak.py", here, "two", "g")], lines, "1a2b3c", tally)
    assert (tally.with_noise, tally.unmatched[Truth.UNCHANGED]) == (1, 1)
    compare([finding("gone.py", 1, "one")], [finding("weak.py", 3, "one")], lines, "1a2b3c", tally)
    assert tally.matched[Truth.ADDED] == 1
    assert [said.split(",")[0] for said in tally.examples] == ["1a2b3c unchanged", "1a2b3c added"]


def test_a_history_is_replayed(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "_KEPT", tmp_path / "kept")
    status = Git(repository.root).answer("status", "--porcelain")
    ended = CliRunner().invoke(replay.main, [str(repository.root), "--least", "5"])
    assert ended.exit_code == 0, ended.output
    assert "commits with noise 0.0% (at most 2%), added called old 0.0% (at most 4%): met" in ended.output
    assert Git(repository.root).answer("status", "--porcelain") == status
    assert len(list((tmp_path / "kept" / "shop").iterdir())) == 2
