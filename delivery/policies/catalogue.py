"""Every policy: its name, its level, what it checks and how to satisfy it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from components.errors import Problem
from components.settings.policy import PolicyName
from delivery.policies.access_rights import access_rights
from delivery.policies.container_resources import container_resources, ephemeral_storage
from delivery.policies.high_availability import disruption_budget, replicas
from delivery.policies.images import allowed_registries, image_digest, image_tag, monitoring_digest
from delivery.policies.manifest import Manifest, identity, name_of
from delivery.policies.namespaces import own_namespaces
from delivery.policies.network import metadata_address, network_policy, open_egress
from delivery.policies.owner import owner
from delivery.policies.plain_secrets import no_plain_secrets, secret_in_environment
from delivery.policies.quota import quota
from delivery.policies.restricted_pods import restricted_pods
from delivery.policies.secret_literals import secret_literals
from delivery.policies.service_account_token import service_account_token
from delivery.policies.stage import StageRules
from delivery.policies.violation import Level, Violation

ObjectRule = Callable[[Manifest, StageRules], Iterator[Problem]]
StageRule = Callable[[Sequence[Manifest], StageRules], Iterator[tuple[Manifest, Problem]]]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One policy.

    Attributes:
        name: Its name in messages and in `policy.exceptions`.
        checks: What must be true, as a sentence without its full stop.
        satisfy: How to satisfy it.
        level: What a violation does.
        of_object: The rule, where it checks one object.
        of_stage: The rule, where it checks all objects of a stage together.
    """

    name: PolicyName
    checks: str
    satisfy: str
    level: Level = Level.MANDATORY
    of_object: ObjectRule | None = None
    of_stage: StageRule | None = None

    def violation(self, name: str, what: str, finding: Problem, stage: StageRules) -> Violation:
        """A finding in the object `name` as a violation; it is advisory while the stage has an exception for it."""
        level, said = self.level, [finding.reason]
        for exception in stage.exceptions:
            if exception.covers(self.name, name):
                if not exception.ended:
                    level = Level.ADVISORY
                allowed = "its exception ended on" if exception.ended else "allowed until"
                said.append(f"({allowed} {exception.until}: {exception.reason})")
        return Violation(
            policy=self.name.value, object=what, problem=replace(finding, reason=" ".join(said)), level=level
        )


