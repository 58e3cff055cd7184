"""Findings of two trees, matched one to one: what is new, what moved, what was edited, and what is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.scanner.matching import Mark, marked, match
from assay.scanner.results import State
from assay.scanner.verdicts import Kind

PATH = "shop/orders.py"


def mark(
    subject: str = "shop.orders:export#sql1",
    text: str = "execute(q)",
    line: int = 10,
    path: str = PATH,
    rule: str = "SEC101",
    kind: Kind = Kind.FAIL,
) -> Mark:
    return marked(rule, kind, path, line, subject, text)


def states(old: list[Mark], new: list[Mark], **more: object) -> list[State | None]:
    """Of each new finding; None where it is new."""
    found = {m.new: m.state for m in match(old, new, **more)}  # type: ignore[arg-type]
    return [found.get(place) for place in range(len(new))]


OLD = mark()


@pytest.mark.parametrize(
    ("now", "state"),
    [
        pytest.param(OLD, State.KNOWN, id="untouched"),
        pytest.param(replace(OLD, line=99), State.KNOWN, id="moved lines"),
        pytest.param(mark("shop.orders:export#sql2", line=20), State.KNOWN, id="another one was put before it"),
        pytest.param(mark("shop.orders:dump#sql1"), State.MOVED, id="its function was renamed"),
        pytest.param(mark("shop.export:export#sql1", path="shop/export.py"), State.MOVED, id="went to another module"),
        pytest.param(mark(text="execute(q, 1)"), State.EDITED, id="edited in place"),
        pytest.param(mark("shop.orders:dump#sql1", "execute(q, 1)"), None, id="another function and another text"),
        pytest.param(mark(rule="SEC102"), None, id="another rule"),
        pytest.param(mark(kind=Kind.REVIEW), None, id="another kind"),
    ],
)
def test_what_became_of_a_finding(now: Mark, state: State | None) -> None:
    assert states([OLD], [now]) == [state]


def test_a_renamed_file_keeps_its_findings_though_they_are_edited() -> None:
    there = mark("shop.sales:export#sql1", "execute(q, 1)", path="shop/sales.py")
    assert states([OLD], [there]) == [None]
    assert states([OLD], [there], renames={"shop/sales.py": PATH}) == [State.EDITED]


def test_a_subject_with_a_name_of_its_own_is_known_wherever_it_stands() -> None:
    was = mark("GET /orders", "def orders():", rule="API401")
    now = mark("GET /orders", "async def list_orders():", path="api/v2.py", rule="API401")
    assert states([was], [now]) == [State.MOVED]


def test_a_second_copy_is_new_and_it_is_the_one_in_the_changed_lines() -> None:
    copies = [mark("shop.orders:export#sql1", line=8), mark("shop.orders:export#sql2", line=11)]
    assert states([OLD], copies).count(None) == 1
    assert states([OLD], copies, is_changed=lambda m: m.line == 8) == [None, State.KNOWN]


def test_a_swap_is_not_hidden_by_an_equal_count() -> None:
    other = mark("shop.orders:remove#sql1", "execute(r)", 30)
    assert states([OLD], [other]) == [None]


MARKS = st.lists(
    st.builds(
        mark,
        st.sampled_from(["a:f#sql1", "a:f#sql2", "a:g#sql1", "b:f#sql1", "GET /a", "GET /b"]),
        st.sampled_from(["one", "two", "three"]),
        st.integers(1, 5),
        st.sampled_from(["a.py", "b.py"]),
    ),
    max_size=8,
)


@given(MARKS, MARKS)
def test_each_finding_is_matched_at_most_once(old: list[Mark], new: list[Mark]) -> None:
    pairs = match(old, new)
    assert len({p.old for p in pairs}) == len({p.new for p in pairs}) == len(pairs)
    assert all(old[p.old].rule == new[p.new].rule for p in pairs)


@given(MARKS)
def test_nothing_is_new_in_an_unchanged_tree(marks: list[Mark]) -> None:
    assert states(marks, marks) == [State.KNOWN] * len(marks)


@given(MARKS, MARKS, st.randoms())
def test_the_order_of_the_findings_decides_nothing(old: list[Mark], new: list[Mark], random: object) -> None:
    def told(before: list[Mark], after: list[Mark]) -> list[tuple[Mark, State]]:
        return sorted(((after[p.new], p.state) for p in match(before, after)), key=repr)

    shuffled = [*old], [*new]
    for marks in shuffled:
        random.shuffle(marks)  # type: ignore[attr-defined]
    assert told(old, new) == told(*shuffled)


@given(MARKS, MARKS)
def test_a_finding_more_is_at_most_one_new_finding_more(old: list[Mark], new: list[Mark]) -> None:
    fewer = states(old, new).count(None)
    assert states(old, [*new, mark("c:h#sql1", "another")]).count(None) <= fewer + 1
