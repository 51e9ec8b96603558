"""What `drift.ignore` of a stack file ignores."""

import pytest

from components.settings.drift import IgnoreRule
from delivery.drift.comparing import Drift, DriftClass
from delivery.drift.fields import text
from delivery.drift.ignoring import idle, matches
from delivery.identity import identity
from tests.support.drifted import CONTAINERS, SERVER, change, manifest


@pytest.mark.parametrize(
    ("rule", "matched"),
    [
        ({"kind": "Deployment"}, True),
        ({"kind": "Deploy"}, False),
        ({"kind": "*", "name": "m"}, True),
        ({"kind": "Deployment", "name": "other"}, False),
        ({"kind": "Deployment", "field": "spec.replicas"}, True),
        ({"kind": "Deployment", "field": "spec"}, True),
        ({"kind": "Deployment", "field": "spec.rep"}, False),
        ({"kind": "Deployment", "field": "spec.*as"}, True),
        ({"kind": "Deployment", "manager": "kubectl"}, True),
        ({"kind": "Deployment", "manager": "keda*"}, False),
    ],
)
def test_ignore_rules(rule: dict[str, str], matched: bool) -> None:
    assert matches(IgnoreRule(**rule), change()) is matched
    assert len(idle([change()], [IgnoreRule(**rule)])) == (not matched)


def test_an_ignore_rule_takes_brackets_as_they_are_printed() -> None:
    drift = change((*SERVER, "image"))
    for field, matched in (
        (text(SERVER), True),
        (f"{text(CONTAINERS)}[name=*].image", True),
        ("[name]", False),
    ):
        assert matches(IgnoreRule(kind="Deployment", field=field), drift) is matched


def test_a_rule_with_a_field_does_not_ignore_a_deleted_object() -> None:
    deleted = Drift(object=identity(manifest()), kind=DriftClass.DELETED)
    assert not matches(IgnoreRule(kind="Deployment", field="spec"), deleted)
    assert matches(IgnoreRule(kind="Deployment"), deleted)
