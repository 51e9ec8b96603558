"""Where an image is, and which registries may be asked without TLS."""

import pytest

from delivery.http.addresses import is_loopback
from delivery.registries.errors import RegistryError
from delivery.registries.images import image_digest, split_repository


@pytest.mark.parametrize(
    ("repository", "host", "name"),
    [
        ("model", "registry-1.docker.io", "library/model"),
        ("team/model", "registry-1.docker.io", "team/model"),
        ("registry.example.com/team/model", "registry.example.com", "team/model"),
        ("127.0.0.1:5000/model", "127.0.0.1:5000", "model"),
        ("localhost/model", "localhost", "model"),
    ],
)
def test_the_registry_of_a_repository(repository: str, host: str, name: str) -> None:
    assert split_repository(repository) == (host, name)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost:5000", True),
        ("127.0.0.1", True),
        ("127.1.2.3:5000", True),
        ("[::1]:5000", True),
        ("registry.example.com", False),
        ("localhost.example.com:5000", False),
        ("10.0.0.1:5000", False),
    ],
)
def test_only_this_machine_is_asked_without_tls(host: str, *, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize("repository", ["registry.example.com-/m", "-a.example.com/m"])
def test_a_host_that_is_not_one_is_one_message(repository: str) -> None:
    with pytest.raises(RegistryError, match="names no registry"):
        image_digest(repository, "v1")
