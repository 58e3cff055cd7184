"""Health checks: which routes are one, what their handlers reach, and what they answer when that is down."""

from __future__ import annotations

import pytest

from assay.scanner.dataflow.dependencies import Act, System, hard_dependencies, touches
from assay.scanner.dataflow.exposure import exposure
from assay.scanner.dataflow.health import health_check, health_checks, is_health_path
from assay.scanner.dataflow.other_probes import other_probes
from assay.scanner.dataflow.outage import Answer, outage
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.health import HealthPurpose
from assay.scanner.model.role import Role
from tests.projects import project_of

ENGINE = """
import contextlib, asyncio
import redis, requests, psycopg2
from sqlalchemy import create_engine, text
from fastapi import HTTPException, Response, status
from fastapi.responses import JSONResponse
engine = create_engine("postgresql://db/shop")
store = redis.Redis()

def ask():
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))

"""


def function(project: Project, name: str) -> FunctionSymbol:
    return next(f for f in project.functions if f.name == name)


def handler(body: str, parameters: str = "", before: str = "") -> tuple[FunctionSymbol, Project]:
    """A function `health` with this body, in a module that has an engine and a Redis client."""
    lines = "\n".join("    " + line for line in body.strip("\n").splitlines())
    project = project_of({"main.py": f"{ENGINE}\n{before}\n\ndef health({parameters}):\n{lines}\n"})
    return function(project, "health"), project


def endpoint(of: FunctionSymbol, method: str = "GET", path: str = "/health", auth: tuple[str, ...] = ()) -> Endpoint:
    return Endpoint(method, path, of.id, of.location, "fastapi", EndpointKind.HEALTH, Role.PROD, auth)


@pytest.mark.parametrize(
    ("path", "name", "purpose"),
    [
        ("/healthz", "m:f", HealthPurpose.GENERAL),
        ("/_health/", "m:f", HealthPurpose.GENERAL),
        ("^healthz/?$", "m:f", HealthPurpose.GENERAL),
        ("/api/v1/utils/health-check/", "m:f", HealthPurpose.GENERAL),
        ("/api/v1/{tenant}/healthcheck", "m:f", HealthPurpose.GENERAL),
        ("/<slug:org>/ping", "m:f", HealthPurpose.GENERAL),
        ("/health/db", "m:f", HealthPurpose.GENERAL),
        ("/readyz", "m:f", HealthPurpose.READINESS),
        ("/health/ready", "m:f", HealthPurpose.READINESS),
        ("/__heartbeat__", "m:f", HealthPurpose.LIVENESS),
        ("/health", "m:liveness_probe", HealthPurpose.LIVENESS),
        ("/", "site.views:health_check", HealthPurpose.GENERAL),
        ("/probe", "m:HealthCheckView.get", HealthPurpose.GENERAL),
        ("/api/status", "m:f", HealthPurpose.GENERAL),
        ("/feature_health", "m:feature_health", None),
        ("/checks", "m:list_checks", None),
        ("/projects/{id}/health", "m:f", None),
        ("/webhooks/<id>/ping", "m:f", None),
        ("/orders/ready", "m:f", None),
        ("/bookings/status", "m:f", None),
        ("/r/{health}", "m:f", None),
        ("/pings", "m:f", None),
        ("/", "m:index", None),
    ],
)
def test_paths_and_names_of_health_checks(path: str, name: str, purpose: HealthPurpose | None) -> None:
    assert is_health_path(path, name) is purpose


def test_status_counts_only_where_it_is_open() -> None:
    assert is_health_path("/api/status", "m:f", is_open=False) is None
    assert is_health_path("/health", "m:f", is_open=False) is HealthPurpose.GENERAL


def test_only_what_probes_can_ask_is_a_health_check() -> None:
    health, project = handler("return 'ok'")
    made = [endpoint(health, method) for method in ("GET", "HEAD", "POST")]
    checks = health_checks([(e, health) for e in made], project)
    assert [c.endpoint.method for c in checks] == ["GET"]


