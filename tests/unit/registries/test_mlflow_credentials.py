"""A stack file names the MLflow server, so the environment says whom its credentials are for."""

import base64
from pathlib import Path

import pytest

from components.settings.registries import RegisteredModel
from delivery.registries.errors import Denied, Unavailable
from delivery.registries.mlflow_credentials import authorization, withheld
from delivery.registries.mlflow_registry import find_version
from tests.support.hostile_server import answer, hostile

TOKEN = "made-up-for-this-test"
OWN = "https://mlflow.example.com"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOKEN", "USERNAME", "PASSWORD", "URI"):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)


@pytest.mark.parametrize(
    ("address", "uri", "why"),
    [
        (OWN, OWN, None),
        (OWN, f"{OWN}:443/", None),
        (OWN, "https://MLFLOW.example.com", None),
        (f"{OWN}/team/", f"{OWN}/team", None),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000", None),
        ("http://localhost", "http://localhost:80", None),
        ("http://mlflow.example.com", "http://mlflow.example.com", "it is not asked over TLS"),
        ("http://10.0.0.1:5000", "http://10.0.0.1:5000", "it is not asked over TLS"),
        ("http://localhost.example.com", "http://localhost.example.com", "it is not asked over TLS"),
        (OWN, None, "MLFLOW_TRACKING_URI does not say which server they are for"),
        (OWN, "", "MLFLOW_TRACKING_URI does not say which server they are for"),
        ("https://other.example.com", OWN, "MLFLOW_TRACKING_URI names another server"),
        ("https://mlflow.example.com.example.org", OWN, "MLFLOW_TRACKING_URI names another server"),
        (f"{OWN}:8443", OWN, "MLFLOW_TRACKING_URI names another server"),
        (f"{OWN}/other", f"{OWN}/team", "MLFLOW_TRACKING_URI names another server"),
        (OWN, "databricks", "MLFLOW_TRACKING_URI names another server"),
        (OWN, "https://[::1", "MLFLOW_TRACKING_URI names another server"),
        ("https://127.0.0.1:5000", "http://127.0.0.1:5000", "MLFLOW_TRACKING_URI names another server"),
    ],
)
def test_credentials_are_for_the_server_that_the_environment_names(
    address: str, uri: str | None, why: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", TOKEN)
    if uri is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert withheld(address) == why
    assert authorization(address) == ({} if why else {"Authorization": f"Bearer {TOKEN}"})


def test_without_credentials_nothing_is_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    assert withheld("http://mlflow.example.com") is None
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "reader")
    assert withheld("http://mlflow.example.com") is None
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", TOKEN)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", OWN)
    assert withheld("http://mlflow.example.com") is not None
    sent = base64.b64decode(authorization(OWN)["Authorization"].removeprefix("Basic ")).decode()
    assert sent == f"reader:{TOKEN}"


def test_a_server_that_the_file_alone_names_is_asked_without_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", TOKEN)
    with hostile(lambda _: answer({}, "401 Unauthorized")) as server:
        address = f"http://{server.host}"
        with pytest.raises(
            Denied, match="asked without those of the environment: MLFLOW_TRACKING_URI does not say"
        ):
            find_version(address, RegisteredModel(name="m"), "v1")
        assert TOKEN not in server.asked[-1].text
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        with pytest.raises(Denied, match="requires other credentials"):
            find_version(address, RegisteredModel(name="m"), "v1")
        assert f"Authorization: Bearer {TOKEN}" in server.asked[-1].text


def test_neither_a_netrc_file_nor_a_proxy_sees_what_stays_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login reader password {TOKEN}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://user:made-up@127.0.0.1:1")
    with (
        hostile(lambda _: answer({}, "401 Unauthorized")) as server,
        pytest.raises(Denied, match="requires other credentials"),
    ):
        find_version(f"http://{server.host}", RegisteredModel(name="m"), "v1")
    assert "authorization" not in server.asked[0].text.lower()


def test_a_token_that_ends_in_a_line_break_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", f"{TOKEN}\n")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    with pytest.raises(Unavailable, match="the value for Authorization has characters") as error:
        find_version("http://127.0.0.1:1", RegisteredModel(name="m"), "v1")
    assert TOKEN not in str(error.value)


def test_the_password_of_a_proxy_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", f"http://user:{TOKEN}@[::1")
    with pytest.raises(Unavailable, match="cannot be asked") as error:
        find_version(OWN, RegisteredModel(name="m"), "v1", seconds=5)
    assert TOKEN not in str(error.value)


def test_a_missing_file_of_authorities_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", "/nowhere/authority.pem")
    with pytest.raises(Unavailable, match=r"/nowhere/authority.pem\)"):
        find_version("https://127.0.0.1:1", RegisteredModel(name="m"), "v1", seconds=5)
