"""What a commit's feature definitions change in a stage's registry."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from components.errors import UserError
from components.feature_store.feast_yaml import FILE, feature_store_yaml
from components.feature_store.names import redis_host
from components.loading.feature_definitions import FOLDER
from components.settings.feature_store import REGISTRY_URL
from components.settings.stack import StackSettings
from delivery.features.feast import ask_feast
from delivery.features.registry_password import masked

# The database's URL, or the cloud whose object store holds the registry.
_REGISTRY = (REGISTRY_URL, "AWS_*", "AZURE_*", "GOOGLE_*")


@dataclass(frozen=True, kw_only=True, order=True)
class FeatureChange:
    """One object of the registry that changes.

    Attributes:
        change: new, changed or removed.
        kind: What Feast calls its kind, like `feature view`.
        name: Its name.
        diff: The lines of a unified diff of its definition.
    """

    change: str
    kind: str
    name: str
    diff: str


@dataclass(frozen=True, kw_only=True)
class FeaturePlan:
    """What `feast apply` would change.

    Attributes:
        first: True for a registry that is empty.
        changes: Each object that changes.
        problem: Why the changes are not known; then `changes` is empty.
    """

    first: bool = False
    changes: tuple[FeatureChange, ...] = ()
    problem: str | None = None


def feature_plan(project: Path, stack: StackSettings, python: Path) -> FeaturePlan:
    """What `feast apply` would change; nothing is written anywhere.

    Args:
        project: The checkout.
        stack: The stage.
        python: The Python of an environment with Feast.

    Raises:
        UserError: the stage has no feature store, Feast is not there, or the registry cannot be read.
    """
    store = stack.feature_store
    if store is None:
        raise UserError(
            f"Pulumi.{stack.stage}.yaml has no feature store, so there is no plan", "add featureStore"
        )
    if store.registry.sql is not None and not os.environ.get(REGISTRY_URL):
        raise UserError(
            f"{REGISTRY_URL} is not set, and no secret is in git",
            "set it to the URL in the Secret "
            f"{store.registry.sql.url_secret.name}; a read-only user is enough",
        )
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / FILE
        config.write_text(feature_store_yaml(store, stack.stage, redis_host(stack)), encoding="utf-8")
        late = "check that the registry can be reached from here"
        done = ask_feast("feast_plan", project, config, python=python, late=late, variables=_REGISTRY)
    if done.returncode != 0:
        # The review page, which anyone may read, shows it.
        reason = masked(done.stderr.strip().rpartition("\n")[2], os.environ.get(REGISTRY_URL, ""))
        raise UserError(
            reason or f"Feast ended with {done.returncode} and no message",
            f"check {REGISTRY_URL} and {FOLDER}/",
        )
    planned = json.loads(done.stdout)
    changes = (FeatureChange(**change) for change in planned["changes"])
    return FeaturePlan(first=planned["first"], changes=tuple(sorted(changes)))
