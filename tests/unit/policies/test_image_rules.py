"""Images of allowed registries only: as a node reads their names, in every container and volume."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from delivery.policies.image_names import full_repository
from tests.support.monitoring_stacks import Manifest, one
from tests.support.projects import GOOD_STACK, problems, project
from tests.support.ruled import DIGEST, RULES, found, pod, server

ALLOWED = ("registry.example.com/team", "quay.io/prometheus", "docker.io/grafana", "registry.k8s.io")
STRICT = replace(RULES, allowed_registries=ALLOWED)


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("redis:8", "docker.io/library/redis"),
        ("grafana/grafana:12", "docker.io/grafana/grafana"),
        ("model-registry/model:v1", "docker.io/model-registry/model"),
        ("docker.io/redis:8", "docker.io/library/redis"),
        ("index.docker.io/library/redis", "docker.io/library/redis"),
        ("registry.example.com/team/model:v1@sha256:00", "registry.example.com/team/model"),
        ("registry.example.com:5000/model", "registry.example.com:5000/model"),
        ("localhost/model:v1", "localhost/model"),
        ("REGISTRY/model:v1", "registry/model"),
        ("Registry.Example.com/model", "registry.example.com/model"),
    ],
)
def test_the_full_name_of_an_image(image: str, full: str) -> None:
    assert full_repository(image) == full


def changed(objects: list[Manifest], image: str) -> list[Manifest]:
    copy = deepcopy(objects)
    server(one(copy, "Deployment", "a"))["image"] = f"{image}:v1@{DIGEST}"
    return copy


def test_the_allowed_ones_pass(ruled_objects: list[Manifest]) -> None:
    assert found(changed(ruled_objects, "registry.example.com/team/model"), STRICT) == []
    assert found(changed(ruled_objects, "registry.example.com/team"), STRICT) == []


@pytest.mark.parametrize(
    "image",
    [
        "registry.example.com/team-of-others/model",
        "registry.example.com/model",
        "registry.example.com.evil.example/team/model",
        "registry.example.com:5000/team/model",
        "evil.example/registry.example.com/team/model",
        "evil/model",
        "model",
    ],
)
def test_others_are_found(ruled_objects: list[Manifest], image: str) -> None:
    (violation,) = found(changed(ruled_objects, image), STRICT)

    assert violation.policy == "allowed-registries"
    assert full_repository(image) in violation.problem.reason


@pytest.mark.parametrize(
    "part",
    [
        {"initContainers": [{"name": "init", "image": f"evil.example/a:v1@{DIGEST}"}]},
        {"ephemeralContainers": [{"name": "debug", "image": f"evil.example/a:v1@{DIGEST}"}]},
        {"volumes": [{"name": "weights", "image": {"reference": f"evil.example/a:v1@{DIGEST}"}}]},
    ],
)
def test_every_container_and_volume_is_looked_at(ruled_objects: list[Manifest], part: dict[str, Any]) -> None:
    copy = changed(ruled_objects, "registry.example.com/team/model")
    pod(one(copy, "Deployment", "a")).update(part)

    (violation,) = (v for v in found(copy, STRICT) if v.policy == "allowed-registries")

    assert next(iter(part.values()))[0]["name"] in violation.problem.reason


def test_the_images_of_the_program_are_looked_at(ruled_objects: list[Manifest]) -> None:
    only_models = replace(RULES, allowed_registries=("registry.example.com",))
    objects = changed(ruled_objects, "registry.example.com/team/model")

    assert {v.object.partition(" ")[0] for v in found(objects, only_models)} == {
        "Alertmanager",
        "Deployment",
        "Prometheus",
    }


def test_without_a_list_every_registry_passes(ruled_objects: list[Manifest]) -> None:
    assert found(changed(ruled_objects, "evil.example/a")) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "https://registry.example.com",
        "registry.example.com/",
        "registry.example.com/a:v1",
        "team",
        "",
        "*",
        "a.b/Team",
    ],
)
def test_a_wrong_registry_is_refused(tmp_path: Path, wrong: str) -> None:
    text = f'  ml-deployments:policy: {{allowedRegistries: ["{wrong}"]}}\n'
    (problem,) = problems(project(tmp_path, GOOD_STACK + text))
    assert problem.field == "config.ml-deployments:policy.allowedRegistries[0]"
    assert "must be a registry's host" in problem.reason


def test_the_images_of_monitoring_are_pinned_where_the_stage_asks(ruled_objects: list[Manifest]) -> None:
    strict = replace(RULES, monitoring_digests=True)
    pinned = deepcopy(ruled_objects)
    for kind, name in (("Deployment", "grafana"), ("Deployment", "kube-state-metrics")):
        server(one(pinned, kind, name))["image"] += f"@{DIGEST}"
    for kind in ("Prometheus", "Alertmanager"):
        one(pinned, kind)["spec"]["image"] += f"@{DIGEST}"

    assert {(v.policy, v.object) for v in found(ruled_objects, strict)} == {
        ("monitoring-digest", "Deployment watch/grafana"),
        ("monitoring-digest", "Deployment watch/kube-state-metrics"),
        ("monitoring-digest", "Prometheus watch/prometheus"),
        ("monitoring-digest", "Alertmanager watch/alertmanager"),
    }
    assert found(pinned, strict) == []
