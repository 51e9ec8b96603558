"""ModelService: the stable address of one model."""

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes import naming
from components.kubernetes.options import child_options
from components.settings.model import ModelSettings
from components.settings.stack import StackSettings


def service_spec(model: ModelSettings) -> k8s.core.v1.ServiceSpecArgsDict:
    """The ServiceSpec: the model's ports in front of its ready replicas."""
    return {
        "type": "ClusterIP",
        "selector": naming.selector(model),
        "ports": [
            {
                "name": name,
                "port": port,
                "target_port": name,
                "protocol": "TCP",
                "app_protocol": "http",
            }
            for name, port in model.ports.items()
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
            metadata=naming.not_awaited(naming.metadata(model, stack)),
            spec=service_spec(model),
            opts=child_options(self, opts),
        )
        self.url = naming.service_url(model, stack.namespace)
        self.register_outputs({})
