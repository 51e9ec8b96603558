"""The registry in a real PostgreSQL: who may write it, who may only read it, and what works while it is down."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from components.settings.feature_store import REGISTRY_URL
from sandbox.harness.feature_store.store import VIEW, Store, change_definitions, feature_store
from tests.integration.feature_store.test_features import HEADING, KETTLE, plan
from tests.integration.postgres import Postgres, postgres

DATABASE, WRITER, READER = "features", "feast", "reader"
TABLES = "select count(*) from information_schema.tables where table_schema = 'public'"


@pytest.fixture
def database() -> Iterator[Postgres]:
    """A server with a database, a role that owns it and one that may only read it; it does not run."""
    with postgres() as server:
        with server.serving():
            for role in (WRITER, READER):
                server.query(f"create role {role} login password '{server.password}'")
            server.query(f"create database {DATABASE} owner {WRITER}")
            server.query(f"grant pg_read_all_data to {READER}")
        yield server


def store_of(database: Postgres, folder: Path, role: str = WRITER) -> Store:
    return feature_store(folder).with_variables(**{REGISTRY_URL: database.url(role, DATABASE)})


def test_who_may_only_read_gets_a_plan_and_cannot_apply(database: Postgres, tmp_path: Path) -> None:
    writer = store_of(database, tmp_path)
    reader = writer.with_variables(**{REGISTRY_URL: database.url(READER, DATABASE)})
    with database.serving():
        assert plan(reader).stdout.startswith(f"{HEADING}The registry is empty: this is the first time.\n")
        assert database.query(TABLES, DATABASE) == "0"
        with writer.redis():
            writer.feast("apply", "--no-progress")
            writer.materialize()
        assert plan(reader).stdout == f"{HEADING}No change.\n"
        change_definitions(writer.folder, "timedelta(days=7)", "timedelta(days=8)")
        assert "  -ttl: 604800s\n  +ttl: 691200s\n" in plan(reader).stdout
        refused = reader.feast("apply", "--no-progress", check=False)
        assert refused.returncode != 0
        assert "permission denied" in refused.stdout + refused.stderr


def test_a_wrong_password_and_a_registry_that_is_away_are_one_line(
    database: Postgres, tmp_path: Path
) -> None:
    store = store_of(database, tmp_path)
    url = store.environment[REGISTRY_URL]
    with database.serving():
        refused = plan(store, **{REGISTRY_URL: url.replace(database.password, "wrong")})
    assert refused.returncode == 1
    assert f'password authentication failed for user "{WRITER}"' in refused.stderr
    away = plan(store)
    assert away.returncode == 1
    assert "Connection refused" in away.stderr
    for said in (refused.stderr, away.stderr):
        assert said.count("\n") == 1
        assert database.password not in said


def test_servers_go_on_while_the_registry_is_away(database: Postgres, tmp_path: Path) -> None:
    store = store_of(database, tmp_path)
    with store.redis(), ExitStack() as stack:
        with database.serving():
            store.feast("apply", "--no-progress")
            store.materialize()
            assert VIEW in database.query("select feature_view_name from feature_views", DATABASE)
            serving = stack.enter_context(store.serving())
        until = time.monotonic() + 3 * store.settings.registry_refresh_seconds
        while time.monotonic() < until:
            assert serving.read("kettle-01") == KETTLE
        assert store.feast("apply", "--no-progress", check=False).returncode != 0
