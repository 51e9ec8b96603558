"""The ServiceAccount by which a controller in the cluster deploys one stage."""

from dataclasses import dataclass

from components.settings.stack import PROJECT
from delivery.gitops.scope import Manifest

_SERVICE_ACCOUNT = "system:serviceaccount"


def account_name(stage: str) -> str:
    """`ml-deployments-staging`; its roles have the same name."""
    return f"{PROJECT}-{stage}"


@dataclass(frozen=True, kw_only=True)
class Account:
    """The account of a stage.

    Attributes:
        stage: The stage.
        namespace: The controller's namespace, which it is in.
        token: Whether a pod runs as it; else a controller impersonates it.
    """

    stage: str
    namespace: str
    token: bool = False

    @property
    def name(self) -> str:
        """Its name."""
        return account_name(self.stage)

    @property
    def neighbours(self) -> str:
        """What the user names of all accounts in its namespace begin with."""
        return f"{_SERVICE_ACCOUNT}:{self.namespace}:"

    @property
    def user(self) -> str:
        """What the API server calls it."""
        return f"{self.neighbours}{self.name}"

    @property
    def subject(self) -> Manifest:
        """How a binding names it."""
        return {"kind": "ServiceAccount", "name": self.name, "namespace": self.namespace}

    @property
    def manifest(self) -> Manifest:
        """The account itself."""
        found: Manifest = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": self.name, "namespace": self.namespace},
        }
        return found if self.token else {**found, "automountServiceAccountToken": False}
