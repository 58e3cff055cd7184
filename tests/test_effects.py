"""What endpoints change: targets, actions, the way there, and calls that can't be followed."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from assay.scanner.engine import Options, understand
from assay.scanner.executors import InlineExecutor
from assay.scanner.model.effect import Effect, EffectKind
from assay.scanner.model.endpoint import Endpoint

HEAD = """
    from typing import Annotated

    import httpx
    from fastapi import BackgroundTasks, Depends, FastAPI
    from sqlalchemy import insert, text
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()

    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

        def rename(self, name: str) -> None:
            self.name = name

    def get_session() -> Session: ...

    SessionDep = Annotated[Session, Depends(get_session)]
"""


def endpoint_of(tmp_path: Path, code: str) -> Endpoint:
    (tmp_path / "app.py").write_text(dedent(HEAD) + dedent(code))
    known = understand(tmp_path, Options(analyzers=False, make_pool=lambda _: InlineExecutor()))
    assert not [d for d in known.diagnostics if d.reason.is_internal_error]
    [endpoint] = known.linked.services[0].endpoints
    return endpoint


def effects_of(tmp_path: Path, statements: str) -> tuple[Effect, ...]:
    body = "".join(f"\n        {line}" for line in dedent(statements).strip().splitlines())
    code = f"""
    @app.post("/x")
    def handler(user_id: int, session: SessionDep, tasks: BackgroundTasks):{body}
    """
    return endpoint_of(tmp_path, code).effects


@pytest.mark.parametrize(
    ("statements", "kind", "action", "target"),
    [
        ("session.add(User(id=1))\nsession.commit()", EffectKind.WRITE, "create", "User"),
        ("user = session.get(User, 1)\nsession.add(user)", EffectKind.WRITE, "update", "User"),
        ("session.delete(session.get(User, 1))", EffectKind.WRITE, "delete", "User"),
        ("session.get(User, 1).rename('a')\nsession.commit()", EffectKind.WRITE, "update", "User"),
        ("session.execute(insert(User).values(id=1))", EffectKind.WRITE, "create", "User"),
        ("session.execute(text('DELETE FROM users'))", EffectKind.WRITE, "delete", "users"),
        ("session.query(User).filter_by(id=1).update({'name': 'b'})", EffectKind.WRITE, "update", "User"),
        ("httpx.delete('https://orders.example/orders/1')", EffectKind.REQUEST, "DELETE", "orders.example"),
    ],
)
def test_what_a_statement_changes(tmp_path: Path, statements: str, kind: EffectKind, action: str, target: str) -> None:
    found = [(e.kind, e.action, e.target) for e in effects_of(tmp_path, statements)]
    assert found == [(kind, action, target)]


@pytest.mark.parametrize(
    "statements",
    [
        "session.get(User, 1)",
        "user = session.get(User, 1)\nuser.name = 'never committed'",
        "session.execute(text('SELECT 1'))",
        "httpx.get('https://orders.example/orders/1')",
        "httpx.post('https://orders.example/search')",
        "names = set()\nnames.add(1)\nnames.clear()",
        "counts = {}\ncounts.update(a=1)",
    ],
)
def test_what_changes_nothing(tmp_path: Path, statements: str) -> None:
    assert effects_of(tmp_path, statements) == ()


def test_the_way_leads_from_the_handler_to_the_change(tmp_path: Path) -> None:
    endpoint = endpoint_of(
        tmp_path,
        """
        def store(session, user):
            session.add(user)

        class Users:
            def __init__(self, session: Session) -> None:
                self.session = session

            def add(self, name: str) -> None:
                store(self.session, User(name=name))

        @app.post("/users")
        def add_user(name: str, session: SessionDep):
            Users(session).add(name)
        """,
    )
    [effect] = endpoint.effects
    assert [step.text for step in effect.steps] == ["it calls `add`", "it calls `store`", "it creates User"]


def test_the_plainest_way_to_a_change_counts(tmp_path: Path) -> None:
    endpoint = endpoint_of(
        tmp_path,
        """
        def get_user(session):
            store(session)

        def store(session):
            session.add(User(id=1))

        @app.get("/users")
        def users(session: SessionDep):
            get_user(session)
            store(session)
        """,
    )
    [effect] = endpoint.effects
    assert effect.occasion is None
    assert len(effect.steps) == 2


def test_what_is_handed_to_a_worker_counts(tmp_path: Path) -> None:
    endpoint = endpoint_of(
        tmp_path,
        """
        def clean(session: Session) -> None:
            session.delete(session.get(User, 1))

        @app.post("/clean")
        def handler(session: SessionDep, tasks: BackgroundTasks):
            tasks.add_task(clean, session)
        """,
    )
    found = {(e.kind, e.target): e.excuse is None for e in endpoint.effects}
    assert found == {(EffectKind.QUEUE, "clean"): False, (EffectKind.WRITE, "User"): True}


def test_calls_that_may_change_something_are_told(tmp_path: Path) -> None:
    endpoint = endpoint_of(
        tmp_path,
        """
        @app.post("/charges")
        def handler(gateway):
            gateway.charge_card(1)
        """,
    )
    assert [e.text for e in endpoint.unfollowed] == ["`charge_card` can't be followed"]
