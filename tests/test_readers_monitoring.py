"""Rules, routes and dashboards: what is read of each form, and where it stands."""

from __future__ import annotations

import json

import pytest

from assay.scanner.diagnostics import Reason
from assay.scanner.readers.kubernetes import reader as kubernetes
from assay.scanner.readers.monitoring import reader
from assay.scanner.readers.monitoring.facts import Held, MonitoringFacts
from assay.scanner.readers.platforms import read as read_platform
from assay.scanner.readers.problem import ReadProblem

RULES = """\
groups:
  - name: orders
    labels: {team: shop}
    rules:
      - record: orders:ratio
        expr: a / b
      - alert: OrdersFail
        expr: |
          orders:ratio
            > 0.1
        for: 5m
        labels: {severity: page}
        annotations:
          runbook_url: https://wiki/orders
"""


def read(path: str, text: str) -> MonitoringFacts:
    return reader.read(path, text.encode())


def test_rules_have_the_labels_of_their_group_and_their_lines() -> None:
    facts = read("rules.yml", RULES)
    (alert,) = facts.alerts
    assert (alert.name, alert.waits, alert.span.line, alert.expressions[0][1].line) == ("OrdersFail", "5m", 7, 8)
    assert alert.labels == (("severity", "page"), ("team", "shop"))
    assert [r.name for r in facts.recordings] == ["orders:ratio"]
    assert facts.runbooks == (("https://wiki/orders", 14),)


@pytest.mark.parametrize("key", ["data", "stringData"])
def test_a_file_within_a_manifest_keeps_its_lines(key: str) -> None:
    inner = "".join(f"    {line}\n" for line in RULES.splitlines())
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\n{key}:\n  rules.yml: |\n{inner}"
    facts = kubernetes.read("k8s.yaml", text.encode()).monitoring
    assert facts is not None
    assert facts.alerts[0].span.line == 7 + 5
    assert text.splitlines()[facts.alerts[0].span.line - 1][facts.alerts[0].span.column - 1 :] == "alert: OrdersFail"


def test_a_manifest_without_any_has_none() -> None:
    assert kubernetes.read("k8s.yaml", b"apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n").monitoring is None


def test_queries_of_a_dashboard() -> None:
    board = {"panels": [{"targets": [{"expr": 'a{b="c"}\n> 1'}, {"expr": "d"}]}], "schemaVersion": 1}
    found = read("board.json", json.dumps(board, indent=1)).queries
    assert [q.expression for q in found] == ['a{b="c"}\n> 1', "d"]
    assert [q.span.line for q in found] == [6, 9]


@pytest.mark.parametrize(
    ("address", "held"),
    [
        ("api_url: SLACK_WEBHOOK_URL", Held.PLACEHOLDER),
        ("api_url: https://hooks.slack.com/services/XXX/YYY/ZZZ", Held.PLACEHOLDER),
        ("api_url: https://hooks.slack.com/services/T02ABCDEF/B03GHIJKL/q8Zr4TnWm2LkPx7Vb1Yc9Sd0", Held.SECRET),
        ("api_url: ${SLACK}", Held.TEMPLATED),
        ("api_url_file: /run/slack", Held.REFERENCE),
        ("api_url: https://chat.acme.dev/hook", Held.VALUE),
        ("channel: '#x'", Held.NOTHING),
    ],
)
def test_where_a_receiver_sends(address: str, held: Held) -> None:
    text = f"route: {{receiver: x}}\nreceivers:\n  - name: x\n    slack_configs:\n      - {address}\n"
    (routing,) = read("alertmanager.yml", text).routings
    assert routing.receivers[0].integrations[0].held is held


def test_an_address_for_all_receivers() -> None:
    receiver = "{name: x, slack_configs: [{channel: y}]}"
    text = f"global: {{slack_api_url_file: /x}}\nroute: {{receiver: x}}\nreceivers: [{receiver}]\n"
    (routing,) = read("alertmanager.yml", text).routings
    assert routing.receivers[0].integrations[0].held is Held.REFERENCE


def test_a_template_is_no_mistake() -> None:
    facts = read("rules.yaml", "{{- if .x }}\ngroups:\n{{ end }}\n    runbook: https://wiki/x\n")
    assert facts.is_template
    assert facts.runbooks == (("https://wiki/x", 4),)


def test_broken_rules_are_one() -> None:
    with pytest.raises(ReadProblem) as raised:
        read("rules.yaml", "groups: [\n")
    assert raised.value.reason is Reason.BAD_YAML


@pytest.mark.parametrize(
    "text", ["", "groups: 3\n", "groups: [1, {rules: [2, {alert: }]}]\n", "route: x\nreceivers: 1\n"]
)
def test_shapes_that_nobody_expects(text: str) -> None:
    assert read("rules.yml", text).routings == ()


def test_alarms_of_terraform() -> None:
    alarm_text = b'resource "aws_cloudwatch_metric_alarm" "slow" {\n  metric_name = "Latency"\n}\n'
    text = b'resource "x_bucket" "a" {\n}\n\n' + alarm_text
    (alarm,) = read_platform("main.tf", text).monitors
    assert (alarm.name, alarm.span.line) == ("slow", 4)
    assert "Latency" in alarm.text
