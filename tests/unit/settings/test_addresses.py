"""No address that a stage names contains a password."""

from pathlib import Path

import pytest

from components.files.sources import Sources
from components.stack import load_stack
from tests.support.feature_stores import stage
from tests.support.features import OWN_REDIS, STORE
from tests.support.projects import GOOD_STACK, problems, project

# Not a secret's form.
WORD = "unsaid"
SQL = "sql: {urlSecret: {name: registry, key: url}}"
MONITORING = (
    "  ml-deployments:monitoring: {namespace: watch, delivery: operator, stack: {install: true}, MORE}\n"
)
RECEIVER = MONITORING.replace("install: true}, MORE", 'install: true, receivers: [{webhookUrl: "ADDRESS"}]}')
STAGES = {
    "modelRegistry.mlflow": '  ml-deployments:modelRegistry: {mlflow: "ADDRESS"}\n',
    "monitoring.runbookUrl": MONITORING.replace("MORE", 'runbookUrl: "ADDRESS"'),
    "monitoring.grafanaUrl": MONITORING.replace("MORE", 'grafanaUrl: "ADDRESS"'),
    "monitoring.stack.receivers[0].webhookUrl": RECEIVER,
}


@pytest.mark.parametrize("field", STAGES)
@pytest.mark.parametrize("who", [f"ada:{WORD}", f":{WORD}", WORD])
def test_a_password_in_an_address_is_one_problem_at_its_field(tmp_path: Path, field: str, who: str) -> None:
    text = STAGES[field].replace("ADDRESS", f"https://{who}@x.example.com/a")
    (found,) = problems(project(tmp_path, GOOD_STACK + text))
    assert found.field == f"config.ml-deployments:{field}"
    assert "contains a password, and no secret is ever in git" in found.reason
    assert WORD not in str(found)


def test_an_at_sign_elsewhere_is_not_one(tmp_path: Path) -> None:
    text = STAGES["monitoring.runbookUrl"].replace("ADDRESS", "https://x.example.com/a@b:c@d")
    settings = load_stack(Sources.of(project(tmp_path, GOOD_STACK + text)), "test").settings
    assert settings.monitoring.runbook_url == "https://x.example.com/a@b:c@d"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (OWN_REDIS, f"{{url: 'redis://ada:{WORD}@r.example.com'}}", "contains a password"),
        (OWN_REDIS, "{url: 'redis://ada@r.example.com'}", "names a user, which is a setting of its own"),
        (SQL, f"objectStore: {{path: 's3://ada:{WORD}@bucket/r.pb'}}", "contains a password"),
    ],
    ids=["Redis", "a user alone", "the registry's file"],
)
def test_a_password_in_an_address_of_the_store_is_refused(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    assert old in STORE
    (found,) = problems(stage(tmp_path, store=STORE.replace(old, new)))
    assert reason in found.reason
