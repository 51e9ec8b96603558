"""The Job of a backfill. Pure functions.

Feast 0.67 skips a row that is not later than what is stored for its entity, so an entity keeps null in a new field
until its next row. With `skip_dedup` Feast writes every row, even an older one over a newer. So a backfill has two
runs: the first writes every field of the newest rows up to `until`, the second restores what is newer than that.
"""

import shlex

from components.feature_store import names
from components.feature_store.feast_pod import feast, feast_pod
from components.feature_store.feast_yaml import feature_store_yaml
from components.kubernetes.objects import Manifest
from components.settings.feature_backfill import Backfill, moment
from components.settings.feature_store import FeatureStoreSettings
from components.settings.stack import StackSettings

# The job's own clock: the end of the range that a run materialises.
NOW = '"$(date -u +%Y-%m-%dT%H:%M:%S)"'
_OVERWRITING = "/tmp/overwriting.yaml"
_FOLDER = "/tmp"


def backfill_pod(backfill: Backfill, store: FeatureStoreSettings, stack: StackSettings) -> Manifest:
    """The PodSpec of the backfill."""
    command = [
        "sh",
        "-c",
        _script(backfill, feature_store_yaml(store, stack.stage, names.redis_host(stack), overwrites=True)),
    ]
    return feast_pod(store, {"name": names.BACKFILL, "command": command}, store.materialization.resources)


def _script(backfill: Backfill, overwriting: str) -> str:
    views = [part for name in backfill.view_names for part in ("--views", name)]
    first = feast(_FOLDER, "materialize", backfill.start, backfill.until, *views, file=_OVERWRITING)
    second = feast(_FOLDER, "materialize", backfill.until)
    # Feast also accepts an end in the future, and the CronJob's runs then load nothing until that time. The second run
    # starts even if the first one failed: a run that stopped halfway has also replaced newer values.
    return f"""\
set -eu
if [ "$(date -u +%s)" -lt {moment(backfill.until).timestamp():.0f} ]; then
  echo "until {backfill.until} is not past yet" >&2
  exit 1
fi
cat > {_OVERWRITING} <<'END'
{overwriting}END
failed=0
{shlex.join(first)} || failed=$?
{shlex.join(second)} {NOW} {shlex.join(views)}
exit $failed
"""
