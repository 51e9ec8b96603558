"""Who may write: attacks on a real feature server and its real Redis, and Redis over TLS."""

import json
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from components.feature_store import feast_pod, feast_yaml, routes
from components.settings.feature_store import REDIS_PASSWORD
from sandbox.harness.feature_store import store as harness
from sandbox.harness.feature_store.store import VIEW, Serving, Store, feature_store
from sandbox.machine.processes import free_port
from tests.integration.feature_store.test_features import KETTLE, refused

# The values that an attacker wants to be read.
FORGED = {"product_id": "kettle-01", "review_count": 99999, "positive_count": 99999}
KEY = "xml_deployments_test"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with values, whose Redis runs."""
    found = feature_store(tmp_path_factory.mktemp("store"))
    with found.redis():
        found.feast("apply", "--no-progress")
        found.materialize()
        yield found


def forged_rows() -> dict[str, list[Any]]:
    now = datetime.now(UTC).isoformat()
    columns = {**FORGED, "event_timestamp": now}
    return {name: [value] for name, value in columns.items()}


def post(serving: Serving, path: str, body: dict[str, Any]) -> int:
    request = urllib.request.Request(
        f"{serving.url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def write(serving: Serving) -> int:
    """The code of a forged write."""
    return post(serving, "/write-to-online-store", {"feature_view_name": VIEW, "df": forged_rows()})


def redis_says(store: Store, *commands: str, login: str = "") -> list[str]:
    """Redis' answers to commands in their inline form, the first line of each."""
    with socket.create_connection(("127.0.0.1", store.redis_port), timeout=10) as connection:
        found = []
        with connection.makefile("rwb") as stream:
            for command in (*([f"AUTH {login}"] if login else []), *commands):
                stream.write(f"{command}\r\n".encode())
                stream.flush()
                found.append(stream.readline().decode().strip())
    return found[1:] if login else found


def test_a_feature_server_refuses_every_write(store: Store) -> None:
    later = {"start_ts": "2020-01-01T00:00:00", "end_ts": "2030-01-01T00:00:00"}
    with store.serving("closed") as serving:
        assert write(serving) == 404
        assert post(serving, "/push", {"push_source_name": VIEW, "df": forged_rows(), "to": "online"}) == 404
        for path in ("/materialize", "/materialize-incremental", "/materialize?async=true&force=true"):
            assert post(serving, path, later) == 404
        for path in ("/search", "/retrieve-online-documents", "/v1/vector_stores/a/search", "/chat"):
            assert post(serving, path, {}) == 404
        for path in ("/docs", "/openapi.json", "/v1/vector_stores", "/static/chat/index.html", "/chat"):
            with pytest.raises(urllib.error.HTTPError) as error:
                urllib.request.urlopen(f"{serving.url}{path}", timeout=10)
            error.value.close()
            assert error.value.code == 404
        assert serving.read("kettle-01") == KETTLE


