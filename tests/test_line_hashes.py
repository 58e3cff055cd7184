"""The hash of a finding's line is the one that GitHub's action computes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assay.scanner.line_hashes import line_hashes, with_line_hashes
from tests.samples import sample_result

BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no fault of what is tested."""

END = "c129715d7a2bc9a3:1"
"""The window of an empty last line holds nothing but the end of the file."""


def split(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text)


def hashes(text: str) -> list[str]:
    lines = split(text)
    return list(line_hashes(lines, range(1, len(lines) + 1)).values())


@pytest.mark.parametrize(
    ("text", "expected"),
    # The texts are ours, the values what `hash` of github/codeql-action (src/fingerprints.ts) gave for them.
    [
        ("", [END]),
        ("\n", ["3c5bef55b72b93c9:1", END]),
        ("def f():\n    return 1\n", ["b278a546672c29d4:1", "c640be1c5b5a107a:1", END]),
        ("def f():\r\n\treturn 1\r\n", ["b278a546672c29d4:1", "c640be1c5b5a107a:1", END]),
        (
            "if a:\r\r \n  b",
            ["9433b743a0f1624d:1", "fe63cb8286b0b2c5:1", "cc4c43d77869440f:1", "8ee5a81e681643c1:1"],
        ),
        ("x = '🚚' * 2\ny = 'é'\n", ["894cbf607efe91e2:1", "d0e5cdda967c4336:1", END]),
        ("\ufeffimport os\n", ["5aa1a8e55c93c499:1", END]),
        (
            "    pass\n" * 4,
            ["77fbc1f786d6e2cf:1", "55ebff5604a84bfa:1", "58ea3309c492ac1:1", "d9ebd24fce30bc54:1", END],
        ),
        (
            "a\n" * 3 + "b" * 120 + "\nc",
            [
                "a9660ea3449fc241:1",
                "db2b9f4567a4d286:1",
                "4ae1252adb8d383:1",
                "ff47544e6eb21c78:1",
                "188ff2f224477a1e:1",
            ],
        ),
    ],
)
def test_equals_what_githubs_action_computes(text: str, expected: list[str]) -> None:
    assert hashes(text) == expected


def test_lines_that_are_alike_are_numbered() -> None:
    assert hashes("x = 1\n" * 28)[:5] == [
        "ca3e9a077b09da0c:1",
        "ca3e9a077b09da0c:2",
        "ca3e9a077b09da0c:3",
        "ca3e9a077b09da0c:4",
        "ca3e9a0840880743:1",
    ]


def rolled(text: str) -> list[str]:
    """The same, as it is defined: a hash that rolls over the file, and is taken where a line began 100 units before."""
    units = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-16-le", "surrogatepass")
    codes = [int.from_bytes(units[i : i + 2], "little") for i in range(0, len(units), 2)]
    stream = [code for code in codes if code not in (0x20, 0x09)] + [0xFFFF]
    starts = [0, *(at + 1 for at, code in enumerate(stream) if code == 0x0A)]
    seen: Counter[int] = Counter()
    found = []
    for start in starts:
        value = 0
        for code in (*stream, *[0] * 100)[start : start + 100]:
            value = (value * 37 + code) % 2**64
        seen[value] += 1
        found.append(f"{value:x}:{seen[value]}")
    return found


@BUSY
@given(
    st.lists(
        st.sampled_from(["\n", "\r", "\r\n", " ", "\t", "x", "return", "🚚", "é", "\uffff", "\0", "\x0c"]), max_size=80
    )
)
@example(["x", "\n"] * 60)
def test_equals_the_definition(pieces: list[str]) -> None:
    assert hashes("".join(pieces)) == rolled("".join(pieces))


def test_only_lines_that_are_asked_for_and_are_there_have_one() -> None:
    assert list(line_hashes(["a", "b", "c"], {2, 7})) == [2]
    assert not line_hashes([], {1})
    assert not line_hashes(["a"], ())


def test_findings_get_the_hash_of_their_line_and_nothing_else_does() -> None:
    verdicts = sample_result().verdicts
    found = list(with_line_hashes(verdicts, lambda path: [path, *"abcdefg"]))
    assert [replace(v, line_hash="") for v in found] == list(verdicts)
    assert {(v.is_finding, v.location.line <= 8) for v in found if v.line_hash} == {(True, True)}
    assert [v for v in found if v.is_finding and v.location.line <= 8 and not v.line_hash] == []
