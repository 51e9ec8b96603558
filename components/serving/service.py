"""ModelService: the stable address of one model."""

from components.kubernetes.objects import Component
from components.kubernetes.staged_model import StagedModel
from components.kubernetes.workloads import service, service_spec


def model_service(staged: StagedModel) -> Component:
    """The Service of one model: its ports in front of its ready replicas."""
    address = service(staged.metadata, service_spec(staged.selector, staged.model.ports))
    return Component(type="ModelService", name=staged.name, children=(address,))
