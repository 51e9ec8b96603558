"""The images that the program brings: each can come from another registry, and be pinned."""

from pathlib import Path

import pytest

from components.settings.images import Images
from delivery.rendering.render import manifests
from tests.support.features import STORE, write_features
from tests.support.monitoring_stacks import INSTALLED
from tests.support.projects import CHECKOUT, GOOD_STACK, entry, named, problems, project

DIGEST = f"sha256:{'0' * 64}"
NAMES = {
    "redis": "redis",
    "redisExporter": "redis_exporter",
    "prometheus": "prometheus",
    "alertmanager": "alertmanager",
    "grafana": "grafana",
    "kubeStateMetrics": "kube_state_metrics",
}


def stage(folder: Path, images: str, more: str = STORE + INSTALLED) -> Path:
    write_features(folder)
    return project(
        folder, entry('version: "v1"\nreplicas: 2') + more + f"  ml-deployments:images: {images}\n"
    )


def containers(folder: Path) -> dict[str, str]:
    """The image of each container by its object and name; prometheus-operator's own has the name of its object."""
    found = {}
    for manifest in manifests(folder, "test"):
        spec = manifest.get("spec", {})
        what = f"{manifest['kind']} {manifest['metadata']['name']}"
        if "image" in spec:
            found[what] = spec["image"]
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template", {})
        found |= {f"{what} {c['name']}": c["image"] for c in template.get("spec", {}).get("containers", ())}
    return found


def test_every_image_can_come_from_a_mirror_with_its_digest(tmp_path: Path) -> None:
    versions = {key: getattr(Images(), name).version for key, name in NAMES.items()}
    entries = ", ".join(
        f'{key}: {{image: mirror.example.com/{key.lower()}, version: "{version}", digest: "{DIGEST}"}}'
        for key, version in versions.items()
    )
    feast = STORE.replace(
        "replicas: 2", f'image: mirror.example.com/feast\n    digest: "{DIGEST}"\n    replicas: 2'
    )
    found = containers(stage(tmp_path, f"{{{entries}}}", feast + INSTALLED))
    del found["Deployment a server"]

    assert len(found) == 9
    for what, image in found.items():
        assert image.startswith("mirror.example.com/"), what
        assert image.endswith(f"@{DIGEST}"), what


def test_an_image_keeps_what_its_entry_leaves_out(tmp_path: Path) -> None:
    found = containers(stage(tmp_path, "{grafana: {image: mirror.example.com/grafana}}"))

    assert found["Deployment grafana grafana"] == f"mirror.example.com/grafana:{Images().grafana.version}"
    assert found["StatefulSet feature-store-redis feature-store-redis"] == Images().redis.reference


def test_prometheus_operator_learns_the_version_and_all_pods_the_secrets(tmp_path: Path) -> None:
    images = '{prometheus: {version: "v3.14.0"}, imagePullSecrets: [mirror]}'
    found = named(stage(tmp_path, images))
    secrets = [{"name": "mirror"}]

    assert found["Prometheus prometheus"]["spec"]["version"] == "v3.14.0"
    assert found["Prometheus prometheus"]["spec"]["imagePullSecrets"] == secrets
    assert found["Alertmanager alertmanager"]["spec"]["imagePullSecrets"] == secrets
    for name in ("Deployment grafana", "Deployment kube-state-metrics", "StatefulSet feature-store-redis"):
        assert found[name]["spec"]["template"]["spec"]["imagePullSecrets"] == secrets, name


@pytest.mark.parametrize(
    ("images", "field", "reason"),
    [
        (f'{{redis: {{digest: "{DIGEST}"}}}}', "images.redis", "has a digest without its version"),
        ('{redis: {version: "latest"}}', "images.redis.version", "must name one version"),
        ('{redis: {image: "example.com/redis:8"}}', "images.redis.image", "must not contain a tag"),
        (
            '{prometheus: {version: "main"}}',
            "images.prometheus.version",
            "must be a version of three numbers",
        ),
        ("{mysql: {}}", "images.mysql", "unknown key"),
    ],
)
def test_what_is_not_an_image_is_refused(tmp_path: Path, images: str, field: str, reason: str) -> None:
    (problem,) = problems(stage(tmp_path, images))

    assert problem.field == f"config.ml-deployments:{field}"
    assert reason in problem.reason


@pytest.mark.parametrize(
    ("more", "images", "idle"),
    [
        (STORE, '{grafana: {version: "12.4.0"}}', "grafana"),
        (INSTALLED, '{redis: {version: "8.2.9"}, grafana: {version: "12.4.0"}}', "redis"),
        (STORE + "  ml-deployments:monitoring: {delivery: none}\n", "{redisExporter: {}}", "redisExporter"),
        ("", "{imagePullSecrets: [mirror]}", "imagePullSecrets"),
    ],
)
def test_an_image_that_does_not_run_is_refused(tmp_path: Path, more: str, images: str, idle: str) -> None:
    (problem,) = problems(stage(tmp_path, images, more))

    assert problem.reason.startswith(f"{idle} has no effect")
    assert problem.field == f"config.ml-deployments:images.{idle}"


def test_nothing_is_said_of_images_where_a_store_is_wrong(tmp_path: Path) -> None:
    folder = project(
        tmp_path, GOOD_STACK + "  ml-deployments:featureStore: {}\n  ml-deployments:images: {redis: {}}\n"
    )

    assert {problem.field for problem in problems(folder) if "images" in problem.field} == set()


def test_the_page_lists_the_images() -> None:
    page = (CHECKOUT / "docs" / "images.md").read_text()

    for key, name in NAMES.items():
        image = getattr(Images(), name)
        assert f"| `images.{key}` | `{image.image}` | {image.version} |" in page
