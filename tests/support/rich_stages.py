"""Stages that use everything the files can say, each a separate project.

The program of any commit can be given the same files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.features import write_features

STAGE = "test"
_RESOURCES = """\
resources:
  requests: {cpu: "1", memory: 2Gi}
  limits: {cpu: "2", memory: 4Gi}
"""
_GPU = """\
resources:
  requests: {cpu: "4", memory: 16Gi, nvidia.com/gpu: "1"}
  limits: {memory: 16Gi, nvidia.com/gpu: "1"}
rollout: {maxSurge: 0, maxUnavailable: 1}
"""
_OWNED = "owner: team-a\nimage: registry.example.com/team/model\n"
# With a latency objective at a bucket boundary of the runtime, where it has a histogram.
_THRESHOLDS = {
    "generic": "0.5s",
    "kserve": "0.5s",
    "vllm": "0.5s",
    "triton": None,
    "bentoml": "0.5s",
    "ray-serve": "0.5s",
    "tensorflow-serving": "0.01ms",
    "torchserve": None,
    "mlserver": "0.5s",
}
_QUALITY = """\
quality:
  distance: {metric: drift_distance, kind: drift, threshold: "0.2", direction: above, period: 1h}
  valid: {metric: valid_share, labels: {job: quality}, kind: dataQuality, threshold: "0.95", direction: below}
  age: {metric: trained_at_seconds, kind: staleness, threshold: "86400"}
"""
_EVERYTHING = (
    _OWNED
    + _RESOURCES
    + _QUALITY
    + """\
port: 8000
env:
  TOKEN: {secretKeyRef: {name: tokens, key: api}}
  MODE: {configMapKeyRef: {name: modes, key: mode}}
  MODEL_NAME: own-name
  ADDRESS: "$(MODEL_NAME).example.com"
envFrom: [{secret: all-tokens}, {configMap: all-modes}]
mounts: [{path: /secrets, secret: files}, {path: /configuration, configMap: configuration}]
imagePullSecrets: [pull, pull-too]
nodeSelector: {pool: serving, disk: ssd, node-role.kubernetes.io/gpu: ""}
tolerations:
  - {key: example.com/dedicated, operator: Equal, value: serving, effect: NoSchedule}
  - {key: example.com/slow, operator: Exists, effect: NoExecute, tolerationSeconds: 60}
  - {operator: Exists}
probes:
  startup: {path: /started, initialDelaySeconds: 3, periodSeconds: 7, timeoutSeconds: 4, failureThreshold: 50}
  liveness: {path: /alive, initialDelaySeconds: 1, periodSeconds: 9, timeoutSeconds: 2, failureThreshold: 6}
  readiness: {path: /serving, periodSeconds: 8, timeoutSeconds: 1, failureThreshold: 2}
rollout: {maxUnavailable: 1, maxSurge: 2, progressDeadlineSeconds: 1000, timeoutSeconds: 4000}
shutdown: {preStopSleepSeconds: 20, gracePeriodSeconds: 90}
security: {runAsUser: 1234, tmpSizeLimit: 2Gi, mountServiceAccountToken: true}
network:
  clients: [{labels: {app: web, tier: front}}, {namespace: shop, labels: {app: cart}}]
  egress:
    - {pods: {namespace: data, labels: {app: postgres}}, ports: [5432]}
    - {pods: {labels: {app: cache}}, ports: [6379, 6380]}
    - {cidr: 10.0.0.0/8, ports: [443]}
    - {cidr: 10.0.0.0/8, ports: [514], protocol: UDP}
disruptionBudget: {maxUnavailable: 2}
slo: {availability: "99.9", latency: {objective: "99", threshold: 0.5s}, minimumRequests: 10}
metrics: {port: 9090, path: /measured, latencyBuckets: [0.1s, 0.5s, 1s]}
alerts:
  ModelSaturated: {threshold: "20"}
  ModelNoTraffic: {enabled: false}
  ModelStale: {severity: page}
"""
)
_OPEN = (
    _OWNED
    + _RESOURCES
    + """\
