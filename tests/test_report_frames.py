"""What reports share: harmless text, figures, arithmetic, highlighting and code frames."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.reports import arithmetic, figures
from assay.reports.frames import Frames
from assay.reports.highlight import Token, tokens
from assay.reports.plain import plain
from assay.scanner.cited_lines import MAX_LINES
from assay.scanner.model.place import Evidence, Location
from assay.scanner.results import PrincipleScore, PrincipleStatus, RuleInfo, RuleScore, SectionScore
from assay.scanner.verdicts import Severity
from tests.samples import NASTY, UNICODE, sample_result

FINDING = sample_result().findings[0]


@given(st.text(st.characters()))
def test_harmless_text_keeps_its_length_and_has_nothing_but_visible_characters(text: str) -> None:
    shown = plain(text)
    assert len(shown) == len(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_ordinary_text_is_left_as_it_is() -> None:
    assert plain("Größe 订单 ✓ x = 1") == "Größe 订单 ✓ x = 1"
    assert plain("a\x1b[1m\n\u202e\udcff") == "a␛[1m␊\ufffd\ufffd"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0.0"), (66.666, "66.7"), (89.96, "89.9"), (89.94, "89.9"), (90.0, "90.0"), (99.99, "99.9")],
)
def test_a_score_never_looks_better_than_its_grade(value: float | None, text: str) -> None:
    assert figures.score(value) == text


def test_counts_and_lists_read_as_english() -> None:
    assert figures.count(1, "fail") == "1 fail"
    assert figures.count(1200, "fail") == "1,200 fails"
    assert [figures.joined(list("abc")[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def _rule(code: str, severity: Severity) -> RuleInfo:
    return RuleInfo(code, "name", "Title.", "SEC1", severity, (), "why", "fix")


RULES = {"SEC101": _rule("SEC101", Severity.CRITICAL), "SEC102": _rule("SEC102", Severity.HIGH)}


def _principle(score: float | None, cap: int | None, *rules: RuleScore) -> PrincipleScore:
    return PrincipleScore("SEC1", "Title", 1.0, PrincipleStatus.SCORED, score, cap, rules)


def test_a_principle_shows_weights_compliance_mean_and_cap() -> None:
    rules = RuleScore("SEC101", passed=1, failed=1), RuleScore("SEC102", passed=3)
    assert (
        arithmetic.of_principle(_principle(39.0, 39, *rules), RULES)
        == "(8 × 0.50 + 4 × 1.00) / 12 = 66.7 %, capped at 39 by a critical fail"
    )


def test_a_rule_that_judged_nothing_is_not_in_the_sum() -> None:
    rules = RuleScore("SEC101", review=3), RuleScore("SEC102", passed=3)
    assert arithmetic.of_principle(_principle(100.0, None, *rules), RULES) == "(4 × 1.00) / 4 = 100.0 %"


def test_a_cap_above_the_mean_is_said_to_change_nothing() -> None:
    written = arithmetic.of_principle(_principle(25.0, 79, RuleScore("SEC102", passed=1, failed=3)), RULES)
    assert written == "(4 × 0.25) / 4 = 25.0 %; a high fail caps it at 79, which it is below already"


def test_a_section_leaves_out_principles_without_a_score() -> None:
    principles = (_principle(39.0, 39), _principle(None, None), replace(_principle(100.0, None), weight=2.0))
    assert arithmetic.of_section(SectionScore("SEC", "Security", 1.0, 79.66, principles)) == (
        "(1 × 39.0 + 2 × 100.0) / 3 = 79.7"
    )
    assert arithmetic.of_section(SectionScore("SEC", "Security", 1.0, None, principles[1:2])) == ""


@given(st.sampled_from(["a.py", "a.yaml", "Dockerfile", "a.toml", "a.txt"]), st.lists(st.text("ab '\"#{}\\:-=é\t")))
def test_highlighting_changes_no_character(path: str, lines: list[str]) -> None:
    assert ["".join(text for _, text in line) for line in tokens(path, lines)] == lines


def test_keywords_strings_and_comments_are_told_apart() -> None:
    (line,) = tokens("a.py", ['return "x"  # y'])
    assert [token for token, text in line if text.strip()] == [Token.KEYWORD, Token.STRING, Token.COMMENT]


def test_a_very_long_line_is_not_given_to_a_lexer() -> None:
    long = "return " * 1000
    assert tokens("a.py", [long]) == [((Token.OTHER, long),)]


def _numbered(lines: list[str]) -> dict[int, str]:
    return dict(enumerate(lines, start=1))


def _frames(lines: list[str], location: Location, *evidence: Evidence, width: int = 100) -> list[str]:
    frame = Frames({"a.py": _numbered(lines)}).of(replace(FINDING, location=location, evidence=evidence), width)
    return [f"{line.number}{'*' * line.is_cited} {line.text}" for excerpt in frame.excerpts for line in excerpt.lines]


def test_a_frame_shows_subject_and_evidence_with_their_neighbours() -> None:
    lines = [f"line{n}" for n in range(1, 21)]
    shown = _frames(lines, Location("a.py", 3, 1, 3, 5), Evidence(Location("a.py", 12, 1, 12, 5), "here"))
    assert shown == ["2 line2", "3* line3", "4 line4", "5 line5", "11 line11", "12* line12", "13 line13"]


def test_blank_lines_at_the_ends_are_dropped() -> None:
    assert _frames(["", "x = 1", ""], Location("a.py", 2, 1, 2, 6)) == ["2* x = 1"]


def test_a_whole_file_is_not_shown_by_its_first_line_when_there_is_evidence() -> None:
    lines = [f"line{n}" for n in range(1, 21)]
    shown = _frames(lines, Location.whole_file("a.py"), Evidence(Location("a.py", 12, 1, 12, 5), "here"))
    assert shown[0] == "10 line10"


def test_marks_follow_tabs_and_replaced_characters() -> None:
    source = {"a.py": {1: "\tx\x1b = 1"}}
    evidence = Evidence(Location("a.py", 1, 6, 1, 7), "one")
    frame = Frames(source).of(replace(FINDING, location=evidence.location, evidence=(evidence,)))
    (line,) = frame.excerpts[0].lines
    assert line.text == "    x␛ = 1"
    assert [line.text[start:end] for start, end in line.marks] == [" "]
    assert line.notes == ("one",)


def test_a_long_line_is_cut_around_its_mark() -> None:
    line = "a" * 500 + "MARK" + "b" * 500
    evidence = Evidence(Location("a.py", 1, 501, 1, 505), "here")
    frame = Frames({"a.py": {1: line}}).of(replace(FINDING, location=evidence.location, evidence=(evidence,)), 60)
    (shown,) = frame.excerpts[0].lines
    assert shown.text == "…" + "a" * 15 + "MARK" + "b" * 41 + "…"
    assert [shown.text[start:end] for start, end in shown.marks] == ["MARK"]


def test_evidence_that_no_line_shows_is_listed() -> None:
    evidence = tuple(Evidence(Location("a.py", line, 1, line, 2), str(line)) for line in (1, 20, 40, 60, 80, 100, 120))
    unknown = Evidence(Location("gone.py", 3, 1, 3, 2), "gone")
    finding = replace(FINDING, location=Location("a.py", 200, 1, 200, 2), evidence=(*evidence, unknown))
    frame = Frames({"a.py": _numbered(["x"] * 300)}).of(finding)
    assert sum(len(excerpt.lines) for excerpt in frame.excerpts) == MAX_LINES
    assert frame.elsewhere == (evidence[-1], unknown)


def test_evidence_in_another_file_gets_its_own_excerpt() -> None:
    evidence = Evidence(Location("repo.py", 1, 1, 1, 2), "here")
    frame = Frames({"a.py": {1: "x"}, "repo.py": {1: "y"}}).of(
        replace(FINDING, location=Location("a.py", 1, 1, 1, 2), evidence=(evidence,))
    )
    assert [excerpt.path for excerpt in frame.excerpts] == ["a.py", "repo.py"]


_places = st.builds(
    Location, st.just("a.py"), st.integers(1, 15), st.integers(1, 40), st.integers(1, 15), st.integers(1, 40)
)


@given(
    st.lists(st.text(st.sampled_from(NASTY + UNICODE + "\t '#x")).filter(lambda line: "\n" not in line), max_size=12),
    _places,
    st.lists(st.builds(Evidence, _places, st.just("here"))),
)
def test_any_place_gives_a_frame_of_lines_that_exist(
    lines: list[str], place: Location, evidence: list[Evidence]
) -> None:
    """Places may lie, when a file changed after it was read; a report is written all the same."""
    frames = Frames({"a.py": _numbered(lines)})
    frame = frames.of(replace(FINDING, location=place, evidence=tuple(evidence)), 30)
    step = frames.line(place, 30)
    assert (step is not None) == (place.line <= len(lines))
    shown = [line for excerpt in frame.excerpts for line in excerpt.lines]
    assert len(shown) <= MAX_LINES
    assert [line.number for line in shown] == sorted({line.number for line in shown})
    for line in [*shown, *([step] if step else [])]:
        expected = plain(lines[line.number - 1].replace("\t", "    "))
        assert line.text.strip("…") in expected
        assert line.text == expected or len(expected) > 30
    texts = [note for line in shown for note in line.notes] + [e.text for e in frame.elsewhere]
    assert len(texts) == len(evidence)
