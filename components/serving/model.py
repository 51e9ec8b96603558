"""Model: all parts of one model in one stage."""

from components.kubernetes.objects import Component, KubernetesObject
from components.kubernetes.staged_model import StagedModel
from components.serving.monitoring import monitoring_rules
from components.serving.server import model_server
from components.serving.service import model_service
from components.settings.monitoring import MonitoringDelivery


def model_component(staged: StagedModel, after: tuple[KubernetesObject, ...]) -> Component:
    """One model: its server, its service and its monitoring.

    Args:
        staged: The model in its stage.
        after: What must exist before any of it.
    """
    # The Service comes first and waits for no replica: clients keep their address while a server is repaired.
    children = [model_service(staged), model_server(staged)]
    if staged.stack.monitoring.delivery is not MonitoringDelivery.NONE:
        children.append(monitoring_rules(staged))
    return Component(type="Model", name=staged.name, children=tuple(children), after=after)


def summary(staged: StagedModel) -> dict[str, str | int]:
    """The stack's outputs for the model: version, image, replicas, url."""
    model = staged.model
    return {
        "version": model.version,
        "image": model.image_reference,
        "replicas": model.replicas,
        "url": staged.url,
    }
