"""What two configurations say differently is told key by key, in the words of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.scanner.config import Config, load_config
from assay.scanner.config.differences import differences


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("", "", []),
        ("[gate]\n", '[gate]\nmode = "enforce"\n', []),
        ("", '[gate]\nmode = "warn"\n', ["gate.mode: enforce → warn"]),
        ("[gate.new]\nmedium = 3\n", "", ["gate.new.medium: 3 → none"]),
        ("[gate.overall]\nmin = 70\n", "[gate.overall]\nmin = 7.5\n", ["gate.overall.min: 70.0 → 7.5"]),
        ('[rules]\ndisable = ["A1"]\n', '[rules]\ndisable = ["B2"]\n', ["rules.disable: + B2, - A1"]),
        ('[rules]\ndisable = ["A1", "B2", "C3"]\n', '[rules]\ndisable = ["C3", "B2", "A1"]\n', []),
        ('[rules.SEC101]\nseverity = "low"\n', "", ["rules.SEC101.severity: low → none"]),
        ("", "[rules.API402]\nmaximum = 5000\n", ["rules.API402.maximum: none → 5000"]),
        ("", '[files.roles]\n"*.py" = "test"\n', ["files.roles.*.py: none → test"]),
        (
            '[files]\nexclude = ["a", "!a"]\n',
            '[files]\nexclude = ["!a", "a"]\n',
            ["files.exclude: in another order"],
        ),
        ("", f"[files]\nexclude = {list('abcdef')}\n", ["files.exclude: + a, + b, + c, + d, and 2 more"]),
        ("", '[[gate.paths]]\npath = "x/**"\nnew = { high = 9 }\n', ["gate.paths: + {path = x/**, new = {high = 9}"]),
        ("", f'[files.roles]\n"{"x" * 100}" = "tool"\n', [f"files.roles.{'x' * 47}…: none → tool"]),
    ],
)
def test_differences(before: str, after: str, told: list[str], tmp_path: Path) -> None:
    def config(text: str) -> Config:
        (tmp_path / "assay.toml").write_text(text, encoding="utf-8")
        return load_config(tmp_path)

    found = differences(config(before), config(after))
    assert [line[: len(wanted)] for line, wanted in zip(found, told, strict=True)] == told