REPORTS, LIES, UNKNOWN = Answer.REPORTS, Answer.LIES, Answer.UNKNOWN


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("ask()\nreturn 'ok'", REPORTS),
        ("try:\n    ask()\nexcept Exception:\n    pass\nreturn 'ok'", LIES),
        ("try:\n    ask()\nexcept:\n    return {'db': False}\nreturn {}", LIES),
        ("try:\n    ask()\nexcept Exception:\n    raise\nreturn 'ok'", REPORTS),
        ("try:\n    ask()\nexcept Exception as e:\n    raise HTTPException(503) from e\nreturn 'ok'", REPORTS),
        ("try:\n    ask()\nexcept Exception:\n    return {}, 500\nreturn 'ok'", REPORTS),
        ("try:\n    ask()\nexcept Exception:\n    return {}, 200\nreturn 'ok'", LIES),
        ("try:\n    ask()\nexcept KeyError:\n    return {}\nreturn 'ok'", REPORTS),
        ("try:\n    ask()\nexcept psycopg2.Error:\n    return {}\nreturn 'ok'", LIES),
        ("try:\n    ask()\nexcept redis.RedisError:\n    return {}\nreturn 'ok'", REPORTS),
        ("try:\n    ask()\nexcept Exception:\n    ok = False\nelse:\n    ok = True\nreturn {'ok': ok}", LIES),
        (
            "ok = True\ntry:\n    ask()\nexcept Exception:\n    ok = False\n"
            "if not ok:\n    return JSONResponse({}, status_code=503)\nreturn {}",
            REPORTS,
        ),
        (
            "errors = []\ntry:\n    ask()\nexcept Exception as e:\n    errors.append('db')\n"
            "if errors:\n    raise HTTPException(503)\nreturn {}",
            REPORTS,
        ),
        (
            "code = 200\ntry:\n    ask()\nexcept Exception:\n    code = status.HTTP_503_SERVICE_UNAVAILABLE\n"
            "return JSONResponse({}, status_code=code)",
            REPORTS,
        ),
        (
            "checks = {'db': 'ok'}\ntry:\n    ask()\nexcept Exception:\n    checks['db'] = 'error'\n"
            "return JSONResponse(checks, 200 if all(v == 'ok' for v in checks.values()) else 503)",
            REPORTS,
        ),
        (
            "checks = {}\ntry:\n    ask()\nexcept Exception:\n    checks['db'] = False\n"
            "code = status.HTTP_200_OK if all(checks.values()) else status.HTTP_503_SERVICE_UNAVAILABLE\n"
            "return JSONResponse(checks, status_code=code)",
            REPORTS,
        ),
        ("checks = {}\ntry:\n    ask()\nexcept Exception:\n    checks['db'] = 'error'\nreturn checks", LIES),
        ("try:\n    ask()\nexcept Exception:\n    print('down')\nfinally:\n    print('done')\nreturn 'ok'", LIES),
        ("with contextlib.suppress(Exception):\n    ask()\nreturn 'ok'", LIES),
        ("for turn in range(3):\n    try:\n        ask()\n    except Exception:\n        continue\nreturn 'ok'", LIES),
        (
            "try:\n    ask()\nexcept Exception:\n    if store:\n        raise HTTPException(401)\n    return {}\n"
            "return {}",
            LIES,
        ),
        ("try:\n    ask()\nexcept Exception as e:\n    return build(e)\nreturn 'ok'", REPORTS),
    ],
)
def test_what_is_answered_when_the_database_is_down(body: str, answer: Answer) -> None:
    health, project = handler(body)
    found = {outage(health, t, project).answer for t in touches(health, project)}
    assert found == {answer}


