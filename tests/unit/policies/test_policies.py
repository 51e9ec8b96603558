"""What the policies find in whole stages: those committed, and those with exceptions."""

from pathlib import Path

import pytest

from components.files.sources import Sources
from components.settings.images import Images
from components.stack import load_stack
from delivery.policies.exceptions import not_asked
from delivery.policies.findings import violations
from delivery.policies.violation import Violation
from delivery.rendering.render import manifests
from tests.support.feature_stores import READS
from tests.support.features import write_features
from tests.support.pages import blocks
from tests.support.projects import CHECKOUT, GOOD_STACK, entry, problems, project

DIGEST = f"sha256:{'0' * 64}"


def policy_violations(folder: Path, stage: str) -> list[Violation]:
    settings = load_stack(Sources.of(folder), stage).settings
    return violations(folder, settings, manifests(folder, stage))


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_the_committed_stages_pass(stage: str) -> None:
    assert [v for v in policy_violations(CHECKOUT, stage) if v.policy != "version-order"] == []


def test_production_asks_for_everything_that_it_can() -> None:
    """Who runs it adds the digests of the monitoring stack's images, as their registry shows them."""
    production = load_stack(Sources.of(CHECKOUT), "production").settings
    assert [one.policy.value for one in not_asked(production)] == ["monitoring-digest"]
    assert production.policy.exceptions == ()


def test_mandatory_violations_come_first(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        entry('version: "v1"\nreplicas: 1\nsecurity: {runAsNonRoot: false}')
        + "  ml-deployments:policy:\n    highAvailability: true\n"
        + '    exceptions: [{policy: replicas, name: a, reason: small, until: "2999-12-31"}]\n',
    )

    found = policy_violations(folder, "test")

    assert [(v.policy, v.level.value) for v in found] == [
        ("restricted-pods", "mandatory"),
        ("replicas", "advisory"),
        ("version-order", "advisory"),
    ]
    assert str(found[0]).startswith("restricted-pods: Deployment ml-test/a: the pod must set runAsNonRoot")


def test_an_exception_for_no_policy_is_refused(tmp_path: Path) -> None:
    text = '  ml-deployments:policy: {exceptions: [{policy: replica, name: a, reason: b, until: "2999-12-31"}]}\n'
    (problem,) = problems(project(tmp_path, GOOD_STACK + text))
    assert problem.field == "config.ml-deployments:policy.exceptions[0].policy"


def production_with_the_documented_store(folder: Path, *, pinned: bool) -> Path:
    """A stage with production's policies and the store of docs/feature-store.md."""
    page = CHECKOUT / "docs" / "feature-store.md"
    (store,) = (block.partition("config:\n")[2] for block in blocks(page, "yaml") if "featureStore:" in block)
    strict = "  ml-deployments:requireDigest: true\n  ml-deployments:policy: {highAvailability: true}\n"
    if pinned:
        store = store.replace("    replicas: 2\n", f'    replicas: 2\n    digest: "{DIGEST}"\n')
        images = Images()
        strict += "  ml-deployments:images:\n"
        for key, image in {"redis": images.redis, "redisExporter": images.redis_exporter}.items():
            strict += f'    {key}: {{version: "{image.version}", digest: "{DIGEST}"}}\n'
    folder.mkdir()
    write_features(folder)
    model = entry(f'version: "v1"\nreplicas: 2\ndigest: "{DIGEST}"')
    return project(folder, model + strict + store, a=READS)


def test_the_documented_store_passes_with_the_settings_that_the_policies_name(tmp_path: Path) -> None:
    found = policy_violations(production_with_the_documented_store(tmp_path / "pinned", pinned=True), "test")
    assert [v for v in found if v.policy != "version-order"] == []

    found = policy_violations(production_with_the_documented_store(tmp_path / "tags", pinned=False), "test")
    fixes = {v.problem.fix for v in found if v.policy != "version-order"}
    assert {v.policy for v in found} == {"image-digest", "version-order"}
    assert fixes == {
        'add digest: "sha256:..." to featureStore in the stack file, as the registry shows it',
        *(
            f'add ml-deployments:images: {{{key}: {{version: "{version}", digest: "sha256:..."}}}} to the stack file, '
            "as the registry shows it"
            for key, version in (
                ("redis", Images().redis.version),
                ("redisExporter", Images().redis_exporter.version),
            )
        ),
    }
