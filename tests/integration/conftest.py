"""One sandbox for all integration tests, and a separate project for each test."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.harness.clone import Clone
from sandbox.harness.sandboxes import project_of, running_sandbox

OPT_OUT = "SKIP_INTEGRATION"
# What takes minutes, the longest first, so that no worker is left alone with one of them at the end.
LONG = (
    "test_rules.py",
    "test_drift.py",
    "test_pull_features.py",
    "test_real_nodes.py",
    "test_loop.py",
    "test_pull.py",
    "test_push.py",
    "test_feature_registry.py",
    "test_faults.py",
)
_NUMBERS = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Integration tests are skipped only on request; the longest begin first."""
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONG)))
    for item in items:
        item.add_marker(pytest.mark.integration)
        if os.environ.get(OPT_OUT):
            item.add_marker(pytest.mark.skip(reason=f"{OPT_OUT} is set"))


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A copy of the checkout whose sandbox is up."""
    for name in list(os.environ):
        if name == "KUBECONFIG" or name.startswith("PULUMI_"):
            del os.environ[name]
    with running_sandbox(tmp_path_factory.mktemp("sandbox") / "clone") as clone:
        clone.python("sandbox", "tools", "--all")
        yield clone


@pytest.fixture
def project(sandbox: Clone, tmp_path: Path) -> Iterator[Clone]:
    """A project with one model `m000` in a stage `test`, with its own namespace and state."""
    clone = project_of(sandbox, tmp_path, f"ml-{next(_NUMBERS)}", 1)
    clone.write_stack('    m000: {version: "v1", replicas: 3}\n')
    clone.pulumi("stack", "init")
    yield clone
    # Not waited for: the next test has another namespace, and the cluster is removed at the end.
    clone.run("kubectl", "delete", "namespace", clone.namespace, "--ignore-not-found", "--wait=false")
