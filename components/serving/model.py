"""Model: everything one model is in one stage."""

from typing import Any

import pulumi

from components.kubernetes.options import child_options
from components.serving.monitoring import MonitoringRules
from components.serving.server import ModelServer
from components.serving.service import ModelService
from components.settings.model import ModelSettings
from components.settings.monitoring import MonitoringDelivery
from components.settings.stack import StackSettings


class Model(pulumi.ComponentResource):
    """One model: its server, its service and what watches it.

    Attributes:
        summary: What the stack's outputs say of the model: version, image, replicas, url.
    """

    summary: dict[str, Any]

    def __init__(
        self,
        model: ModelSettings,
        stack: StackSettings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ml-deployments:index:Model", model.name, None, opts)
        child = child_options(self, opts)
        # The Service comes first and waits for no replica: clients keep their address while a server is mended.
        service = ModelService(model.name, model, stack, opts=child)
        ModelServer(model.name, model, stack, opts=child)
        if stack.monitoring.delivery is not MonitoringDelivery.NONE:
            MonitoringRules(model.name, model, stack, opts=child)
        self.summary = {
            "version": model.version,
            "image": model.image_reference,
            "replicas": model.replicas,
            "url": service.url,
        }
        self.register_outputs({})