@pytest.mark.parametrize(
    ("use", "answer"),
    [
        ("return {'up': up()}", LIES),
        ("return {'up': up()}, 200", LIES),
        ("if not up():\n    return {}, 503\nreturn {}", REPORTS),
        ("ok = up()\nreturn JSONResponse({}, status_code=200 if ok else 503)", REPORTS),
        ("ok = all([up(), True])\nreturn {}, 200 if ok else 503", REPORTS),
        ("return answer(up())", REPORTS),
    ],
)
def test_a_helper_that_swallows_is_judged_by_its_caller(use: str, answer: Answer) -> None:
    helpers = (
        "def up():\n    try:\n        ask()\n    except Exception:\n        return False\n    return True\n\n"
        "def answer(ok):\n    return JSONResponse({'ok': ok}, status_code=200 if ok else 503)\n"
    )
    health, project = handler(use, before=helpers)
    assert {outage(health, t, project).answer for t in touches(health, project)} == {answer}


def test_gathered_exceptions_are_values() -> None:
    body = "results = await asyncio.gather(ask(), return_exceptions=True)\nreturn {'results': len(results)}"
    health, project = handler(body)
    assert {outage(health, t, project).answer for t in touches(health, project)} == {LIES}


def test_what_is_injected_fails_before_the_handler_runs() -> None:
    project = project_of({
        "main.py": """
        from fastapi import Depends
        from sqlalchemy import create_engine
        from sqlalchemy.orm import Session
        engine = create_engine("sqlite://")
        def get_db():
            with Session(engine) as session:
                yield session
        def health(db: Session = Depends(get_db)):
            return "ok"
        """
    })  # fmt: skip
    found = touches(function(project, "health"), project)
    assert found
    assert {(t.system, t.act, t.injected) for t in found} == {(System.SQL, Act.OPEN, True)}
    check = health_check(endpoint(function(project, "health")), function(project, "health"), project)
    assert check.opened_only == check.dependencies
    assert check.swallowed == ()


@pytest.mark.parametrize(
    ("code", "system", "act"),
    [
        ("store.ping()", System.REDIS, Act.ASK),
        ("store.set('health', 1)", System.REDIS, Act.TRY_WRITE),
        ("store.lpush(request.name, 1)", System.REDIS, Act.WRITE),
        ("requests.get('http://x', timeout=1)", System.REMOTE, Act.ASK),
        ("psycopg2.connect('')", System.SQL, Act.ASK),
        ("engine.connect().execute(text('delete from probes'))", System.SQL, Act.WRITE),
        ("engine.connect().execute(text('select * from orders'))", System.SQL, Act.READ_ALL),
        ("engine.connect().execute(text('select * from orders limit 1'))", System.SQL, Act.ASK),
        ("request.app.state.db.execute('SELECT 1')", System.SQL, Act.ASK),
        ("unknown_task.delay()", System.BROKER, Act.ENQUEUE),
    ],
)
def test_calls_that_leave_the_process(code: str, system: System, act: Act) -> None:
    health, project = handler(code, parameters="request")
    assert (system, act) in {(t.system, t.act) for t in touches(health, project)}


@pytest.mark.parametrize("code", ["{}.get('db')", "text('SELECT 1')", "request.headers.get('x')", "session_id.split()"])
def test_calls_that_stay_in_the_process(code: str) -> None:
    health, project = handler(code, parameters="request, session_id")
    assert touches(health, project) == ()


def test_a_limit_around_the_call_counts() -> None:
    health, project = handler("with anyio.fail_after(1):\n    requests.get('http://x')", before="import anyio")
    assert [t.waits for t in touches(health, project)] == [False]
    health, project = handler("requests.get('http://x')")
    assert [t.waits for t in touches(health, project)] == [True]


