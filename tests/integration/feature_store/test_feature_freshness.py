"""A stale view and its alert: real Feast, real Redis and a real Prometheus with the program's rules."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from components.feature_store.names import SERVER
from components.settings.feature_store import FeatureAlertName
from sandbox.harness.clone import Clone
from sandbox.harness.feature_store.store import VIEW, feature_store
from sandbox.harness.waiting import eventually
from tests.integration.feature_store.watching import watched


@pytest.mark.soak
def test_a_stale_view_raises_its_alert_until_it_is_fresh(sandbox: Clone, tmp_path: Path) -> None:
    """The rules are the program's, but faster; the limit of one hour is unchanged."""
    store = feature_store(tmp_path / "store")
    with store.redis():
        store.feast("apply", "--no-progress")
        store.write_source(datetime.now(UTC) - timedelta(hours=3))
        store.materialize(datetime.now(UTC) - timedelta(hours=2))
        with (
            store.serving() as serving,
            watched(store, {SERVER: serving.target}, sandbox, tmp_path) as watching,
        ):

            def state() -> str:
                return watching.alert_state(FeatureAlertName.VIEW_STALE, feature_view=VIEW)

            to_fire = eventually(lambda: state() == "firing", 180, "the view is stale")
            store.materialize()
            to_end = eventually(lambda: state() == "inactive", 180, "the view is fresh")
            print(f"stale to firing {to_fire:.0f} s, materialised to resolved {to_end:.0f} s")
