"""Settings: what the configuration of a service is found to be, compared with what the libraries load."""

from __future__ import annotations

import pytest

from assay.scanner.configuration.echoes import without_echoes
from assay.scanner.framework import Context, Framework
from assay.scanner.frameworks.django.settings_inventory import FRAMEWORK as DJANGO
from assay.scanner.frameworks.environment import FRAMEWORK as ENVIRONMENT
from assay.scanner.frameworks.flask.config import FLASK_CONFIG
from assay.scanner.frameworks.pydantic_settings import FRAMEWORK as PYDANTIC
from assay.scanner.model.setting import Setting, shown
from tests.projects import context_of, project_of
from tests.test_framework_samples import Row, asked, expected


def settings_of(framework: Framework, main: str, **modules: str) -> dict[str, Setting]:
    return by_name(framework, context_of(main, **modules))


def by_name(framework: Framework, context: Context) -> dict[str, Setting]:
    return {setting.name: setting for setting in framework.settings(context)}


def messages(context: Context) -> list[str]:
    return [diagnostic.message for diagnostic in context.diagnostics]


# --- the samples, asked ---


def is_masked(row: Row) -> bool:
    return "***" in str(row.get("value"))


def test_django_loads_the_same_settings() -> None:
    told = {row["name"]: row for row in asked("django_settings")["settings"]}
    wanted = {row["name"]: row for row in expected("django_settings")["settings"] if row["source"] == "Django settings"}
    assert set(told) == set(wanted)
    assert {row["group"] for row in wanted.values()} == {row["group"] for row in told.values()}
    for name, row in wanted.items():
        if row.get("value") is not None and not is_masked(row):
            assert (name, row["value"]) == (name, told[name]["value"])


def test_pydantic_reads_the_same_variables() -> None:
    told = {row["name"]: row for row in asked("pydantic_settings")["settings"]}
    wanted = {row["name"]: row for row in expected("pydantic_settings")["settings"]}
    assert set(told) == set(wanted)
    for name, row in wanted.items():
        variables = row["variables"]
        assert isinstance(variables, list)
        assert told[name]["variables"] == sorted(variable.lower() for variable in variables), name
        assert (told[name]["group"], told[name]["required"]) == (row["group"], row.get("required", False)), name
        if row.get("value") is not None and not is_masked(row):
            assert told[name]["value"] == row["value"], name


def test_flask_holds_the_same_configuration() -> None:
    told = {row["name"]: row["values"] for row in asked("flask_config")["settings"]}
    wanted = expected("flask_config")["settings"]
    assert set(told) == {row["name"] for row in wanted}
    for row in wanted:
        values = told[row["name"]]
        assert isinstance(values, list)
        overridden = {("shop.config:Config", "SQLALCHEMY_DATABASE_URI"), ("shop.defaults", "SESSION_COOKIE_NAME")}
        if row.get("value") and not is_masked(row) and (row["group"], row["name"]) not in overridden:
            assert row["value"] in values, row


def test_the_environment_gives_the_same_values() -> None:
    told = {row["name"]: row["value"] for row in asked("environment")["settings"]}
    wanted = {row["name"]: row for row in expected("environment")["settings"]}
    assert set(told) == set(wanted)
    for name, row in wanted.items():
        if row.get("value") is not None and not is_masked(row):
            assert (name, told[name]) == (name, row["value"])


# --- reading the environment ---


