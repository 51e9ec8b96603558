"""A real Prometheus with a feature store's own rules, accelerated."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from components.feature_store.rules import feature_rule_file
from components.settings.feature_store import FeatureStoreSettings
from sandbox.harness.clone import Clone
from sandbox.harness.feature_store.store import Store
from sandbox.harness.prometheus import Prometheus, prometheus
from tests.integration.monitoring.quickened import quickened

SPEED = 30


def installed(store: Store) -> FeatureStoreSettings:
    """The settings of the same store where Redis is its own, and so watched."""
    settings = store.settings
    redis = settings.online.redis.model_copy(update={"install": True, "url": None})
    online = settings.online.model_copy(update={"redis": redis})
    return settings.model_copy(update={"online": online})


@contextmanager
def watched(store: Store, targets: Mapping[str, str], sandbox: Clone, folder: Path) -> Iterator[Prometheus]:
    """A Prometheus with the rules of the stage, SPEED times faster.

    Args:
        store: The feature store.
        targets: Where each part shows its metrics, as host and port; Prometheus finds it as a pod of the part.
        sandbox: Whose tools are used.
        folder: Where its files go.
    """
    stack = store.stack
    for name, text in feature_rule_file(installed(store), stack).items():
        (folder / name).write_text(quickened(text, SPEED))
    jobs = [
        {
            "job_name": part,
            "static_configs": [
                {
                    "targets": [target],
                    "labels": {"namespace": stack.namespace, "app_kubernetes_io_name": part},
                }
            ],
        }
        for part, target in targets.items()
    ]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "*.rules.yaml")],
        "scrape_configs": jobs,
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    binary = sandbox.path / ".sandbox" / "bin" / "prometheus"
    with prometheus(binary, folder / "prometheus.yaml", folder) as found:
        yield found
