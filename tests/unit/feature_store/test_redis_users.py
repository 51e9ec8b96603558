"""The script that starts a stage's own Redis: it refuses passwords that would open the store."""

import hashlib
import os
import subprocess

import pytest

from components.feature_store.redis_users import READER_PASSWORD, WRITER_PASSWORD, redis_start


@pytest.mark.parametrize(
    ("writer", "reader", "said"),
    [
        ("same", "same", "have the same password, so who reads could write"),
        ("", "other", "the password of passwordSecret is empty"),
        ("other", "", "the password of readPasswordSecret is empty"),
    ],
)
def test_redis_does_not_start_with_passwords_that_open_it(writer: str, reader: str, said: str) -> None:
    done = subprocess.run(
        ["sh", "-c", redis_start("/missing/redis.conf", "ml_deployments_test")],
        env={**os.environ, WRITER_PASSWORD: writer, READER_PASSWORD: reader},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode != 0
    assert said in done.stderr


def test_no_password_is_in_what_redis_is_told() -> None:
    """A program in the place of redis-server shows its input."""
    odd = 'w"\\ $x'
    script = redis_start("/etc/redis/redis.conf", "ml_deployments_test").replace("redis-server -", "cat")
    done = subprocess.run(
        ["sh", "-c", script],
        env={**os.environ, WRITER_PASSWORD: odd, READER_PASSWORD: "r"},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    config, default, writer, reader = done.stdout.splitlines()

    assert config == "include /etc/redis/redis.conf"
    assert default == "user default reset"
    assert writer.split()[:4] == ["user", "writer", "on", checksum(odd)]
    assert reader.split()[:4] == ["user", "reader", "on", checksum("r")]


def checksum(password: str) -> str:
    """Redis' form of a password's checksum."""
    return "#" + hashlib.sha256(password.encode()).hexdigest()