@pytest.mark.parametrize(
    ("imports", "expression", "variable", "value", "is_required"),
    [
        ("import os", 'os.environ["X"]', "X", None, True),
        ("import os", 'os.environ.get("X")', "X", "None", False),
        ("import os", 'os.getenv("X", default="a")', "X", "'a'", False),
        ("import os", 'float(os.getenv("X", "0.5"))', "X", "0.5", False),
        ("import os", 'os.getenv("X", "a,b").split(",")', "X", "['a', 'b']", False),
        ("import os", 'os.getenv("X", "no") in ("yes", "on")', "X", "False", False),
        ("import os", 'os.getenv("A" + "B")', "AB", "None", False),
        ("import environ; env = environ.Env()", 'env("X")', "X", None, True),
        ("import environ; env = environ.Env(X=(bool, False))", 'env("X")', "X", "False", False),
        ("import environ; env = environ.Env()", 'env.bool("X", default=True)', "X", "True", False),
        ("import environ; env = environ.Env()", 'env.list("X", default=["a"])', "X", "['a']", False),
        ("import environ; env = environ.Env()", "env.db()", "DATABASE_URL", None, True),
        ("from environs import Env; env = Env()", 'env.int("X", 5)', "X", "5", False),
        ("from decouple import config", 'config("X")', "X", None, True),
        ("from decouple import config", 'config("X", default="on", cast=bool)', "X", "True", False),
        ("from decouple import Csv, config", 'config("X", default="a", cast=Csv())', "X", "['a']", False),
        ("from decouple import AutoConfig; read = AutoConfig()", 'read("X", default=3)', "X", "3", False),
        ("import dj_database_url", "dj_database_url.config(default='sqlite://')", "DATABASE_URL", "'sqlite://'", False),
        ("from starlette.config import Config; read = Config()", 'read("X", int, 3)', "X", "3", False),
    ],
)
def test_reads_are_known(imports: str, expression: str, variable: str, value: str | None, is_required: bool) -> None:
    (found,) = settings_of(ENVIRONMENT, f"{imports}\nSETTING = {expression}\n").values()
    assert (found.variables, found.value, found.is_required) == ((variable,), value, is_required)


def test_a_helper_of_the_project_reads_what_it_is_asked_for() -> None:
    helpers = """
        import os
        def text(name, default=None):
            found = os.environ.get(name, default)
            return found
        def number(name, default="1"):
            return int(text(name, default))
        def other(name):
            return name.upper()
    """
    found = settings_of(
        ENVIRONMENT,
        'from helpers import number, other, text\nA = text("A", "a")\nB = number("B")\nC = other("C")\nD = text("D")\n',
        helpers=helpers,
    )
    assert {name: (s.variables, s.value) for name, s in found.items()} == {
        "A": (("A",), "'a'"),
        "B": (("B",), None),
        "D": (("D",), "None"),
    }


def test_a_parser_of_the_project_is_not_guessed_at() -> None:
    main = """
        import os
        def parsed(text):
            if text in ("true", "on"):
                return True
            return False
        A = parsed(os.environ.get("A", "true"))
    """
    assert settings_of(ENVIRONMENT, main)["A"].value is None


def test_only_names_of_modules_and_classes_are_settings() -> None:
    main = """
        import os
        def f():
            inner = os.environ["INNER"]
        os.environ["SET"] = "a"
        print(os.environ["PRINTED"])
        FOLLOWED = f
    """
    assert settings_of(ENVIRONMENT, main) == {}


def test_a_branch_leaves_the_value_open() -> None:
    main = """
        import os
        A = os.environ.get("A", "a")
        if A:
            A = os.environ["B"]
    """
    found = settings_of(ENVIRONMENT, main)["A"]
    assert (found.value, found.variables, found.is_required) == (None, ("A", "B"), False)


def test_a_setting_of_a_library_is_not_listed_twice() -> None:
    context = context_of(
        """
        import os
        from flask import Flask
        class Config:
            A = os.environ["A"]
        app = Flask(__name__)
        app.config.from_object(Config)
        OTHER = os.environ["OTHER"]
        """
    )
    everything = [*ENVIRONMENT.settings(context), *FLASK_CONFIG.settings(context)]
    assert [(s.source, s.name) for s in without_echoes(everything)] == [
        ("environment", "OTHER"),
        ("Flask config", "A"),
    ]


# --- secrets ---


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("SECRET_KEY", "abc", "'***'"),
        ("secret_key", "", "''"),
        ("DB_PASSWORD", "abc", "'***'"),
        ("apiKey", "abc", "'***'"),
        ("STRIPE_KEY", "abc", "'***'"),
        ("ACCESS_TOKEN", None, "None"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", 30, "30"),
        ("PASSWORD_RESET_URL", "/reset", "'/reset'"),
        ("TOKENS", ["a", "b"], "['***', '***']"),
        ("KEYBOARD", "qwerty", "'qwerty'"),
        ("DATABASE_URL", "postgresql://shop:abc@db/shop", "'postgresql://shop:***@db/shop'"),
        ("DATABASE_URL", "postgresql://db/shop", "'postgresql://db/shop'"),
        (
            "DATABASES",
            {"default": {"USER": "shop", "PASSWORD": "abc"}},
            "{'default': {'USER': 'shop', 'PASSWORD': '***'}}",
        ),
        ("LONG", "a" * 2_000, None),
    ],
)
def test_secrets_are_masked(name: str, value: object, text: str | None) -> None:
    assert shown(name, value) == text


