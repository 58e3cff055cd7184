"""What a service finds at the addresses that a deployment gives it: variable, value, name, workload, service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.running import run_assay

SHOP = """\
import os

import requests
from flask import Flask

app = Flask(__name__)
app.config["USERS_URI"] = "http://{}/users".format(os.environ.get("USERS_API_ADDR"))
STOCK = os.getenv("STOCK_URL", "http://localhost:8001")


@app.get("/users/<name>")
def user(name):
    return requests.get(f'{app.config["USERS_URI"]}/{name}', timeout=2).json()


class Call:
    def __init__(self, url):
        self.url = url


class Client:
    def __init__(self, call):
        self.call = call

    def send(self):
        return requests.get(url=self.call.url, timeout=2).json()


@app.get("/stock/<item>")
def stock(item):
    return Client(call=Call(url=f"{STOCK}/items/{item}")).send()
"""
PEOPLE = """\
from flask import Flask

app = Flask(__name__)


@app.get("/users/<name>")
def user(name):
    return {"name": name}
"""
DOCKERFILE = """\
FROM python:3.12-slim
COPY . .
CMD ["gunicorn", "app:app"]
"""


def deployment(name: str, environment: str = "") -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      containers:
        - name: {name}
          image: ghcr.io/acme/{name}:1.4.2
{environment}---
"""


def service(name: str, selected: str) -> str:
    return f"""\
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  selector: {{app: {selected}}}
  ports: [{{port: 80, targetPort: 8000}}]
---
"""


CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: addresses
data:
  USERS_API_ADDR: accounts:80
  STOCK_URL: http://stock
  UNREAD_URL: http://stock/unread
"""


def tree(folder: Path, **files: str) -> Path:
    for name, text in {
        "shop/app.py": SHOP,
        "shop/Dockerfile": DOCKERFILE,
        "people/app.py": PEOPLE,
        "people/Dockerfile": DOCKERFILE,
        **files,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def neighbours(folder: Path) -> list[tuple[str, str, str | None, int]]:
    """The shop's: variable, name, service and number of calls."""
    ended = run_assay("inventory", ".", "--format", "json", "--no-cache", cwd=folder)
    assert ended.code == 0, ended.err
    (shop,) = (s for s in json.loads(ended.out)["services"] if s["name"] == "shop")
    reached = [name for call in shop["outbound_calls"] for name in call["reaches"]]
    assert sorted(reached) == sorted(n["service"] or n["name"] for n in shop["neighbours"] for _ in range(n["calls"]))
    return sorted((n["variable"], n["name"], n["service"], n["calls"]) for n in shop["neighbours"])


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    environment = "          envFrom: [{configMapRef: {name: addresses}}]\n"
    return tree(
        tmp_path,
        **{
            "k8s/shop.yaml": deployment("shop", environment) + service("shop", "shop"),
            "k8s/people.yaml": deployment("people") + service("accounts", "people"),
            "k8s/stock.yaml": deployment("stock") + service("stock", "stock"),
            "k8s/config.yaml": CONFIG,
        },
    )


def test_a_variable_of_a_config_map_leads_through_a_service_to_the_code_behind_it(cluster: Path) -> None:
    assert neighbours(cluster) == [("STOCK_URL", "stock", None, 1), ("USERS_API_ADDR", "accounts", "people", 1)]


def test_a_variable_of_a_compose_service_leads_to_the_service_of_that_name(tmp_path: Path) -> None:
    compose = """\
services:
  shop:
    build: shop
    environment:
      USERS_API_ADDR: accounts:8000
      STOCK_URL: http://cache
  accounts:
    build: people
  cache:
    image: redis:7
"""
    assert neighbours(tree(tmp_path, **{"compose.yml": compose})) == [("USERS_API_ADDR", "accounts", "people", 1)]


def test_the_map_of_a_report_has_the_calls_between_services(cluster: Path) -> None:
    ended = run_assay("scan", ".", "--format", "json", "--no-cache", "--no-analyzers", cwd=cluster)
    (shop,) = (s for s in json.loads(ended.out)["services"] if s["name"] == "shop")
    found = {(c["kind"], c["name"], c["what"]) for c in shop["connections"]}
    assert ("service", "people", "1 call, address in USERS_API_ADDR") in found
    assert ("address", "stock", "1 call, address in STOCK_URL") in found
    assert not [c for c in found if c[0] == "computed"]
