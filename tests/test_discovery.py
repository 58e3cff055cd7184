"""Discovery against git itself, and against everything that can be wrong with a tree."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.scanner.diagnostics import Reason
from assay.scanner.discovery import BadRootError, DiscoveryOptions, FileKind, Tree, discover
from assay.scanner.gitignore import IgnoreFile
from assay.scanner.model.role import Role
from assay.scanner.roles import RoleOverride

GIT_ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def write(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=root, env=GIT_ENVIRONMENT, capture_output=True, text=True, check=True
    )
    return done.stdout


def git_ignores(root: Path, folder: str) -> bool:
    done = subprocess.run(["git", "check-ignore", "--quiet", folder], cwd=root, env=GIT_ENVIRONMENT, check=False)
    assert done.returncode in (0, 1)
    return done.returncode == 0


def paths(tree: Tree) -> list[str]:
    return [file.path for file in tree.files]


def kinds(tree: Tree) -> dict[str, FileKind]:
    return {file.path: file.kind for file in tree.files}


SEGMENTS = st.sampled_from(["a", "b", "c.py", "d.py", "*", "**", "?", "*.py", "[ab]", "[!a]", "a*", "x y.py", "\\a"])
PATTERNS = st.builds(
    lambda negated, anchored, segments, folder: negated + anchored + "/".join(segments) + folder,
    st.sampled_from(["", "", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(SEGMENTS, min_size=1, max_size=3),
    st.sampled_from(["", "", "/", "/**", "/**/", " "]),
)
IGNORE_FILE = st.lists(PATTERNS | st.sampled_from(["# c.py", "", "!", "/", "[z-a]", "\\#a"]), max_size=5).map("\n".join)
FOLDERS = st.lists(st.sampled_from(["a", "b"]), max_size=3).map("/".join)
TREES = st.lists(
    st.tuples(FOLDERS, st.sampled_from(["c.py", "d.py", "x y.py", "ab.py", "#a.md"])), min_size=1, max_size=8
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files=TREES, ignore_files=st.dictionaries(FOLDERS, IGNORE_FILE, max_size=3), exclude=IGNORE_FILE)
def test_ignores_what_git_ignores(
    tmp_path_factory: pytest.TempPathFactory,
    files: list[tuple[str, str]],
    ignore_files: dict[str, str],
    exclude: str,
) -> None:
    root = tmp_path_factory.mktemp("tree")
    git(root, "init", "--quiet", "--template=")
    write(root, {".git/info/exclude": exclude})
    write(root, {f"{folder}/{name}".lstrip("/"): "" for folder, name in files})
    write(root, {f"{folder}/.gitignore".lstrip("/"): text for folder, text in ignore_files.items()})

    seen_by_git = git(root, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    expected = sorted(path for path in seen_by_git if path.endswith((".py", ".md")))

    assert paths(discover(root)) == expected
    if (root / "a").is_dir() and not git_ignores(root, "a"):
        inside = [path.removeprefix("a/") for path in expected if path.startswith("a/")]
        assert paths(discover(root / "a")) == inside


@pytest.mark.parametrize(
    ("lines", "ignored", "kept"),
    [
        (["build/"], ["build/x.py", "src/build/x.py"], ["build.py"]),
        (["/build"], ["build/x.py"], ["src/build/x.py"]),
        (["*", "!*/", "!*.py"], ["a/b.md"], ["a/b.py", "c.py"]),
        (["a/**", "!a/**/", "!a/**/*.py"], ["a/x.md"], ["a/b/c.py"]),
        (["a", "!a/keep.py"], ["a/keep.py"], ["b/keep.py"]),
        (["*.py", "!keep.py"], ["x.py"], ["keep.py", "a/keep.py"]),
    ],
)
def test_gitignore_idioms(tmp_path: Path, lines: list[str], ignored: list[str], kept: list[str]) -> None:
    write(tmp_path, dict.fromkeys([*ignored, *kept], "") | {".gitignore": "\n".join(lines)})
    assert paths(discover(tmp_path)) == sorted(kept)


def test_invalid_patterns_are_discarded() -> None:
    assert IgnoreFile.of_lines(["[z-a]", "trailing\\", "["]).ignores("trailing", "trailing") is None


def test_the_repository_around_the_root_has_its_say(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "generated/\n", "app/x.py": "", "app/generated/y.py": ""})
    git(tmp_path, "init", "--quiet")
    assert paths(discover(tmp_path / "app")) == ["x.py"]


def test_a_root_that_is_ignored_itself_is_scanned_all_the_same(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "/build\n*.md\n", "build/app/x.py": "", "build/app/y.md": ""})
    git(tmp_path, "init", "--quiet")
    assert paths(discover(tmp_path / "build" / "app")) == ["x.py", "y.md"]


def test_a_worktrees_exclude_file_lies_in_the_common_folder(tmp_path: Path) -> None:
    main = write(tmp_path / "main", {"x.py": ""})
    git(main, "init", "--quiet")
    git(main, "add", ".")
    git(main, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", "x")
    git(main, "worktree", "add", "--quiet", "../second")
    write(tmp_path, {"main/.git/info/exclude": "y.py", "second/y.py": ""})
    assert paths(discover(tmp_path / "second")) == ["x.py"]


def test_skips_environments_and_caches(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "app.py": "",
            "env/pyvenv.cfg": "",
            "env/lib/x.py": "",
            "node_modules/x.py": "",
            "a/__pycache__/x.py": "",
            "a/cache/CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55",
            "a/cache/x.py": "",
            "lib/python3.12/site-packages/x.py": "",
        },
    )
    assert paths(discover(tmp_path)) == ["app.py"]


def test_a_root_that_is_an_environment_is_scanned(tmp_path: Path) -> None:
    write(tmp_path, {"pyvenv.cfg": "", "app.py": ""})
    assert paths(discover(tmp_path)) == ["app.py"]


def test_excluded_paths_and_role_overrides(tmp_path: Path) -> None:
    write(tmp_path, {"app/x.py": "", "vendored/x.py": "", "labs/x.py": ""})
    options = DiscoveryOptions(exclude=("vendored/",), roles=(RoleOverride("labs/**", Role.EXAMPLE),))
    tree = discover(tmp_path, options)
    assert {file.path: file.role for file in tree.files} == {"app/x.py": Role.PROD, "labs/x.py": Role.EXAMPLE}


def test_exclude_wins_over_what_an_ignore_file_takes_back(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "!a.py", "a.py": ""})
    assert paths(discover(tmp_path, DiscoveryOptions(exclude=("a.py",)))) == []


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("x.py", "", FileKind.PYTHON),
        ("Dockerfile", "", FileKind.DOCKERFILE),
        ("Dockerfile.api", "", FileKind.DOCKERFILE),
        ("api.Dockerfile", "", FileKind.DOCKERFILE),
        ("Containerfile", "", FileKind.DOCKERFILE),
        ("docker-compose.yml", "", FileKind.COMPOSE),
        ("compose.override.yaml", "", FileKind.COMPOSE),
        ("docker-compose-local.yml", "", FileKind.COMPOSE),
        ("stack.yml", "services:\n  web:\n    image: x\n", FileKind.COMPOSE),
        ("k8s/web.yaml", "# licence\napiVersion: apps/v1\nkind: Deployment\n", FileKind.KUBERNETES),
        ("chart/templates/web.yaml", "{{- if .x }}\napiVersion: v1\nkind: Service\n{{ end }}", FileKind.KUBERNETES),
        ("chart/Chart.yaml", "apiVersion: v2\nname: x\n", FileKind.YAML_OTHER),
        ("k8s/web.json", '{"kind": "Service", "apiVersion": "v1"}', FileKind.KUBERNETES),
        (".github/workflows/ci.yml", "", FileKind.CI_WORKFLOW),
        (".gitlab-ci.yml", "", FileKind.CI_WORKFLOW),
        (".circleci/config.yml", "", FileKind.CI_WORKFLOW),
        ("openapi.json", "", FileKind.OPENAPI),
        ("api/v1.yaml", "openapi: 3.1.0\n", FileKind.OPENAPI),
        ("api/v1.json", '{\n "openapi": "3.0.2"}', FileKind.OPENAPI),
        ("alerts.yml", "groups:\n  - name: x\n    rules:\n      - alert: Down\n", FileKind.PROMETHEUS_RULES),
        (".env", "", FileKind.ENV_FILE),
        (".env.example", "", FileKind.ENV_FILE),
        ("prod.env", "", FileKind.ENV_FILE),
        ("pyproject.toml", "", FileKind.PACKAGE_METADATA),
        ("requirements-dev.txt", "", FileKind.PACKAGE_METADATA),
        ("requirements/base.txt", "", FileKind.PACKAGE_METADATA),
        ("uv.lock", "", FileKind.PACKAGE_METADATA),
        ("Procfile", "", FileKind.PROCFILE),
        ("run.sh", "", FileKind.SHELL),
        ("protos/shop.proto", "", FileKind.PROTOBUF),
        ("schema.graphql", "", FileKind.GRAPHQL),
        ("types/user.graphqls", "", FileKind.GRAPHQL),
        ("query.gql", "", FileKind.GRAPHQL),
        ("README.md", "", FileKind.DOCUMENT),
        ("docs/index.rst", "", FileKind.DOCUMENT),
        ("Dockerfile.dockerignore", "", FileKind.DOCKERIGNORE),
        ("CODEOWNERS", "", FileKind.CODEOWNERS),
        ("CHANGES.md", "", FileKind.DOCUMENT),
        ("logging.conf", "", FileKind.LOGGING_CONFIG),
        ("log_config.yaml", "", FileKind.LOGGING_CONFIG),
        ("alembic.ini", "[alembic]\n\n[loggers]\nkeys = root\n", FileKind.LOGGING_CONFIG),
        ("shop.yaml", "a: 1\n", FileKind.YAML_OTHER),
        ("chart/values.yaml", "a: 1\n", FileKind.PLATFORM),
        ("infra/main.tf", "", FileKind.PLATFORM),
        ("RUNBOOK.txt", "", FileKind.DOCUMENT),
        ("MAINTAINERS", "", FileKind.LANDMARK),
        ("docs/architecture.svg", "", FileKind.LANDMARK),
        ("uvicorn.json", '{"formatters": {"a": {}}, "handlers": {}}', FileKind.LOGGING_CONFIG),
        (
            "alerts/shop.yaml",
            "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\n",
            FileKind.PROMETHEUS_RULES,
        ),
        ("alertmanager.yml", "route:\n  receiver: x\nreceivers:\n  - name: x\n", FileKind.MONITORING),
        ("k8s/board.yaml", "apiVersion: v1\ndata:\n  board.json: |\n    {}\nkind: ConfigMap\n", FileKind.KUBERNETES),
        ("otel.yaml", "receivers:\n  otlp: {}\nservice: {}\n", FileKind.YAML_OTHER),
        ("grafana/points.yaml", "apiVersion: 1\ncontactPoints:\n  - orgId: 1\n", FileKind.MONITORING),
        ("slos.yml", 'version: "prometheus/v1"\nslos: []\n', FileKind.MONITORING),
        ("board.json", '{"panels": [], "graphTooltip": 1}', FileKind.MONITORING),
    ],
)
def test_kinds(tmp_path: Path, path: str, text: str, kind: FileKind) -> None:
    assert kinds(discover(write(tmp_path, {path: text}))) == {path: kind}


@pytest.mark.parametrize("path", ["app.ts", "data.json", "alembic.ini", "x.pyc", "notes.txt", "Dockerfile.md.png"])
def test_files_that_no_reader_needs(tmp_path: Path, path: str) -> None:
    assert paths(discover(write(tmp_path, {path: "a = 1\n"}))) == []


def test_files_have_sizes_and_are_sorted(tmp_path: Path) -> None:
    tree = discover(write(tmp_path, {"b.py": "1", "a/z.py": "", "a.py": "12345"}))
    assert [(file.path, file.size) for file in tree.files] == [("a.py", 5), ("a/z.py", 0), ("b.py", 1)]


def test_a_large_file_is_reported_and_not_listed(tmp_path: Path) -> None:
    write(tmp_path, {"big.py": "", "fine.py": "x = 1\n"})
    with (tmp_path / "big.py").open("r+b") as file:
        file.truncate(50_000_000)
    tree = discover(tmp_path)
    assert paths(tree) == ["fine.py"]
    (diagnostic,) = tree.diagnostics
    assert (diagnostic.path, diagnostic.reason) == ("big.py", Reason.TOO_LARGE)
    assert "50,000,000 bytes" in diagnostic.message
    assert paths(discover(tmp_path, DiscoveryOptions(max_size=50_000_000))) == ["big.py", "fine.py"]


def test_an_empty_folder(tmp_path: Path) -> None:
    assert discover(tmp_path) == Tree(tmp_path, ())


def test_a_file_for_a_folder(tmp_path: Path) -> None:
    write(tmp_path, {"app.py": ""})
    with pytest.raises(BadRootError, match=r"app\.py is no folder; name the folder that holds it"):
        discover(tmp_path / "app.py")


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(BadRootError, match="there is no "):
        discover(tmp_path / "missing")


def test_links_are_not_followed_and_what_they_hide_is_told(tmp_path: Path) -> None:
    root = write(tmp_path / "root", {"app/x.py": "", "app/deep/y.py": ""})
    write(tmp_path / "outside", {"z.py": ""})
    (root / "app" / "deep" / "up").symlink_to(root / "app")
    (root / "itself").symlink_to("itself")
    (root / "inside").symlink_to("app")
    (root / "outside").symlink_to(tmp_path / "outside")
    (root / "z.py").symlink_to(tmp_path / "outside" / "z.py")
    (root / "same.py").symlink_to("app/x.py")
    (root / "gone.py").symlink_to("nowhere.py")
    (root / "logo.png").symlink_to(tmp_path / "outside" / "logo.png")
    tree = discover(root)
    assert paths(tree) == ["app/deep/y.py", "app/x.py"]
    assert [(d.path, d.reason) for d in tree.diagnostics] == [
        ("app/deep/up", Reason.SYMLINK_LOOP),
        ("gone.py", Reason.UNRESOLVED),
        ("itself", Reason.SYMLINK_LOOP),
        ("outside", Reason.UNRESOLVED),
        ("z.py", Reason.UNRESOLVED),
    ]


def test_a_root_behind_a_link(tmp_path: Path) -> None:
    write(tmp_path / "real", {"x.py": ""})
    (tmp_path / "real" / "same.py").symlink_to("x.py")
    (tmp_path / "link").symlink_to("real")
    tree = discover(tmp_path / "link")
    assert (paths(tree), tree.diagnostics) == (["x.py"], ())


def test_a_pipe_with_a_modules_name_does_not_hang_the_scan(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "app.py")
    os.mkfifo(tmp_path / "shop.yaml")
    tree = discover(tmp_path)
    assert [(d.path, d.reason) for d in tree.diagnostics] == [
        ("app.py", Reason.UNREADABLE),
        ("shop.yaml", Reason.UNREADABLE),
    ]


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.py")).write_text("", encoding="utf-8")
    tree = discover(tmp_path)
    assert [(d.path, d.reason) for d in tree.diagnostics] == [("caf\\xe9.py", Reason.UNREADABLE)]
    assert paths(tree) == []


SCAN_WITHOUT_PRIVILEGES = textwrap.dedent(
    """
    import os, sys
    from pathlib import Path
    from assay.scanner.discovery import BadRootError, discover
    root = Path(sys.argv[1])
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    try:
        tree = discover(root)
    except BadRootError as error:
        print(error)
    else:
        print([file.path for file in tree.files], [(d.path, str(d.reason), d.message) for d in tree.diagnostics])
    """
)


def scan_without_privileges(root: Path) -> str:
    """Root reads everything, so the scan runs as `nobody`, which must be able to reach the tree."""
    for folder in (root, *root.parents):
        if not folder.stat().st_mode & 0o001 and folder.owner() == Path.home().owner() and folder != root:
            folder.chmod(folder.stat().st_mode | 0o001)
    done = subprocess.run(
        [sys.executable, "-c", SCAN_WITHOUT_PRIVILEGES, str(root)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_unreadable_folders_and_files_are_reported(tmp_path: Path) -> None:
    write(tmp_path, {"app.py": "", "closed/x.py": "", "shop.yaml": "", "part/.gitignore": "x.py", "part/x.py": ""})
    tmp_path.chmod(0o755)
    (tmp_path / "closed").chmod(0)
    (tmp_path / "shop.yaml").chmod(0)
    (tmp_path / "part" / ".gitignore").chmod(0)
    try:
        assert scan_without_privileges(tmp_path) == (
            "['app.py', 'part/x.py'] [('closed', 'unreadable', \"the folder can't be read: Permission denied\"), "
            "('part/.gitignore', 'unreadable', \"it can't be read, so nothing is ignored for it: Permission denied\"), "
            "('shop.yaml', 'unreadable', \"the file can't be read: Permission denied\")]"
        )
    finally:
        (tmp_path / "closed").chmod(0o755)


def test_an_unreadable_root(tmp_path: Path) -> None:
    root = tmp_path / "closed"
    root.mkdir(mode=0)
    try:
        assert scan_without_privileges(root) == f"{root} can't be read: Permission denied"
    finally:
        root.chmod(0o755)


def test_is_quick(tmp_path: Path) -> None:
    patterns = "\n".join(f"*.ext{number}\n/folder{number}/\nname{number}" for number in range(40))
    files = {f"package{number % 60}/module{number}.py": "" for number in range(1200)}
    write(tmp_path, files | {".gitignore": patterns})
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        assert len(discover(tmp_path).files) == 1200
        best = min(best, time.process_time() - start)
    assert best < 0.2, f"{best:.3f} s of processor time for 1,200 modules"