def test_redis_refuses_what_a_server_that_answers_it_would_write(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feast may ignore the file that closes its paths; the user as which the server logs in cannot write."""
    monkeypatch.setattr(harness, "server_configuration", without_routes)
    (store.folder / routes.FILE).unlink(missing_ok=True)
    with store.serving("open") as serving:
        assert write(serving) == 500
        assert serving.read("kettle-01") == KETTLE
    assert "has no permissions to run the 'hset' command" in serving.log.read_text()


def test_the_attack_succeeds_where_nothing_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same write to a server with all of Feast's paths, which logs in as the jobs do."""
    monkeypatch.setattr(harness, "server_configuration", without_routes)
    store = feature_store(tmp_path)
    with store.redis():
        store.feast("apply", "--no-progress")
        store.materialize()
        with replace(store, reader={}).serving() as serving:
            assert serving.read("kettle-01") == KETTLE
            assert write(serving) == 200
            assert serving.read("kettle-01") == FORGED


def without_routes(*arguments: Any) -> dict[str, str]:
    return feast_pod.configuration(*arguments)


@pytest.mark.parametrize(
    "command",
    [
        f"HSET {KEY} a 1",
        f"DEL {KEY}",
        f"EXPIRE {KEY} 1",
        f"HGETDEL {KEY} FIELDS 1 a",
        "HMGET another a",
        "KEYS *",
        "FLUSHALL",
        "CONFIG GET *",
        "ACL LIST",
        "EVAL return 0",
        "SHUTDOWN",
        "CLIENT LIST",
        "MONITOR",
        "SAVE",
    ],
)
def test_the_user_of_the_servers_may_only_read_its_keys(store: Store, command: str) -> None:
    (answer,) = redis_says(store, command, login=f"reader {store.reader[REDIS_PASSWORD]}")

    assert answer.startswith("-NOPERM")


@pytest.mark.parametrize(
    "command",
    [
        "HSET another a 1",
        "KEYS *",
        "FLUSHALL",
        "FLUSHDB",
        "SWAPDB 0 1",
        "CONFIG GET *",
        "EVAL return 0",
        "SHUTDOWN",
    ],
)
def test_the_user_of_the_jobs_may_not_manage_redis(store: Store, command: str) -> None:
    (answer,) = redis_says(store, command, login=f"writer {store.environment[REDIS_PASSWORD]}")

    assert answer.startswith("-NOPERM")


def test_no_one_gets_in_without_a_name(store: Store) -> None:
    password = store.environment[REDIS_PASSWORD]

    assert redis_says(store, "PING", f"HMGET {KEY} a") == ["-NOAUTH Authentication required."] * 2
    for login in (password, f"default {password}", f"writer {store.reader[REDIS_PASSWORD]}", "reader x"):
        (answer,) = redis_says(store, f"AUTH {login}")
        assert answer.startswith("-WRONGPASS")


@contextmanager
def tls_in_front_of(port: int, certificate: trustme.LeafCert) -> Iterator[int]:
    """A port with TLS whose connections go on to another port in the clear, as a provider's endpoint does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    found = free_port()
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", found)) as listener:
        listener.settimeout(0.2)

        def accept() -> None:
            while not stopped.is_set():
                try:
                    raw, _ = listener.accept()
                except TimeoutError:
                    continue
                threading.Thread(target=forward, args=(raw,), daemon=True).start()

        def forward(raw: socket.socket) -> None:
            try:
                with (
                    context.wrap_socket(raw, server_side=True) as client,
                    socket.create_connection(("127.0.0.1", port)) as server,
                ):
                    back = threading.Thread(target=copy, args=(server, client), daemon=True)
                    back.start()
                    copy(client, server)
            except OSError:
                # The client does not trust the certificate.
                return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield found
        stopped.set()
        thread.join()


def copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_a_redis_with_a_certificate_of_an_own_authority_is_read(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, other = trustme.CA(), trustme.CA()
    file = tmp_path / "ca.crt"
    monkeypatch.setattr(feast_yaml, "CA_FILE", str(file))
    stack = store.folder / "Pulumi.test.yaml"
    plain = stack.read_text()
    with tls_in_front_of(store.redis_port, authority.issue_cert("127.0.0.1")) as port:
        address = f"redis://127.0.0.1:{store.redis_port}"
        assert address in plain
        own = "\n        ca: {configMap: {name: redis-ca, key: ca.crt}}"
        stack.write_text(plain.replace(address, f"rediss://127.0.0.1:{port}{own}"))
        try:
            authority.cert_pem.write_to_path(str(file))
            with store.serving("tls") as serving:
                assert serving.read("kettle-01") == KETTLE
            other.cert_pem.write_to_path(str(file))
            with store.serving("stranger") as serving:
                assert refused(serving) == 500
            assert "certificate verify failed" in serving.log.read_text()
        finally:
            stack.write_text(plain)
