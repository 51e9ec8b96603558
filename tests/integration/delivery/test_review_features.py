"""The review of a change to features, with real Feast and its registry next to the control plane."""

import html
from pathlib import Path

import pytest

from components.settings.feature_store import REGISTRY_URL
from sandbox.harness.clone import CHECKOUT, Clone
from sandbox.harness.feature_store.store import change_definitions
from sandbox.harness.repository import commit, git, initialise, review
from tests.integration.feature_store.test_feature_store import READER
from tests.support.features import OWN_REDIS, STORE, write_features

NO_READER = '    m000: {version: "v1", replicas: 1}\n'


@pytest.fixture
def repository(project: Clone) -> Clone:
    """A repository whose `main` is deployed, with a model that reads from the store; `change` is checked out."""
    write_features(project.path)
    project.write_stack(READER, more=STORE)
    initialise(project)
    (project.path / ".venv-feast").symlink_to(CHECKOUT / ".venv-feast")
    project.up()
    git(project, "checkout", "--quiet", "-b", "change")
    return project


def test_what_a_definition_changes_is_on_the_page(repository: Clone, tmp_path: Path) -> None:
    change_definitions(repository.path, "timedelta(days=1)", "timedelta(days=2)", file="views.py")
    commit(repository, "Keep for two days")
    code, page = review(repository, "main..HEAD", **{REGISTRY_URL: ""})
    assert code == 1
    assert f"the plan of the features failed: {REGISTRY_URL} is not set" in plain(page)
    code, page = review(repository, "main..HEAD", **{REGISTRY_URL: f"sqlite:///{tmp_path}/registry.db"})
    assert code == 0, page
    assert "**new** feature view author_posts" in plain(page)
    assert "+ttl: 172800s" in page
    assert "(unexpected)" not in page


def test_a_store_that_is_removed_is_clearly_removed(repository: Clone) -> None:
    repository.write_stack(NO_READER)
    commit(repository, "No features any more")
    code, page = review(repository, "main..HEAD")
    assert code == 0, page
    assert "the feature store is removed from the stage" in page
    claim = f"PersistentVolumeClaim {repository.namespace}/feature-store-redis"
    assert f"| **delete** (it stays in the cluster) | {claim} |" in plain(page)
    assert "Features of" not in page


def test_another_redis_gives_up_the_own_one_and_keeps_its_data(repository: Clone, tmp_path: Path) -> None:
    another = '{url: "redis://redis.example.com:6379"}'
    repository.write_stack(READER, more=STORE.replace(OWN_REDIS, another))
    commit(repository, "A Redis with replicas")
    code, page = review(repository, "main..HEAD", **{REGISTRY_URL: f"sqlite:///{tmp_path}/registry.db"})
    assert code == 0, page
    assert "the stage's own Redis is removed" in page
    assert f"| **delete** | StatefulSet {repository.namespace}/feature-store-redis |" in plain(page)
    assert f"| **delete** (it stays in the cluster) | PersistentVolumeClaim {repository.namespace}/" in plain(
        page
    )


def plain(page: str) -> str:
    """A page without its code markup."""
    return html.unescape(page.replace("<code>", "").replace("</code>", ""))
