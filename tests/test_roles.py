"""Roles of files: what is certain leaves production, what only looks like it stays."""

from __future__ import annotations

import pytest

from assay.scanner.filekinds import FileKind
from assay.scanner.model.role import Role
from assay.scanner.roles import FILES, FOLDERS, RoleOverride, Roles, is_migration, is_offline

SERVICE = (
    "pyproject.toml",
    "manage.py",
    "shop/__init__.py",
    "shop/app.py",
    "shop/api/__init__.py",
    "shop/api/routes.py",
)
"""A project whose package is `shop`; each case adds one file to it."""


def role_of(path: str, kind: FileKind = FileKind.PYTHON, others: tuple[str, ...] = SERVICE) -> Role:
    return Roles.of_tree([*others, path]).decide(path, kind).role


@pytest.mark.parametrize(
    ("path", "role"),
    [
        # Tests.
        ("tests/test_app.py", Role.TEST),
        ("tests/factories.py", Role.TEST),
        ("test/app.py", Role.TEST),
        ("shop/tests/test_models.py", Role.TEST),
        ("shop/api/tests.py", Role.TEST),
        ("shop/test_models.py", Role.TEST),
        ("shop/models_test.py", Role.TEST),
        ("shop/conftest.py", Role.TEST),
        ("integration-tests/run.py", Role.TEST),
        ("e2e/login.py", Role.TEST),
        ("shop/testing/api.py", Role.TEST),
        ("features/steps/login.py", Role.TEST),
        ("shop/settings/test.py", Role.TEST),
        ("tests/scripts/seed.py", Role.TEST),
        # Names of the domain inside a package.
        ("shop/test/results.py", Role.PROD),
        ("shop/api/testing.py", Role.PROD),
        ("shop/latest.py", Role.PROD),
        ("shop/testimonials.py", Role.PROD),
        ("shop/contest.py", Role.PROD),
        ("shop/test_runs/views.py", Role.PROD),
        ("shop/tools/search.py", Role.PROD),
        ("shop/scripts/views.py", Role.PROD),
        ("shop/examples/views.py", Role.PROD),
        ("shop/samples/views.py", Role.PROD),
        ("shop/plugins/docs/plugin.py", Role.PROD),
        ("shop/handlers/setup.py", Role.PROD),
        ("shop/api/tasks.py", Role.PROD),
        ("shop/perf/views.py", Role.PROD),
        ("shop/bin/views.py", Role.PROD),
        ("shop/features/flags.py", Role.PROD),
        ("shop/management/commands/test_email.py", Role.PROD),
        ("shop/management/commands/clean.py", Role.PROD),
        ("shop/migrations/0001_initial.py", Role.PROD),
        ("tasks.py", Role.PROD),
        ("gunicorn.conf.py", Role.PROD),
        ("demo/app.py", Role.PROD),
        # Around the package.
        ("scripts/release.py", Role.TOOL),
        ("tools/lint.py", Role.TOOL),
        ("bin/release.py", Role.TOOL),
        ("benchmarks/lists.py", Role.TOOL),
        (".github/scripts/label.py", Role.TOOL),
        (".semgrep/rules/cookies.py", Role.TOOL),
        ("setup.py", Role.TOOL),
        ("noxfile.py", Role.TOOL),
        ("locustfile.py", Role.TOOL),
        ("load_tests/users.py", Role.TOOL),
        ("deploy/loadgenerator/run.py", Role.TOOL),
        ("shop/rpc/shop_pb2.py", Role.TOOL),
        ("shop/rpc/shop_pb2_grpc.py", Role.TOOL),
        ("examples/client.py", Role.EXAMPLE),
        ("samples/client.py", Role.EXAMPLE),
        ("docs/conf.py", Role.EXAMPLE),
        ("docs_src/first_steps/tutorial001.py", Role.EXAMPLE),
        (".devcontainer/prepare.py", Role.DEV),
        ("shop/settings/local.py", Role.DEV),
        ("shop/settings_dev.py", Role.DEV),
        ("shop/local.py", Role.PROD),
        ("shop/dev/views.py", Role.PROD),
    ],
)
def test_python_files(path: str, role: Role) -> None:
    assert role_of(path) is role


