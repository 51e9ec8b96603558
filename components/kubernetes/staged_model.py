"""One model in one stage: the name, labels and selector of each of its objects."""

from dataclasses import dataclass, replace

from components.kubernetes import naming
from components.kubernetes.objects import Manifest
from components.settings.model import ModelSettings
from components.settings.network import Peer
from components.settings.stack import StackSettings

# The name of the container that serves a model.
CONTAINER = "server"


@dataclass(frozen=True)
class StagedModel:
    """A model with the stage it is in."""

    model: ModelSettings
    stack: StackSettings

    @property
    def name(self) -> str:
        """The name of the model and of each of its objects."""
        return self.model.name

    @property
    def stage(self) -> str:
        """The stage's name."""
        return self.stack.stage

    @property
    def namespace(self) -> str:
        """The model's namespace: the stage's, or its own."""
        return self.stack.namespace_of(self.model)

    @property
    def peer(self) -> Peer:
        """The model's pods, as the parts in the stage's namespace name them."""
        return Peer(namespace=None if self._at_home else self.namespace, labels=self.selector)

    def of_stage(self, peer: Peer) -> Peer:
        """Pods that the files name, as the model's namespace names them: without a namespace they are the stage's."""
        if peer.namespace is not None or self._at_home:
            return peer
        return Peer(namespace=self.stack.namespace, labels=peer.labels)

    @property
    def _at_home(self) -> bool:
        return self.namespace == self.stack.namespace

    @property
    def running(self) -> "StagedModel":
        """The same model with at least one replica, for what does not depend on whether it is stopped."""
        if self.model.replicas > 0:
            return self
        return replace(self, model=self.model.model_copy(update={"replicas": 1}))

    @property
    def selector(self) -> dict[str, str]:
        """The selector of the model's pods. Selectors are immutable, so it never contains a version."""
        return {naming.NAME: self.name, naming.COMPONENT: naming.MODEL_SERVER}

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the model's objects; without the version, so that a release changes only what shows it."""
        return {**self.selector, **naming.stage_labels(self.stage), naming.OWNER: self.model.owner}

    @property
    def versioned_labels(self) -> dict[str, str]:
        """The labels of what shows the version: the Deployment and its pods."""
        return {**self.labels, naming.VERSION: naming.version_label(self.model.version)}

    @property
    def metadata(self) -> Manifest:
        """The metadata of every object of the model; its name is the model's."""
        return {
            "name": self.name,
            "namespace": self.namespace,
            "labels": self.labels,
            "annotations": naming.annotations(self.stage),
        }

    @property
    def url(self) -> str:
        """The model's address inside the cluster."""
        return f"http://{self.name}.{self.namespace}.svc:{self.model.port}"