# --- Django ---


def test_django_layers_are_read_in_their_order() -> None:
    files = {
        "wsgi.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site.settings.production")\n',
        "site/__init__.py": "",
        "site/urls.py": "urlpatterns = []",
        "site/settings/__init__.py": "",
        "site/settings/base.py": """
            ROOT_URLCONF = "site.urls"
            APPS = ["a"]
            NAME = "base"
            EXTRA = {}
        """,
        "site/settings/production.py": """
            from .base import *
            import environ
            env = environ.Env()
            APPS += ["b"]
            NAME = env("NAME", default="live")
            EXTRA["X"] = env("EXTRA")
        """,
    }
    found = by_name(DJANGO, Context(project_of(files)))
    assert {name: (s.value, s.variables) for name, s in found.items()} == {
        "APPS": ("['a', 'b']", ()),
        "EXTRA": (None, ("EXTRA",)),
        "NAME": ("'live'", ("NAME",)),
        "ROOT_URLCONF": ("'site.urls'", ()),
    }
    assert {s.group for s in found.values()} == {"site.settings.production"}


# --- pydantic ---


def test_old_pydantic_settings_are_understood() -> None:
    found = settings_of(
        PYDANTIC,
        """
        from typing import Optional
        from pydantic import BaseSettings, Field
        class Settings(BaseSettings):
            a: str
            b: Optional[str]
            c = 3
            d: str = Field("x", env="OTHER_D")
            e: str = Field("x", env=["E1", "E2"])
            f: int = 1
            class Config:
                env_prefix = "app_"
                fields = {"f": {"env": "F_ELSEWHERE"}}
        """,
    )
    assert {name: (s.variables, s.value, s.is_required) for name, s in found.items()} == {
        "Settings.a": (("APP_A",), None, True),
        "Settings.b": (("APP_B",), "None", False),
        "Settings.c": (("APP_C",), "3", False),
        "Settings.d": (("OTHER_D",), "'x'", False),
        "Settings.e": (("E1", "E2"), "'x'", False),
        "Settings.f": (("F_ELSEWHERE",), "1", False),
    }


def test_fields_of_mixins_are_settings_of_the_mixin() -> None:
    found = settings_of(
        PYDANTIC,
        """
        from pydantic import BaseModel
        from pydantic_settings import BaseSettings
        class Mails(BaseModel):
            server: str = "localhost"
        class Settings(Mails, BaseSettings):
            model_config = {"env_prefix": "S_"}
            port: int
        class Plain(BaseModel):
            no_setting: int = 1
        """,
    )
    assert {name: s.variables for name, s in found.items()} == {
        "Mails.server": ("S_SERVER",),
        "Settings.port": ("S_PORT",),
    }


# --- Flask ---


def test_what_flask_takes_from_elsewhere_is_said() -> None:
    context = context_of(
        """
        import os
        from flask import Flask
        app = Flask(__name__)
        app.config.from_object(os.environ["SETTINGS"])
        app.config.from_envvar("FILE")
        app.config.from_pyfile("missing.py")
        app.config[os.environ["NAME"]] = 1
        other = {}
        other["NOT"] = "one"
        """
    )
    assert by_name(FLASK_CONFIG, context) == {}
    assert messages(context) == [
        "the object that holds these settings can't be told",
        "the file that holds these settings isn't in the tree",
        "the name of this setting can't be told",
        "the file of settings that an environment variable names can't be told",
    ]


def test_flask_takes_the_object_that_a_factory_is_given() -> None:
    found = settings_of(
        FLASK_CONFIG,
        """
        import os
        from flask import Flask
        from shop import config
        class Default:
            A = 1
        class Given:
            B = 2
        def create_app(settings=Default):
            app = Flask(__name__)
            app.config.from_object(settings)
            app.config.from_object(os.getenv("SETTINGS", "shop.config.Live"))
            return app
        create_app(Given)
        """,
        shop____init__="",
        shop__config="class Live:\n    C = 3\nclass Other:\n    D = 4\n",
    )
    assert sorted(found) == ["A", "B", "C"]
