"""Passwords for a real OCI registry: where they come from, and to whom they are not sent."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import bcrypt
import pytest
import trustme

from delivery.registries.errors import Denied, Unavailable
from delivery.registries.images import image_digest
from sandbox.harness.registries import image_registry
from sandbox.images.push import push_image


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A registry that uses TLS and asks for a password; Docker's configuration is in a folder of the test."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(tmp_path / "cert.pem", append=True)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    password = bcrypt.gensalt(4).decode()
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    (tmp_path / "htpasswd").write_text(f"reader:{hashed}\n")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    settings = {
        "REGISTRY_HTTP_TLS_CERTIFICATE": str(tmp_path / "cert.pem"),
        "REGISTRY_HTTP_TLS_KEY": str(tmp_path / "key.pem"),
        "REGISTRY_AUTH": "htpasswd",
        "REGISTRY_AUTH_HTPASSWD_REALM": "models",
        "REGISTRY_AUTH_HTPASSWD_PATH": str(tmp_path / "htpasswd"),
    }
    (tmp_path / "images").mkdir()
    with image_registry(tmp_path / "images", settings) as host:
        found = SimpleNamespace(host=host, folder=tmp_path, password=password)
        login(found, password)
        push_image(f"{host}/model:v1", {"a": b"a"}, insecure=False)
        yield found


def test_no_password_is_sent_without_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "htpasswd").write_text("")
    settings = {
        "REGISTRY_AUTH": "htpasswd",
        "REGISTRY_AUTH_HTPASSWD_REALM": "models",
        "REGISTRY_AUTH_HTPASSWD_PATH": str(tmp_path / "htpasswd"),
    }
    with (
        image_registry(tmp_path, settings) as host,
        pytest.raises(
            Denied, match=f"{host} uses plain HTTP and asks for a password.*Fix: give the registry"
        ),
    ):
        image_digest(f"{host}/model", "v1")


def login(registry: SimpleNamespace, password: str) -> None:
    auth = base64.b64encode(f"reader:{password}".encode()).decode()
    (registry.folder / "config.json").write_text(json.dumps({"auths": {registry.host: {"auth": auth}}}))


def test_a_password_comes_from_the_docker_configuration(private: SimpleNamespace) -> None:
    assert image_digest(f"{private.host}/model", "v1").startswith("sha256:")


def test_a_password_comes_from_a_credential_helper(
    private: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = private.folder / "docker-credential-test"
    answer = json.dumps({"ServerURL": private.host, "Username": "reader", "Secret": private.password})
    helper.write_text(f"#!/bin/sh\ncat > /dev/null\necho '{answer}'\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(private.folder), prepend=os.pathsep)
    (private.folder / "config.json").write_text(json.dumps({"credHelpers": {private.host: "test"}}))
    assert image_digest(f"{private.host}/model", "v1").startswith("sha256:")


def test_a_wrong_password_and_none(private: SimpleNamespace) -> None:
    login(private, "wrong")
    with pytest.raises(Denied, match=f"docker login {private.host}"):
        image_digest(f"{private.host}/model", "v1")
    (private.folder / "config.json").unlink()
    with pytest.raises(Denied, match="does not show model to these credentials"):
        image_digest(f"{private.host}/model", "v1")


def test_a_certificate_that_is_not_trusted(private: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(Unavailable, match="certificate that is not trusted"):
        image_digest(f"{private.host}/model", "v1")
