"""What several test files use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from delivery.rendering.render import manifests
from sandbox.machine.paths import SandboxPaths
from tests.support.feature_stores import stage
from tests.support.monitoring_stacks import INSTALLED, Manifest, stack_of
from tests.support.projects import MODEL, Objects, entry, named, project
from tests.support.rendered import commit
from tests.support.repositories import init
from tests.support.ruled import DIGEST

# How long an example takes depends on what else the machine does.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """The objects of a stage that installs a monitoring stack."""
    return stack_of(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def ruled_objects(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """The objects of a stage with a monitoring stack and one pinned model."""
    stack = entry(f'version: "v1"\nreplicas: 2\ndigest: "{DIGEST}"') + INSTALLED
    model = MODEL + "env: {API_TOKEN: {secretKeyRef: {name: tokens, key: api}}, MAX_TOKENS: '5'}\n"
    return manifests(project(tmp_path_factory.mktemp("policies"), stack, a=model), "test")


@pytest.fixture(scope="module")
def store_objects(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    """The objects of a stage with a feature store, from which one of its two models reads."""
    return named(stage(tmp_path_factory.mktemp("store")))


@pytest.fixture
def paths(tmp_path: Path) -> SandboxPaths:
    """An empty sandbox."""
    return SandboxPaths(checkout=tmp_path / "checkout")


@pytest.fixture
def no_git_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git reads only a repository's own configuration."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


@pytest.fixture
def clone(tmp_path: Path, no_git_configuration: None) -> Path:
    """A repository with one commit of one model."""
    folder = project(tmp_path / "clone")
    init(folder)
    commit(folder, "Serve model a")
    return folder
