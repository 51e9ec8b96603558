"""ModelService: the stable address of one model."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components import naming
from components.model_settings import ModelSettings
from components.settings import StackSettings

Spec = dict[str, Any]


def service_spec(model: ModelSettings) -> Spec:
    """The ServiceSpec: the model's port in front of its ready replicas."""
    return {
        "type": "ClusterIP",
        "selector": naming.selector(model),
        "ports": [
            {
                "name": "http",
                "port": model.port,
                "targetPort": "http",
                "protocol": "TCP",
                "appProtocol": "http",
            }
        ],
    }


class ModelService(pulumi.ComponentResource):
    """The Service of one model.

    Attributes:
        url: The model's address inside the cluster.
    """

    url: str

    def __init__(
        self,
        name: str,
        model: ModelSettings,
        stack: StackSettings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ml-deployments:index:ModelService", name, None, opts)
        k8s.core.v1.Service(
            name,
            metadata={
                "name": model.name,
                "namespace": stack.namespace,
                "labels": naming.labels(model, stack.stage),
                "annotations": naming.annotations(stack.stage),
            },
            spec=service_spec(model),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = naming.service_url(model, stack.namespace)
        self.register_outputs({})
