"""What is printed about drift."""

from delivery.drift.comparing import Drift, DriftClass
from delivery.drift.fields import Key
from delivery.drift.report import entry, row
from delivery.identity import identity
from tests.support.drifted import SERVER, change, manifest


def test_the_value_of_a_secret_variable_is_not_shown() -> None:
    variables = (*SERVER, "env")
    for name, shown in (("DB_PASSWORD", False), ("TOKENIZER", True)):
        drift = Drift(
            object=identity(manifest()),
            kind=DriftClass.ADDED,
            path=(*variables, Key((("name", name),))),
            live={"name": name, "value": "hidden"},
        )
        assert ("hidden" in f"{entry(drift)}{row(drift)}") is shown


def test_the_entry_of_the_json_answer() -> None:
    assert entry(change()) == {
        "kind": "Deployment",
        "namespace": "ml",
        "name": "m",
        "class": "changed",
        "field": "spec.replicas",
        "declared": 2,
        "live": 1,
        "manager": "kubectl",
        "since": None,
        "labelled": False,
        "reason": None,
        "owner": None,
    }


def test_long_values_are_shortened_in_the_table_alone() -> None:
    drift = Drift(object=identity(manifest()), kind=DriftClass.CHANGED, path=("data", "x"), live="a\n" * 500)
    assert len(row(drift)[4]) < 60
    assert entry(drift)["live"] == "a\n" * 500
