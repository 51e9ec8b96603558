"""Where an image is, and which registries may be asked without TLS."""

import pytest

from delivery.registries.images import is_loopback, split_repository


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
