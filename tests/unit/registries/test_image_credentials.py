"""Whom an image registry's credentials reach, in which form, and what is said of those that cannot be used."""

import base64
import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from delivery.registries.errors import Denied, Unavailable
from delivery.registries.images import image_digest
from tests.support.hostile_server import Asked, Play, answer, hostile
from tests.unit.registries.test_artifacts import digest, image

BASIC = base64.b64encode(b"reader:made-up").decode()


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[object], Path]:
    """Writes a Docker configuration, as text or as JSON; returns its file."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))

    def write(config: object) -> Path:
        file = tmp_path / "config.json"
        file.write_text(config if isinstance(config, str) else json.dumps(config))
        return file

    return write


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Of a server that this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def registry(tls: ssl.SSLContext) -> Iterator[SimpleNamespace]:
    """A registry that shows one image to who has the token `short`, which its server of tokens gives out."""
    store: dict[str, object] = {}
    made = image(store)
    found = SimpleNamespace(made=made, challenge=None, elsewhere=None)

    def route(asked: Asked) -> Play:
        if asked.path.startswith("/token"):
            return answer({"token": "short"})
        if "authorization: bearer short" not in asked.text.lower():
            challenge = found.challenge or f'Bearer realm="https://{found.host}/token?a=b",service="s"'
            return answer({}, "401 Unauthorized", WWW_Authenticate=challenge)
        name = asked.path.rpartition("/")[2]
        if found.elsewhere and "/blobs/" in asked.path:
            return answer(b"", "307 Temporary Redirect", Location=f"{found.elsewhere}/{name}")
        return answer(made if name == "v1" else store[name])

    with hostile(route, tls) as server:
        found.host, found.asked, found.store = server.host, server.asked, store
        yield found


def ask(registry: SimpleNamespace) -> str:
    return image_digest(f"{registry.host}/m", "v1")


def token_request(registry: SimpleNamespace) -> Asked:
    asked: list[Asked] = [each for each in registry.asked if each.path.startswith("/token")]
    assert len(asked) == 1
    return asked[0]


def test_an_identity_token_is_exchanged_and_never_sent_to_the_registry_itself(
    registry: SimpleNamespace, docker: Callable[[object], Path]
) -> None:
    docker({"auths": {registry.host: {"auth": BASIC, "identitytoken": "long-lived"}}})
    assert ask(registry) == digest(registry.made)
    asked = token_request(registry)
    assert asked.method == "POST"
    for said in (
        "grant_type=refresh_token",
        "refresh_token=long-lived",
        "service=s",
        "scope=repository%3Am%3Apull",
    ):
        assert said in asked.text
    assert sum("long-lived" in each.text for each in registry.asked) == 1


@pytest.mark.parametrize(
    "entry",
    [{"auth": BASIC}, {"auth": BASIC, "identitytoken": "", "registrytoken": ""}],
    ids=["auth", "empty tokens"],
)
def test_a_password_is_exchanged(
    registry: SimpleNamespace, docker: Callable[[object], Path], entry: dict[str, str]
) -> None:
    docker({"auths": {f"https://{registry.host}/v2/": entry}})
    assert ask(registry) == digest(registry.made)
    asked = token_request(registry)
    assert asked.path == "/token?a=b&service=s&scope=repository%3Am%3Apull"
    assert f"Authorization: Basic {BASIC}" in asked.text
    assert sum(BASIC in each.text for each in registry.asked) == 1


def test_a_registrys_own_token_is_used_as_it_is(
    registry: SimpleNamespace, docker: Callable[[object], Path]
) -> None:
    docker({"auths": {registry.host: {"registrytoken": "short"}}})
    assert ask(registry) == digest(registry.made)
    assert not any(each.path.startswith("/token") for each in registry.asked)


def test_another_port_gets_no_credentials(
    registry: SimpleNamespace, docker: Callable[[object], Path]
) -> None:
    docker({"auths": {"127.0.0.1:1": {"auth": BASIC}, "127.0.0.1": {"auth": BASIC}}})
    assert ask(registry) == digest(registry.made)
    assert not any("Basic" in each.text for each in registry.asked)


@pytest.mark.parametrize(
    "realm",
    [
        "http://registry.example.com/token",
        "https://[::1",
        "",
        "file:///etc/passwd",
        "https://a@b.example.com/t",
    ],
)
def test_a_server_of_tokens_without_tls_gets_nothing(
    registry: SimpleNamespace, docker: Callable[[object], Path], realm: str
) -> None:
    docker({"auths": {registry.host: {"auth": BASIC}}})
    registry.challenge = f'Bearer realm="{realm}",service="s"'
    with pytest.raises(Denied, match="as its server of tokens, which is not over TLS"):
        ask(registry)
    assert not any(BASIC in each.text for each in registry.asked)


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized"])
def test_where_a_registry_redirects_to_gets_no_credentials(
    registry: SimpleNamespace, docker: Callable[[object], Path], tls: ssl.SSLContext, status: str
) -> None:
    docker({"auths": {registry.host: {"auth": BASIC}}})

    def storage(asked: Asked) -> Play:
        challenge = f'Bearer realm="https://{registry.host}/token"'
        return answer(registry.store[asked.path[1:]], status, WWW_Authenticate=challenge)

    with hostile(storage, tls) as other:
        registry.elsewhere = f"https://{other.host}"
        if status == "200 OK":
            assert ask(registry) == digest(registry.made)
        else:
            with pytest.raises(Denied):
                ask(registry)
    (asked,) = other.asked
    assert "authorization" not in asked.text.lower()


def test_a_redirect_out_of_tls_is_refused(registry: SimpleNamespace) -> None:
    with hostile(lambda _: answer(b"")) as plain:
        registry.elsewhere = f"http://{plain.host}"
        with pytest.raises(Unavailable, match=r"redirects to http://.*, which is not over TLS"):
            ask(registry)
    assert plain.asked == []


@pytest.mark.parametrize(
    "config",
    ["{", "[]", "7", '{"auths": []}', '{"auths": {"HOST": 7}}', '{"auths": {"HOST": {"auth": 7}}}',
     '{"auths": {"HOST": {"auth": "not base64"}}}', '{"credHelpers": ["a"]}', '{"auths": ' * 5000],
)  # fmt: skip
def test_a_broken_configuration_is_named_and_not_passed_over(
    registry: SimpleNamespace, docker: Callable[[object], Path], config: str
) -> None:
    file = docker(config.replace("HOST", registry.host))
    with pytest.raises(Denied, match=f"the Docker configuration {file} cannot be read, or its entry"):
        ask(registry)


@pytest.mark.filterwarnings("ignore:docker-credential")
def test_a_credential_helper_that_is_missing_is_named(
    registry: SimpleNamespace, docker: Callable[[object], Path]
) -> None:
    docker({"credHelpers": {registry.host: "not-installed"}})
    with pytest.raises(Denied, match="docker-credential-not-installed"):
        ask(registry)


def test_a_credential_helper_that_hangs_is_given_up(
    registry: SimpleNamespace,
    docker: Callable[[object], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    helper = tmp_path / "docker-credential-slow"
    helper.write_text("#!/bin/sh\nexec sleep 3\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    docker({"credHelpers": {registry.host: "slow"}})
    with pytest.raises(Unavailable, match="did not answer within 1 s"):
        image_digest(f"{registry.host}/m", "v1", seconds=0.6)


def test_a_wrong_kind_of_login_is_denied(registry: SimpleNamespace, docker: Callable[[object], Path]) -> None:
    docker({"auths": {registry.host: {"identitytoken": "long-lived"}}})
    registry.challenge = 'Basic realm="r"'
    with pytest.raises(Denied, match=f"docker login {registry.host}"):
        ask(registry)


@pytest.mark.parametrize("given", [{}, {"token": None}, {"token": 7}, {"token": "a\r\nb"}, {"token": ""}])
def test_an_odd_token_is_one_message(tls: ssl.SSLContext, given: dict[str, Any]) -> None:
    def route(asked: Asked) -> Play:
        if asked.path.startswith("/token"):
            return answer(given)
        host = asked.text.lower().partition("host: ")[2].partition("\r")[0]
        return answer({}, "401 Unauthorized", WWW_Authenticate=f'Bearer realm="https://{host}/token"')

    with (
        hostile(route, tls) as server,
        pytest.raises(Unavailable, match="did not answer about m as a registry does"),
    ):
        image_digest(f"{server.host}/m", "v1")


def test_plain_http_elsewhere_is_called_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("delivery.registries.images.is_loopback", lambda _: False)
    with (
        hostile(lambda _: answer({})) as server,
        pytest.raises(Unavailable, match=f"{server.host} answers in plain HTTP, and not over TLS"),
    ):
        image_digest(f"{server.host}/m", "v1")
    assert server.asked == []
