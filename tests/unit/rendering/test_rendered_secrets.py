"""No Secret reaches a branch of rendered manifests in plain text."""

from pathlib import Path

import pytest

from components.errors import SettingsError
from delivery.rendering.branch import refuse_secrets
from tests.support import programs
from tests.support.rendered import commit, run
from tests.support.repositories import git


@pytest.mark.parametrize("key", ["data", "stringData"])
def test_a_secret_in_plain_text_is_refused_and_named(clone: Path, key: str) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "token", "namespace": "ml-test"},
        key: {"key": "dmFsdWU="},
    }
    programs.write(clone, f"def rendered(project, stage):\n    return [{secret!r}]\n")
    commit(clone, "A secret")
    code, said = run(clone)
    assert code == 1
    assert f"secret-token.yaml: {key}: the Secret token of test would be in git in plain text" in said
    assert "dmFsdWU" not in said
    assert not git(clone, "for-each-ref", "refs/heads/rendered")


def test_every_secret_is_named_and_an_empty_one_allowed() -> None:
    secrets = [{"kind": "Secret", "metadata": {"name": name}, "data": {"a": "b"}} for name in ("x", "y")]
    with pytest.raises(SettingsError) as caught:
        refuse_secrets(secrets, "test")
    assert len(caught.value.problems) == 2
    refuse_secrets([{"kind": "Secret", "metadata": {"name": "z"}, "data": {}}], "test")
