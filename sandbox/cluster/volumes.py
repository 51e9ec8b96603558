"""Volumes for the claims of the sandbox's pods.

No controller creates volumes on demand here. Simulated pods write nothing to them. Real nodes share one folder, as
nodes share a disk in a network, so a pod finds its volume on any of them.
"""

from typing import Any

from sandbox.nodes.plan import VOLUMES

CLASS = "standard"
# Two replicas of Prometheus in each of two stages, a Redis, with room to delete and deploy again: a released volume
# keeps its data and is not bound again.
COUNT = 64
SIZE = "1Ti"


def volume_objects() -> dict[str, Any]:
    """A default StorageClass and volumes of it, as a list that kubectl applies."""
    storage_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "Immediate",
    }
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [storage_class, *(_volume(number) for number in range(COUNT))],
    }


def _volume(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{CLASS}-{number:02}"},
        "spec": {
            "storageClassName": CLASS,
            "capacity": {"storage": SIZE},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": f"{VOLUMES}/{number:02}"},
        },
    }
