"""A stale view and its alert: real Feast, real Redis and a real Prometheus with the program's rules."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from components.feature_rules import feature_rule_file
from components.feature_store_settings import FeatureAlertName
from tests.integration.clone import Clone
from tests.integration.feature_store.store import VIEW, Serving, Store, feature_store
from tests.integration.monitoring.prometheus import Prometheus, prometheus, quickened
from tests.integration.monitoring.waiting import eventually

SPEED = 30


def test_a_stale_view_raises_its_alert_until_it_is_fresh(sandbox: Clone, tmp_path: Path) -> None:
    """The rules are the program's, `SPEED` times quicker; the limit of one hour is as it is."""
    store = feature_store(tmp_path / "store")
    with store.redis():
        store.feast("apply", "--no-progress")
        store.write_source(datetime.now(UTC) - timedelta(hours=3))
        store.materialize(datetime.now(UTC) - timedelta(hours=2))
        with store.serving() as serving, _watched(store, serving, sandbox, tmp_path) as watching:

            def state() -> str:
                return watching.alert_state(FeatureAlertName.VIEW_STALE, feature_view=VIEW)

            to_fire = eventually(lambda: state() == "firing", 180, "the view is stale")
            store.materialize()
            to_end = eventually(lambda: state() == "inactive", 180, "the view is fresh")
            print(f"stale to firing {to_fire:.0f} s, materialised to resolved {to_end:.0f} s")


def _watched(
    store: Store, serving: Serving, sandbox: Clone, folder: Path
) -> AbstractContextManager[Prometheus]:
    """A Prometheus with the rules of the stage, that finds the server as a pod of it."""
    stack = store.stack
    for name, text in feature_rule_file(store.settings, stack).items():
        (folder / name).write_text(quickened(text, SPEED))
    target = serving.metrics.removeprefix("http://").removesuffix("/metrics")
    labels = {"namespace": stack.namespace, "app_kubernetes_io_name": "feature-store"}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "*.rules.yaml")],
        "scrape_configs": [
            {"job_name": "feature-store", "static_configs": [{"targets": [target], "labels": labels}]}
        ],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    return prometheus(sandbox.path / ".sandbox" / "bin" / "prometheus", folder / "prometheus.yaml", folder)
