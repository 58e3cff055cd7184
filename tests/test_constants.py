from __future__ import annotations

import pytest

from assay.scanner.dataflow.constants import constant, int_value, string_items, string_value
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import Scope
from assay.scanner.readers.python import form
from tests.projects import project_of


def probe(text: str, **modules: str) -> tuple[form.Expr, Scope, Project]:
    """The argument of the one call of `probe` in `main.py`."""
    project = project_of({"main.py": text} | {f"{name}.py": source for name, source in modules.items()})
    call, scope = next(project.calls_named("probe"))
    return call.args[0].value, scope, project


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'/a'", "/a"),
        ("'/a' '/b'", "/a/b"),
        ("'/a' + '/b'", "/a/b"),
        ("f'{PREFIX}/users'", "/api/users"),
        ("f'{PREFIX}/v{VERSION}'", "/api/v2"),
        ("'%s/v%s' % (PREFIX, VERSION)", "/api/v2"),
        ("'{}/v{}'.format(PREFIX, VERSION)", "/api/v2"),
        ("'{prefix}/x'.format(prefix=PREFIX)", "/api/x"),
        ("'/'.join(['', 'api', 'x'])", "/api/x"),
        ("PREFIX.strip('/').upper()", "API"),
        ("Paths.USERS", "/users"),
        ("Paths.USERS.value", "/users"),
        ("PREFIX if True else '/other'", "/api"),
        ("'' or PREFIX", "/api"),
        ("scoped('/users')", "/api/users"),
        ("str(VERSION)", "2"),
    ],
)
def test_a_string_is_folded(expression: str, value: str) -> None:
    source = """
        from enum import Enum
        PREFIX = "/api"
        VERSION = 1 + 1
        class Paths(str, Enum):
            USERS = "/users"
        def scoped(path):
            return PREFIX + path
        """
    assert string_value(*probe(source + f"probe({expression})")) == value


@pytest.mark.parametrize(
    "expression",
    [
        "unknown",
        "compute()",
        "f'{unknown}/x'",
        "f'{1:>9}'",
        "'{0.__class__}'.format(1)",
        "'{:>999999999}'.format(1)",
        "'{'.format(1)",
        "'/a' if unknown else '/b'",
        "changed",
        "3",
    ],
)
def test_what_is_computed_has_no_string(expression: str) -> None:
    source = """
        import os
        changed = "/a"
        if os.name == "nt":
            changed = "/b"
        """
    assert string_value(*probe(source + f"probe({expression})")) is None


def test_a_value_that_would_fill_the_memory_is_not_computed() -> None:
    doubling = "a0 = 'xxxxxxxxxx'\n" + "".join(f"a{n + 1} = a{n} + a{n}\n" for n in range(15))
    assert string_value(*probe(doubling + "probe(a15)")) is None
    assert constant(*probe("probe(10 ** 64 ** 64 ** 64)")) is None


def test_a_definition_in_terms_of_itself_has_no_value() -> None:
    assert string_value(*probe("a = b\nb = a\nprobe(a)")) is None
    assert string_value(*probe("def f(x):\n    return f(x)\nprobe(f('a'))")) is None


def test_names_are_followed_over_modules() -> None:
    assert string_value(*probe("from settings import PREFIX as p\nprobe(p)", settings="PREFIX = '/api'")) == "/api"
    assert string_value(*probe("import settings\nprobe(settings.PREFIX)", settings="PREFIX = '/api'")) == "/api"
    assert string_value(*probe("from settings import *\nprobe(PREFIX)", settings="PREFIX = '/api'")) == "/api"


def test_a_settings_field_has_its_default_and_is_marked_as_configured() -> None:
    source = """
        from pydantic import Field
        from pydantic_settings import BaseSettings
        class Settings(BaseSettings):
            prefix: str = "/api"
            most: int = Field(default=50)
            secret: str
        settings = Settings()
        """
    found = constant(*probe(source + "probe(settings.prefix)"))
    assert found is not None
    assert (found.value, found.configured) == ("/api", True)
    assert int_value(*probe(source + "probe(settings.most)")) == 50
    assert string_value(*probe(source + "probe(settings.secret)")) is None


def test_an_environment_variable_has_its_default() -> None:
    found = constant(*probe("import os\nprobe(int(os.getenv('MOST', '100')))"))
    assert found is not None
    assert (found.value, found.configured) == (100, True)
    assert constant(*probe("import os\nprobe(os.environ['MOST'])")) is None


def test_a_parameter_has_the_value_on_which_all_callers_agree() -> None:
    assert string_value(*probe("def f(p):\n    probe(p)\nf('/a')\nf(p='/a')")) == "/a"
    assert string_value(*probe("def f(p):\n    probe(p)\nf('/a')\nf('/b')")) is None
    assert string_value(*probe("def f(p='/d'):\n    probe(p)")) == "/d"


def test_a_switch_that_cannot_be_told_is_off() -> None:
    source = """
        import flags
        def scoped(path):
            if flags.MANY:
                return "/<org>" + path
            return path
        probe(scoped("/users"))
        """
    assert string_value(*probe(source)) == "/users"


def test_a_list_of_strings_is_read_through_names_sums_and_comprehensions() -> None:
    source = """
        READ = ["GET"]
        ALL = READ + ["POST", *("PUT",)]
        def scoped(path):
            return "/v1" + path
        """
    assert string_items(*probe(source + "probe(ALL)")) == ["GET", "POST", "PUT"]
    assert string_items(*probe(source + "probe([scoped(p) for p in ['/a', '/b']])")) == ["/v1/a", "/v1/b"]
    assert string_items(*probe(source + "probe(['/a', unknown])")) == ["/a", None]