security: {runAsNonRoot: false, runAsUser: 0, readOnlyRootFilesystem: false}
network: {enabled: false}
spread: {zones: false, nodes: false}
shutdown: {preStopSleepSeconds: 0}
disruptionBudget: {enabled: false}
"""
)
_UNMEASURED = _OWNED + _RESOURCES + "env: {MODEL_NAME: null}\nmetrics: {enabled: false}\n"
_NETWORK = """\
  ml-deployments:dns:
    - {pods: {namespace: openshift-dns, labels: {dns.operator.openshift.io/daemonset-dns: default}}, port: 5353}
    - {cidr: 169.254.20.10/32}
  ml-deployments:serviceMesh: {port: 15008, probesFrom: 169.254.7.127/32}
"""
_OPERATOR = """\
  ml-deployments:monitoring:
    namespace: prometheus
    delivery: operator
    selectorLabels: {release: prometheus, team: platform}
    dashboardLabels: {grafana: "yes"}
    runbookUrl: https://runbooks.example.com/all/
    grafanaUrl: https://grafana.example.com/
"""
_INSTALLED = """\
  ml-deployments:kubeContext: production
  ml-deployments:podSecurity: baseline
  ml-deployments:monitoring:
    namespace: watch
    delivery: operator
    grafanaUrl: https://grafana.example.com
    selectorLabels: {release: own}
    stack:
      install: true
      retention: 40d
      storage: {size: 20Gi, storageClass: fast}
      receivers:
        - {webhookUrl: "https://hooks.example.com/all"}
        - {severity: page, webhookUrl: "https://hooks.example.com/page"}
        - {owner: team-a, webhookUrlSecret: {name: hooks, key: team-a}}
        - {owner: team-a, severity: page, webhookUrl: "https://hooks.example.com/team-a-page"}
  ml-deployments:images:
    prometheus: {image: registry.example.com/prometheus, version: "v3.13.5"}
    grafana: {version: "12.4.10", digest: "sha256:0000000000000000000000000000000000000000000000000000000000000000"}
    imagePullSecrets: [mirror]
"""
_BARE_INSTALLED = """\
  ml-deployments:monitoring: {namespace: watch, delivery: operator, stack: {install: true, storage: null}}
"""
_QUOTA = """\
  ml-deployments:quota:
    pods: "100"
    requests.cpu: "200"
    requests.memory: 1Ti
    limits.memory: 1Ti
    limits.ephemeral-storage: 1Ti
    requests.nvidia.com/gpu: "8"
"""
_NONE = "  ml-deployments:monitoring: {delivery: none}\n"
_STORE = """\
  ml-deployments:featureStore:
    owner: team-features
    version: "0.67.0"
    replicas: 3
    workers: 2
    online:
      redis:
        install: true
        passwordSecret: {name: redis, key: password}
        readPasswordSecret: {name: redis, key: read-password}
    registry: {sql: {urlSecret: {name: registry, key: url}}}
    network: {egress: [{cidr: 10.0.0.0/16, ports: [5432]}]}
"""
_RICH_STORE = """\
  ml-deployments:featureStore:
    owner: team-features
    image: registry.example.com/feast
    version: "0.67.0"
    digest: "sha256:0000000000000000000000000000000000000000000000000000000000000000"
    replicas: 1
    resources: {requests: {cpu: "1", memory: 2Gi}, limits: {memory: 3Gi}}
    online:
      redis:
        install: true
        passwordSecret: {name: redis, key: password}
        readPasswordSecret: {name: read, key: password}
        storage: 20Gi
        storageClass: fast
        memory: 2Gi
        evictionPolicy: allkeys-lru
        deleteData: true
    registry: {objectStore: {path: "s3://registry/registry.pb"}}
    offline: duckdb
    registryRefreshSeconds: 30
    materialization:
      schedule: "*/5 * * * *"
      deadlineSeconds: 600
      startDeadlineSeconds: 100
      retries: 3
      successfulHistory: 1
      failedHistory: 2
      suspend: true
      resources: {requests: {cpu: "2", memory: 4Gi}, limits: {cpu: "2", memory: 8Gi}}
      backfill: {from: "2026-01-01T00:00:00Z", until: "2026-02-01T00:00:00Z", views: [author_posts]}
    applyDeadlineSeconds: 300
    env: {AWS_REGION: "eu", AWS_KEY: {secretKeyRef: {name: aws, key: key}}}
    envFrom: [{secret: aws}, {configMap: feast}]
    imagePullSecrets: [pull]
    network: {egress: [{cidr: 10.0.0.0/16, ports: [443]}, {pods: {labels: {app: minio}}, ports: [9000]}]}
    watch:
      freshness: 2h
      freshnessByView: {author_posts: 3h}
      readLatency: 50ms
      nullRatio: "0.2"
      alerts: {FeatureStoreReadsSlow: {enabled: false}, FeatureViewStale: {severity: page}}
