"""Code in which names, functions and annotations lead back to themselves, or to nothing: the model is still whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.scanner.diagnostics import Reason
from tests.running import run_assay

NAME_IN_TERMS_OF_ITSELF = """\
from django.db import models
from django.http import JsonResponse
from django.urls import path


class Draft(models.Model):
    title = models.CharField(max_length=80)


def save(request):
    draft = Draft.objects.filter(title=request.GET["title"])
    draft = draft[0]
    draft.parts.save(request.GET["part"])
    return JsonResponse({"title": draft.title})


urlpatterns = [path("save", save)]
"""

MANAGE = """\
import os

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
execute_from_command_line()
"""

FUNCTION_THAT_HANDS_ON_ITS_OWN_NAME = """\
from flask import Flask, jsonify

app = Flask(__name__)


def refuse(error):
    return jsonify({"error": error, "inner": refuse(error=error)})


def answer(error, again=True):
    return answer(error=error, again=False)


@app.get("/refused")
def refused():
    return refuse(error=refused)


@app.get("/answered")
def answered():
    return answer(error=answered), 200
"""

NAME_OF_A_METHOD_WITHOUT_PARAMETERS = """\
import tempfile

from fastapi import FastAPI

app = FastAPI()


class Files:
    @staticmethod
    def writer():
        kept = tempfile.TemporaryFile()

        def write(data):
            kept.write(data)
            return kept.name

        return write


@app.post("/files")
def post(data: str):
    return {"name": Files.writer()(data)}
"""

ANNOTATION_OF_NOTHING = """\
from typing import Annotated

from fastapi import FastAPI

app = FastAPI()


@app.get("/items")
def items(number: Annotated[()] = 1):
    return {"number": number}
"""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(NAME_IN_TERMS_OF_ITSELF, id="a name in terms of itself"),
        pytest.param(FUNCTION_THAT_HANDS_ON_ITS_OWN_NAME, id="a function that hands on its own name"),
        pytest.param(NAME_OF_A_METHOD_WITHOUT_PARAMETERS, id="a name of a method without parameters"),
        pytest.param(ANNOTATION_OF_NOTHING, id="an annotation of nothing"),
    ],
)
def test_the_model_is_whole(text: str, tmp_path: Path) -> None:
    (tmp_path / "views.py").write_text(text, encoding="utf-8")
    if "django" in text:
        (tmp_path / "manage.py").write_text(MANAGE, encoding="utf-8")
        (tmp_path / "settings.py").write_text('ROOT_URLCONF = "views"\n', encoding="utf-8")
    ended = run_assay("scan", ".", "--no-cache", "--no-analyzers", "-f", "json", cwd=tmp_path)
    reasons = [diagnostic["reason"] for diagnostic in json.loads(ended.out)["diagnostics"]]
    assert Reason.MODEL_INCOMPLETE not in reasons, ended.out
