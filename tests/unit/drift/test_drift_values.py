"""Values that differ only in how they are written, and values that do not."""

import pytest

from delivery.drift.fields import MISSING, Key, Path
from delivery.drift.values import same

LIMIT: Path = ("spec", "resources", "limits", "memory")
SIZE: Path = ("spec", "storage", "volumeClaimTemplate", "spec", "resources", "requests", "storage")
INTERVAL: Path = ("spec", "groups", Key((("name", "a"),)), "interval")


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        (("spec", "groups", 0, "rules"), [], MISSING),
        (LIMIT, "1Gi", "1024Mi"),
        (LIMIT, "1", 1),
        (LIMIT, "1000m", "1"),
        (LIMIT, "1e3", "1k"),
        (SIZE, "20Gi", "20480Mi"),
        (("spec", "volumes", 0, "emptyDir", "sizeLimit"), "64Mi", "65536Ki"),
        (INTERVAL, "1m", "60s"),
        (INTERVAL, "1h30m", "90m"),
        (("spec", "retention"), "15d", "360h"),
        (("spec", "groups", 0, "rules", 0, "for"), "300s", "5m"),
    ],
)
def test_the_same_value_in_other_words(path: Path, one: object, other: object) -> None:
    assert same(path, one, other)
    assert same(path, other, one)


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        # An empty mapping may stand for everything, such as a selector.
        (("spec", "selector"), {}, MISSING),
        (("spec", "replicas"), 0, MISSING),
        (LIMIT, "1Gi", "1G"),
        (LIMIT, "1", True),
        (INTERVAL, "1m", "1h"),
        (INTERVAL, "60", "1m"),
        # What looks like a quantity or a duration where it is a text.
        (("data", "limits", "memory"), "1Gi", "1024Mi"),
        (("data", "interval"), "1m", "60s"),
        (("metadata", "labels", "for"), "1m", "60s"),
        (("spec", "template", "metadata", "labels", "interval"), "1m", "60s"),
        (("spec", "groups", 0, "rules", 0, "labels", "for"), "1m", "60s"),
        (("spec", "template", "spec", "containers", 0, "env", 0, "value"), "1000m", "1"),
        ((), "1", "1000m"),
    ],
)
def test_another_value(path: Path, one: object, other: object) -> None:
    assert not same(path, one, other)