@pytest.mark.parametrize(
    "body",
    [
        "try:\n    ask()\nexcept Exception as e:\n    return {'error': str(e)}",
        "try:\n    ask()\nexcept Exception as e:\n    detail = f'{e!r}'\n    raise HTTPException(503, detail=detail)",
        "checks = {}\ntry:\n    ask()\nexcept Exception as e:\n    checks['db'] = e.args\nreturn checks",
        "errors = []\ntry:\n    ask()\nexcept Exception as e:\n    errors.append(str(e))\nreturn {'errors': errors}",
    ],
)
def test_texts_of_exceptions_leak(body: str) -> None:
    assert len(exposure(*handler(body)).leaks) == 1


@pytest.mark.parametrize(
    "body",
    [
        "try:\n    ask()\nexcept Exception as e:\n    logger.error(str(e))\n    return {}, 503",
        "try:\n    ask()\nexcept Exception as e:\n    return {'error': type(e).__name__}, 503",
        "try:\n    ask()\nexcept Exception as e:\n    raise HTTPException(503) from e",
        "try:\n    ask()\nexcept Exception as e:\n    if DEBUG:\n        return str(e), 503\n    return {}, 503",
        "return {'debug': settings.DEBUG, 'region': settings.get('REGION')}",
    ],
)
def test_what_does_not_leak(body: str) -> None:
    assert exposure(*handler(body, before="DEBUG = False")).leaks == ()


@pytest.mark.parametrize(
    ("body", "constant"),
    [
        ("return 'ok', 200", True),
        ("return JSONResponse({'status': 'ok'})", True),
        ("if not store_is_open:\n    raise HTTPException(503)\nreturn 'ok'", False),
        ("ask()\nreturn 'ok'", False),
        ("vendor.check()\nreturn 'ok'", False),
    ],
)
def test_constant_answers(body: str, constant: bool) -> None:
    health, project = handler(body, before="import vendor\nstore_is_open = True")
    assert health_check(endpoint(health), health, project).constant is constant


def test_hard_dependencies_are_datastores_of_most_handlers() -> None:
    project = project_of({
        "main.py": ENGINE + "\n".join(
            f"def {name}():\n    {code}\n"
            for name, code in (
                ("version", "return 1"), ("readiness", "return 1"), ("orders", "ask()"), ("users", "ask()"),
                ("cart", "store.get('cart')"), ("mail", "requests.get('http://x')"),
            )
        )
    })  # fmt: skip
    handlers = [f for f in project.functions if f.name != "ask"]
    assert hard_dependencies(handlers, project) == ()
    fewer = [f for f in handlers if f.name != "mail"]
    assert [e.text for e in hard_dependencies(fewer, project)] == ["2 of 3 handlers need the SQL database, as here"]


def probes(**modules: str) -> list[str | None]:
    return [path for _, path in other_probes(project_of({f"{name}.py": text for name, text in modules.items()}))]


def test_wrappers_that_answer_and_those_that_pass_on() -> None:
    wrapper = """
    class Wrapper:
        def __init__(self, app):
            self.app = app
        async def __call__(self, scope, receive, send):
            if scope["type"] == "http" and scope["path"] == "/livez":
                {then}
            else:
                await self.app(scope, receive, send)
    """
    answers = 'await send({"type": "http.response.start", "status": 200})'
    assert probes(main=wrapper.replace("{then}", answers)) == ["/livez"]
    assert probes(main=wrapper.replace("{then}", "await self.app(scope, receive, send)")) == []


def test_library_health_views() -> None:
    urls = """
    from django.urls import include, path
    urlpatterns = [path("ht/", include("health_check.urls")), path("orders/", include("orders.urls"))]
    """
    assert probes(urls=urls) == ["/ht"]


def test_middleware_of_django_that_answers() -> None:
    middleware = """
    from django.http import HttpResponse
    def health_middleware(get_response):
        def middleware(request):
            if request.path == "/healthz":
                return HttpResponse("ok")
            return get_response(request)
        return middleware
    """
    assert probes(middleware=middleware) == ["/healthz"]
    quiet = middleware.replace('HttpResponse("ok")', "get_response(request)")
    assert probes(middleware=quiet) == []
