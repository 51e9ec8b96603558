"""What the controllers in the cluster may do: everything that a stage needs, whatever its files say, and no more."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from delivery.gitops.generate import generated
from delivery.gitops.scope import group
from delivery.rendering.render import manifests
from tests.support.gitops import forbidden, objects, resource, rules, the_only, use_gitops
from tests.support.projects import CHECKOUT
from tests.support.rich_stages import RICH_STAGES, STAGE

Objects = list[dict[str, Any]]
Rendered = tuple[dict[str, Objects], Objects]
ACCOUNTS = ("argocd", "flux", "pulumi")
COMMITTED = ("production", "staging")


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rendered]:
    """For each committed and each rich stage, its objects in gitops/ by the controller, and what it renders."""
    committed = generated(CHECKOUT)
    found = {stage: (of_stage(committed, stage), manifests(CHECKOUT, stage)) for stage in COMMITTED}
    for name, rich in RICH_STAGES.items():
        project = tmp_path_factory.mktemp("rich") / name
        rich.write(project)
        shutil.copy(CHECKOUT / "__main__.py", project)
        use_gitops(project)
        found[name] = (of_stage(generated(project), STAGE), manifests(project, STAGE))
    return found


def of_stage(files: dict[str, str], stage: str) -> dict[str, Objects]:
    return {Path(name).parent.name: objects(text) for name, text in files.items() if Path(name).stem == stage}


@pytest.mark.parametrize("tool", ACCOUNTS)
@pytest.mark.parametrize("name", [*COMMITTED, *RICH_STAGES])
def test_the_account_may_write_what_the_stage_renders_and_read_no_secret(
    stages: dict[str, Rendered], tool: str, name: str
) -> None:
    files, rendered = stages[name]
    assert len(rendered) > 1
    assert forbidden(files[tool], rendered) == []
    roles = [item for item in files[tool] if item["kind"] in {"Role", "ClusterRole"}]
    held = [rule for role in roles for rule in role["rules"]]
    assert not [
        rule for rule in held if {"*", "secrets"} & {*rule["resources"], *rule["verbs"], *rule["apiGroups"]}
    ]


@pytest.mark.parametrize("tool", ACCOUNTS)
def test_the_account_may_write_no_kind_that_no_stage_renders(stages: dict[str, Rendered], tool: str) -> None:
    rendered = {
        resource(manifest)
        for _, found in stages.values()
        for manifest in found
        if "namespace" in manifest["metadata"]
    }
    files, _ = stages["features-own-monitoring"]
    written = {
        (api_group, plural)
        for rule in rules(files[tool], "ml-test")
        if "create" in rule["verbs"]
        for api_group in rule["apiGroups"]
        for plural in rule["resources"]
    }
    assert written == rendered


@pytest.mark.parametrize("name", [*COMMITTED, *RICH_STAGES])
def test_a_project_of_argocd_reaches_its_own_stage_and_no_other(
    stages: dict[str, Rendered], name: str
) -> None:
    files, rendered = stages[name]
    spec = the_only(files["argocd"], "AppProject")["spec"]
    outside = {
        (group(m), m["kind"], m["metadata"]["name"]) for m in rendered if "namespace" not in m["metadata"]
    }
    inside = {m["metadata"]["namespace"] for m in rendered if "namespace" in m["metadata"]}
    namespaces = {name for _, kind, name in outside if kind == "Namespace"}
    assert {
        (item["group"], item["kind"], item["name"]) for item in spec["clusterResourceWhitelist"]
    } == outside
    assert {place["namespace"] for place in spec["destinations"]} == namespaces >= inside
    assert spec["namespaceResourceBlacklist"] == [{"group": "", "kind": "Secret"}]
