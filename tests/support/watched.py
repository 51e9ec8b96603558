"""Models of every runtime with everything that can be watched, for tests of rules and dashboards."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from components.files.sources import Sources
from components.kubernetes.staged_model import StagedModel
from components.runtimes.table import Runtime
from components.stack import load_stack
from tests.integration.rules.samples import SAMPLES
from tests.support.projects import entry, project

EVERYTHING = """\
owner: team-a
image: registry.example.com/team/model
runtime: {runtime}
resources:
  requests: {{cpu: "1", memory: 2Gi, nvidia.com/gpu: "1"}}
  limits: {{cpu: "2", memory: 4Gi, nvidia.com/gpu: "1"}}
rollout: {{maxSurge: 1}}
slo:
  availability: "99.9"
{latency}
quality:
  distance: {{metric: drift_distance, kind: drift, threshold: "0.2", direction: above}}
  valid: {{metric: valid_share, labels: {{job: quality}}, kind: dataQuality, threshold: "0.95", direction: below}}
  age: {{metric: trained_at_seconds, kind: staleness, threshold: "86400"}}
"""


def model_file(runtime: Runtime) -> str:
    """A model file of a runtime, with every objective that the runtime can measure."""
    sample = SAMPLES[runtime]
    latency = f'  latency: {{objective: "99", threshold: {sample.threshold}}}' if sample.buckets else ""
    if runtime is Runtime.TENSORFLOW_SERVING:
        latency += "\nmetrics: {latencyBuckets: [0.01ms, 0.018ms]}"
    return EVERYTHING.format(runtime=runtime.value, latency=latency)


def watched(folder: Path, text: str, more: str = "") -> StagedModel:
    """Model `a` of 2 replicas, with this model file and more in its stack file."""
    project(folder, entry('version: "v1"\nreplicas: 2') + more, a=text)
    stack = load_stack(Sources.of(folder), "test").settings
    (model,) = stack.models
    return StagedModel(model, stack)


def changed(staged: StagedModel, **fields: Any) -> StagedModel:
    """The same model in the same stage, with other values in some of its fields."""
    return replace(staged, model=staged.model.model_copy(update=fields))