# It checks git, not objects.
VERSION_ORDER = Policy(
    name=PolicyName.VERSION_ORDER,
    checks="the last change of a model's version goes forward, or its commit is a revert",
    satisfy="`git revert`, or a trailer `Reverts: <commit>`",
)
POLICIES = (
    Policy(
        name=PolicyName.IMAGE_TAG,
        checks="every image has a tag or a digest, and the tag is not `latest`",
        satisfy="write the version; the stack file accepts no `latest`",
        of_object=image_tag,
    ),
    Policy(
        name=PolicyName.IMAGE_DIGEST,
        checks="with `requireDigest: true`, every image of a model or feature store is pinned by its digest",
        satisfy='`digest: "sha256:..."` next to the version in the stack file',
        of_object=image_digest,
    ),
    Policy(
        name=PolicyName.OWNER,
        checks="a model's workload has the label `ml-deployments/owner`, and so have its pods",
        satisfy="`owner` in the model file",
        of_object=owner,
    ),
    Policy(
        name=PolicyName.RESOURCES,
        checks="every container requests CPU and memory and limits its memory; a CPU limit is not required",
        satisfy="`resources` in the model file",
        of_object=container_resources,
    ),
    Policy(
        name=PolicyName.RESTRICTED_PODS,
        checks="every pod meets the restricted Pod Security Standard, and every namespace enforces it",
        satisfy="the defaults of `security` and `podSecurity`",
        of_object=restricted_pods,
    ),
    Policy(
        name=PolicyName.OWN_NAMESPACES,
        checks="every object is in a namespace of the stage; the only cluster-scoped objects are these namespaces, and "
        "ClusterRoles and their bindings that have the stage in their name",
        satisfy="`namespace`, `monitoring.namespace` and those of single models in the stack file",
        of_object=own_namespaces,
    ),
    Policy(
        name=PolicyName.NO_PLAIN_SECRETS,
        checks="no Secret contains its data",
        satisfy="a Secret created in the cluster, or by an ExternalSecret or SealedSecret",
        of_object=no_plain_secrets,
    ),
    Policy(
        name=PolicyName.SECRET_IN_ENVIRONMENT,
        checks="no variable with a name like `API_TOKEN` or `DB_PASSWORD`, and no argument like `--api-key`, has its "
        "value in the manifest",
        satisfy="`secretKeyRef` in `env` of the model file",
        level=Level.ADVISORY,
        of_object=secret_in_environment,
    ),
    Policy(
        name=PolicyName.SECRET_LITERALS,
        checks="no text of any object is a secret: an address with a password, the address of a webhook such as "
        "Slack's, a private key, or a token in a known format",
        satisfy="`secretKeyRef` in `env`, a Secret in `mounts`, or `webhookUrlSecret`",
        of_object=secret_literals,
    ),
    Policy(
        name=PolicyName.ALLOWED_REGISTRIES,
        checks="with `policy.allowedRegistries`, every image of every container is below one of them",
        satisfy="an image of an allowed registry, or one more entry in the list",
        of_object=allowed_registries,
    ),
    Policy(
        name=PolicyName.MONITORING_DIGEST,
        checks="with `policy.monitoringDigests: true`, every image of the monitoring stack is pinned by its digest",
        satisfy="`version` and `digest` under `images` in the stack file",
        of_object=monitoring_digest,
    ),
    Policy(
        name=PolicyName.NETWORK_POLICY,
        checks="NetworkPolicies limit the ingress and the egress of every pod, and none allows all",
        satisfy="`network.enabled: true`, the default",
        of_stage=network_policy,
    ),
    Policy(
        name=PolicyName.OPEN_EGRESS,
        checks="no NetworkPolicy in the models' namespaces lets pods connect to more public addresses than an IPv4 /8 "
        "or an IPv6 /32 has",
        satisfy="the addresses that they need under `network.egress`",
        of_object=open_egress,
    ),
    Policy(
        name=PolicyName.METADATA_ADDRESS,
        checks="no NetworkPolicy lets pods connect to a cloud's metadata service, such as 169.254.169.254",
        satisfy="`except` in `network.egress`, or smaller ranges",
        of_object=metadata_address,
    ),
    Policy(
        name=PolicyName.SERVICE_ACCOUNT_TOKEN,
        checks="no pod in the models' namespaces gets a token for the Kubernetes API",
        satisfy="`security.mountServiceAccountToken: false`, the default",
        of_object=service_account_token,
    ),
    Policy(
        name=PolicyName.ACCESS_RIGHTS,
        checks="roles list what they grant, without `*` and without rights that lead to more, and none is bound to "
        "everyone or binds `cluster-admin` and its like",
        satisfy="a role that lists what its account needs",
        of_object=access_rights,
    ),
    Policy(
        name=PolicyName.EPHEMERAL_STORAGE,
        checks="every container limits what it writes to its node's disk",
        satisfy="`ephemeral-storage` under `resources.limits` in the model file",
        level=Level.ADVISORY,
        of_object=ephemeral_storage,
    ),
    Policy(
        name=PolicyName.QUOTA,
        checks="with `quota`, every pod in a namespace with one states what it counts, and they fit into it while "
        "they roll",
        satisfy="`quota` in the stack file, `resources` in the model file",
        of_stage=quota,
    ),
    Policy(
        name=PolicyName.REPLICAS,
        checks="with `policy.highAvailability: true`, every model has 2 replicas or more",
        satisfy="`replicas` in the stack file",
        of_object=replicas,
    ),
    Policy(
        name=PolicyName.DISRUPTION_BUDGET,
        checks="with `policy.highAvailability: true`, every model has a PodDisruptionBudget",
        satisfy="`disruptionBudget.enabled: true`, the default",
        of_stage=disruption_budget,
    ),
    VERSION_ORDER,
)


def in_objects(manifests: Sequence[Manifest], stage: StageRules) -> list[Violation]:
    """What all policies find in the objects of a stage."""
    return [
        violation
        for policy in POLICIES
        for violation in (
            *(found for manifest in manifests for found in in_object(policy, manifest, stage)),
            *in_stage(policy, manifests, stage),
        )
    ]


def in_object(policy: Policy, manifest: Manifest, stage: StageRules) -> Iterator[Violation]:
    """What a policy finds in one object; nothing where it checks the stage as a whole."""
    for finding in policy.of_object(manifest, stage) if policy.of_object else ():
        yield policy.violation(name_of(manifest), identity(manifest), finding, stage)


def in_stage(policy: Policy, manifests: Sequence[Manifest], stage: StageRules) -> Iterator[Violation]:
    """What a policy finds in all objects of a stage together; nothing where it checks each alone."""
    for manifest, finding in policy.of_stage(manifests, stage) if policy.of_stage else ():
        yield policy.violation(name_of(manifest), identity(manifest), finding, stage)