@pytest.mark.parametrize(
    ("path", "kind", "role"),
    [
        ("docker-compose.yml", FileKind.COMPOSE, Role.PROD),
        ("docker-compose.override.yml", FileKind.COMPOSE, Role.DEV),
        ("docker-compose-local.yml", FileKind.COMPOSE, Role.DEV),
        ("docker-compose.dev.yaml", FileKind.COMPOSE, Role.DEV),
        ("compose.test.yaml", FileKind.COMPOSE, Role.TEST),
        ("compose.prod.yaml", FileKind.COMPOSE, Role.PROD),
        (".devcontainer/docker-compose.yml", FileKind.COMPOSE, Role.DEV),
        ("Dockerfile", FileKind.DOCKERFILE, Role.PROD),
        ("Dockerfile.dev", FileKind.DOCKERFILE, Role.DEV),
        ("Dockerfile.device-api", FileKind.DOCKERFILE, Role.PROD),
        ("overlays/dev/web.yaml", FileKind.KUBERNETES, Role.DEV),
        ("overlays/prod/web.yaml", FileKind.KUBERNETES, Role.PROD),
        (".env", FileKind.ENV_FILE, Role.PROD),
        (".env.example", FileKind.ENV_FILE, Role.EXAMPLE),
        (".env.test", FileKind.ENV_FILE, Role.TEST),
        (".flaskenv", FileKind.ENV_FILE, Role.DEV),
        ("requirements.txt", FileKind.PACKAGE_METADATA, Role.PROD),
        ("requirements-dev.txt", FileKind.PACKAGE_METADATA, Role.DEV),
        ("requirements/test.txt", FileKind.PACKAGE_METADATA, Role.TEST),
        ("docs/requirements.txt", FileKind.PACKAGE_METADATA, Role.EXAMPLE),
        ("docs/openapi.yaml", FileKind.OPENAPI, Role.PROD),
        ("docs/runbook.md", FileKind.DOCUMENT, Role.PROD),
        ("bin/start.sh", FileKind.SHELL, Role.PROD),
        (".github/workflows/tests.yml", FileKind.CI_WORKFLOW, Role.PROD),
    ],
)
def test_other_files(path: str, kind: FileKind, role: Role) -> None:
    assert role_of(path, kind) is role


def test_the_name_of_the_root_never_counts() -> None:
    roles = Roles.of_tree(["__init__.py", "app.py", "tools/search.py"])
    assert roles.decide("app.py", FileKind.PYTHON).role is Role.PROD
    assert roles.decide("tools/search.py", FileKind.PYTHON).role is Role.PROD, "the root is a package itself"


def test_a_flat_service_keeps_its_packages() -> None:
    flat = ("requirements.txt", "main.py", "tools/__init__.py", "scripts/seed.py")
    assert role_of("tools/search.py", others=flat) is Role.PROD
    assert role_of("scripts/seed.py", others=flat) is Role.TOOL


def test_modules_without_packages_are_product_too() -> None:
    """Services without a single `__init__.py` are common; a folder of modules below a project's root is code."""
    namespace = ("requirements.txt", "app/main.py", "app/db.py")
    assert role_of("app/tools/search.py", others=namespace) is Role.PROD
    assert role_of("app/sub/deep/scripts/views.py", others=namespace) is Role.PROD


def test_a_project_inside_the_tree_has_its_own_scripts() -> None:
    several = ("services/orders/Dockerfile", "services/orders/main.py")
    assert role_of("services/orders/scripts/seed.py", others=several) is Role.TOOL


def test_the_outermost_folder_decides() -> None:
    assert role_of("examples/shop/tests/test_x.py") is Role.EXAMPLE
    assert role_of("tests/examples/x.py") is Role.TEST


def test_the_configuration_has_the_last_word_and_the_first_match_counts() -> None:
    overrides = (RoleOverride("tests/keep.py", Role.PROD), RoleOverride("tests/", Role.EXAMPLE))
    roles = Roles.of_tree(["tests/keep.py", "tests/x.py"], overrides)
    assert roles.decide("tests/keep.py", FileKind.PYTHON).role is Role.PROD
    decision = roles.decide("tests/x.py", FileKind.PYTHON)
    assert (decision.role, decision.reason) == (Role.EXAMPLE, "[files] roles gives it to tests/")


def test_every_decision_has_a_reason() -> None:
    assert Roles.of_tree(["tests/x.py"]).decide("tests/x.py", FileKind.PYTHON).reason.startswith("pytest, unittest")
    assert all(row.reason for row in FOLDERS)
    assert all(row.reason for row in FILES)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("shop/migrations/0001_initial.py", True),
        ("shop/migrations/__init__.py", True),
        ("migrations/versions/1a2b3c4d5e6f_add_orders.py", True),
        ("migrations/env.py", True),
        ("alembic/versions/add_orders.py", True),
        ("shop/database/revisions/core/versions/2024-01-31_1a2b3c4d5e6f.py", True),
        ("shop/database/versions/1a2b3c4d5e6f_add_orders.py", True),
        ("migrations/models/1_20240131_add.py", True),
        ("shop/migrations/service.py", False),
        ("shop/api/versions/v1.py", False),
        ("shop/api/versions/deadline.py", False),
        ("shop/migrations/0001_initial.sql", False),
        ("shop/models.py", False),
    ],
)
def test_migrations(path: str, expected: bool) -> None:
    assert is_migration(path) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("shop/management/commands/clean.py", True),
        ("management/commands/clean.py", True),
        ("shop/cli.py", True),
        ("shop/cli/orders.py", True),
        ("shop/__main__.py", True),
        ("manage.py", True),
        ("shop/scripts/seed.py", True),
        ("shop/migrations/0001_initial.py", True),
        ("shop/client.py", False),
        ("shop/management/views.py", False),
        ("shop/api/routes.py", False),
    ],
)
def test_offline_code(path: str, expected: bool) -> None:
    assert is_offline(path) is expected
