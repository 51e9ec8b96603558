"""ModelServer: the pods that serve one model, and what keeps them safe."""

from collections.abc import Iterable
from typing import TypeVar

from components.feature_store import names
from components.kubernetes import naming
from components.kubernetes.network import (
    from_clients,
    from_probes,
    from_scrapers,
    network_policy_spec,
    open_policy_spec,
    to_destination,
    to_dns,
)
from components.kubernetes.objects import Component, KubernetesObject, Manifest, kubernetes_object
from components.kubernetes.scraping import scrape_annotations
from components.kubernetes.staged_model import StagedModel
from components.kubernetes.workloads import deployment_spec, disruption_budget_spec, service_account
from components.serving.pod import model_pod
from components.settings.monitoring import MonitoringDelivery
from components.settings.network import Destination, DnsServer, Peer

_Named = TypeVar("_Named", Destination, DnsServer)


def model_server(staged: StagedModel) -> Component:
    """Deployment, ServiceAccount, PodDisruptionBudget and NetworkPolicy of one model."""
    account = service_account(staged.metadata)
    children: list[KubernetesObject] = [
        account,
        kubernetes_object("NetworkPolicy", staged.metadata, {"spec": _network_policy(staged)}),
        _deployment(staged, account),
    ]
    if staged.model.disruption_budget_applies:
        budget = disruption_budget_spec(staged.model.disruption_budget.max_unavailable, staged.selector)
        children.append(kubernetes_object("PodDisruptionBudget", staged.metadata, {"spec": budget}))
    return Component(type="ModelServer", name=staged.name, children=tuple(children))


def _deployment(staged: StagedModel, account: KubernetesObject) -> KubernetesObject:
    model = staged.model
    # Pulumi creates the feature servers first because the model waits for them; Argo CD needs a wave.
    wave = {} if model.features is None else naming.wave(names.READER_WAVE)
    scraped = model.metrics.enabled and staged.stack.monitoring.delivery is MonitoringDelivery.CONFIGMAP
    spec = deployment_spec(
        model_pod(staged),
        selector=staged.selector,
        labels=staged.versioned_labels,
        annotations=scrape_annotations(model.metrics.port, model.metrics.path) if scraped else None,
        replicas=model.replicas,
        rollout=model.rollout,
    )
    return kubernetes_object(
        "Deployment",
        {
            **staged.metadata,
            "labels": staged.versioned_labels,
            "annotations": {**naming.annotations(staged.stage), **wave},
        },
        {"spec": spec},
        after=(account,),
        timeouts=dict.fromkeys(("create", "update"), model.rollout_timeout_seconds),
    )


def _network_policy(staged: StagedModel) -> Manifest:
    """Ingress from the named clients and from monitoring, egress to DNS and what the model names."""
    model, stack = staged.model, staged.stack
    if not model.network.enabled:
        return open_policy_spec(staged.selector)
    scrapers = from_scrapers(stack.monitoring, model.metrics.port) if model.metrics.enabled else []
    features = Destination(pods=Peer(labels=names.selector(names.SERVER)), ports=(names.SERVER_PORT,))
    wanted = [*([] if model.features is None else [features]), *model.network.egress]
    return network_policy_spec(
        staged.selector,
        [
            *from_clients([staged.of_stage(client) for client in model.network.clients], model.port),
            *scrapers,
            *from_probes(stack.service_mesh, model.port),
        ],
        [*to_dns(_of_stage(staged, stack.dns)), *map(to_destination, _of_stage(staged, wanted))],
        mesh=stack.service_mesh,
    )


def _of_stage(staged: StagedModel, named: Iterable[_Named]) -> list[_Named]:
    return [
        one if one.pods is None else one.model_copy(update={"pods": staged.of_stage(one.pods)})
        for one in named
    ]
