"""The history as plain data, for machines."""

from typing import Any

from delivery.history.model_history import Change, History
from delivery.releases.changes import Deployed
from delivery.releases.deployments import Deployment


def history_data(history: History) -> dict[str, Any]:
    """What `--json` prints: `head`, `shallow`, `running`, `changes` with the newest first, `moves` and `elsewhere`."""
    return {
        "head": history.head,
        "shallow": history.shallow,
        "running": [_change(change) for change in history.running()],
        "changes": [_change(change) for change in history.changes],
        "moves": [
            {"stage": move.stage, "from": move.old, "to": move.new, "commit": move.commit}
            for move in history.moves
        ],
        "elsewhere": [_deployment(deployment) for deployment in history.elsewhere],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "stage": change.stage,
        "model": change.model,
        "kind": change.kind.value,
        "from": _deployed(change.before),
        "to": _deployed(change.after),
        "when": change.when,
        "author": change.commit.author,
        "commit": change.commit.revision,
        "subject": change.commit.subject,
        "merge": change.merge and change.merge.revision,
        "oldestKnown": change.oldest_known,
        "reverts": change.reverts,
        "reapplies": change.reapplies,
        "revertedBy": change.reverted_by,
        "gate": change.gate,
        "run": change.run,
        "reason": change.reason,
        "deployments": [_deployment(deployment) for deployment in change.deployments],
    }


def _deployed(found: Deployed | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"version": found.version, "digest": found.digest, "replicas": found.replicas}


def _deployment(found: Deployment) -> dict[str, Any]:
    return {
        "tag": found.name,
        "stage": found.stage,
        "model": found.model,
        "version": found.version,
        "digest": found.digest,
        "commit": found.commit,
        "when": found.when,
    }
