"""Names in PromQL: examples from the documentation, and any text at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.scanner.monitoring.promql import Kind, compares, is_constant, selectors, tokens

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,12}(:[a-z]{1,5})?", fullmatch=True).filter(
    lambda name: (
        name not in ("by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool", "and")
        and name not in ("or", "unless", "atan2", "inf", "nan", "start", "end")
    )
)
LABELS = st.dictionaries(
    st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.text(alphabet="ab.*5|", max_size=4), max_size=3
)


@pytest.mark.parametrize(
    ("query", "metrics"),
    [
        ("up == 0", ["up"]),
        ('sum by (job) (rate(http_requests_total{code=~"5.."}[5m])) > 1', ["http_requests_total"]),
        ("histogram_quantile(0.9, sum(rate(x_bucket[5m])) by (le))", ["x_bucket"]),
        ("a * on (b, c) group_left (d) e", ["a", "e"]),
        ("topk(3, sum without (x) (y offset 5m))", ["y"]),
        ('{__name__="a_b", c="d"}', ["a_b"]),
        ('{"http.requests", c="d"}', ["http.requests"]),
        ("max_over_time(rate(x[5m])[1h:1m])", ["x"]),
        ("${prefix}_total + $other + plain", [None, None, "plain"]),
        ("rate(x[$__rate_interval]) # y", ["x"]),
        ('count_over_time({app="x"} | json [5m])', []),
        ("vector(1)", []),
        ("job:errors:ratio5m > (14.4 * 0.001)", ["job:errors:ratio5m"]),
    ],
)
def test_metrics_of_queries(query: str, metrics: list[str | None]) -> None:
    assert [selector.metric for selector in selectors(query)] == metrics


@given(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=80)
    | st.text(alphabet="ab{}[]()=~!\"'`$,5m. |#\n", max_size=40)
)
def test_tokens_are_the_text_and_no_text_is_too_strange(query: str) -> None:
    assert "".join(token.text for token in tokens(query)) == query
    found = selectors(query)
    assert all(s.metric is None or s.metric in query for s in found)
    assert isinstance(compares(query), bool)
    assert not (is_constant(query) and found)


@given(NAMES, LABELS, st.sampled_from(["", "[5m]", "[1h:5m]"]))
def test_a_selector_is_read_back(name: str, labels: dict[str, str], span: str) -> None:
    matchers = ", ".join(f'{label}=~"{value}"' for label, value in labels.items())
    query = f"sum by (zone) (rate({name}{{{matchers}}}{span})) / ignoring(zone) 2 > 3"
    (found,) = selectors(query)
    assert found.metric == name
    assert {m.label: m.value for m in found.matchers} == labels
    assert found.is_range is bool(span)
    assert compares(query)


def test_what_is_left_of_a_comment() -> None:
    assert [t.kind for t in tokens("a # b")] == [Kind.NAME, Kind.SPACE, Kind.COMMENT]