"""
_EXISTING_REDIS = """\
  ml-deployments:featureStore:
    owner: team-features
    version: "0.67.0"
    replicas: 2
    online:
      redis:
        url: rediss://redis.example.com:6380/2
        ca: {configMap: {name: redis-ca, key: ca.pem}}
        user: features-writer
        passwordSecret: {name: redis, key: password}
        readUser: features-reader
        readPasswordSecret: {name: redis, key: read-password}
    registry: {sql: {urlSecret: {name: registry, key: url}}}
    network: {enabled: false}
    disruptionBudget: {enabled: false}
"""
_READS = _OWNED + _RESOURCES + "features: {service: sentiment_v1}\n"


@dataclass(frozen=True, kw_only=True)
class RichStage:
    """The files of a project with the one stage `test`.

    Attributes:
        models: The model files by the model's name.
        more: What its stack file says besides the models.
        features: Whether it has the usual definitions in features/.
    """

    models: Mapping[str, str]
    more: str = ""
    features: bool = False

    def write(self, folder: Path) -> None:
        """Write the files into a folder, which is created; the program is not included."""
        (folder / "models").mkdir(parents=True)
        entries = "".join(
            f'    {name}: {{version: "v{number}", replicas: {number}}}\n'
            for number, name in enumerate(sorted(self.models))
        )
        models = f"  ml-deployments:models:\n{entries}" if entries else ""
        (folder / f"Pulumi.{STAGE}.yaml").write_text(
            f"config:\n  ml-deployments:namespace: ml-test\n{self.more}{models}"
        )
        for name, text in self.models.items():
            (folder / "models" / f"{name}.yaml").write_text(text)
        if self.features:
            write_features(folder)


def _runtime(name: str, threshold: str | None) -> str:
    latency = f', latency: {{objective: "99", threshold: {threshold}}}' if threshold else ""
    buckets = "metrics: {latencyBuckets: [0.01ms, 0.018ms]}\n" if name == "tensorflow-serving" else ""
    return f'{_OWNED}{_GPU}{_QUALITY}{buckets}runtime: {name}\nslo: {{availability: "99.9"{latency}}}\n'


_RUNTIMES = {name: _runtime(name, threshold) for name, threshold in _THRESHOLDS.items()}
_PLAIN = {"a": _OWNED + _RESOURCES, "b": _EVERYTHING, "c": _OPEN, "d": _EVERYTHING, "e": _UNMEASURED}
_READERS = {"a": _READS, "b": _READS, "c": _OWNED + _RESOURCES}
_APART = {
    "a": _READS + "podSecurity: privileged\n",
    "b": _EVERYTHING + "podSecurity: baseline\n",
    "c": _OPEN + "podSecurity: baseline\n",
    "d": _READS,
}

RICH_STAGES: Mapping[str, RichStage] = {
    "bare": RichStage(models={}),
    "configmap": RichStage(models=_PLAIN, more=_QUOTA),
    "operator": RichStage(models=_PLAIN, more=_OPERATOR + _NETWORK),
    "none": RichStage(models=_PLAIN, more=_NONE),
    "runtimes-configmap": RichStage(models=_RUNTIMES),
    "runtimes-operator": RichStage(models=_RUNTIMES, more=_OPERATOR),
    "own-monitoring": RichStage(models=_PLAIN, more=_INSTALLED),
    "own-monitoring-bare": RichStage(models=_PLAIN, more=_BARE_INSTALLED),
    "features-configmap": RichStage(models=_READERS, more=_STORE, features=True),
    "features-operator": RichStage(models=_READERS, more=_RICH_STORE + _OPERATOR + _NETWORK, features=True),
    "features-none": RichStage(models=_READERS, more=_RICH_STORE + _NONE, features=True),
    "features-existing-redis": RichStage(models=_READERS, more=_EXISTING_REDIS, features=True),
    "features-own-monitoring": RichStage(models=_READERS, more=_STORE + _INSTALLED, features=True),
    "own-namespaces": RichStage(models=_APART, more=_STORE + _INSTALLED + _QUOTA, features=True),
}
