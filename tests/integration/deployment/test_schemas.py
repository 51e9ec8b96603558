"""The API server's own schemas and those of the operators' CRDs have every field that the program can render."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from delivery.rendering.render import manifests
from sandbox.harness.clone import CHECKOUT, Clone
from tests.support.rich_stages import RICH_STAGES, STAGE

Schema = dict[str, Any]
COMMITTED = ("staging", "production")


@pytest.fixture(scope="module")
def schemas(sandbox: Clone) -> Schema:
    """The cluster's published schemas, made strict: the API drops an unknown field, and a typo must be detected."""
    found: Schema = json.loads(sandbox.run("kubectl", "get", "--raw", "/openapi/v2").stdout)["definitions"]
    for schema in found.values():
        make_strict(schema)
    return found


def make_strict(schema: Any) -> None:
    """Refuse unknown fields in a schema and in everything inside it."""
    if isinstance(schema, list):
        for item in schema:
            make_strict(item)
    if not isinstance(schema, dict):
        return
    if schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string"):
        schema.pop("type", None)
    if isinstance(schema.get("properties"), dict) and "x-kubernetes-preserve-unknown-fields" not in schema:
        schema.setdefault("additionalProperties", False)
    for item in schema.values():
        make_strict(item)


def mistakes(schemas: Schema, manifest: Mapping[str, Any]) -> list[str]:
    """What the schema of an object's kind does not allow in the object."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    kind = {"group": group, "version": version, "kind": manifest["kind"]}
    (name,) = [
        name for name, schema in schemas.items() if kind in schema.get("x-kubernetes-group-version-kind", ())
    ]
    validator = jsonschema.Draft4Validator({"$ref": f"#/definitions/{name}", "definitions": schemas})
    return [
        f"{manifest['kind']} {error.json_path}: {error.message}" for error in validator.iter_errors(manifest)
    ]


@pytest.mark.parametrize("stage", COMMITTED)
def test_the_committed_stages_have_no_field_that_the_cluster_does_not_know(
    schemas: Schema, stage: str
) -> None:
    assert [text for one in manifests(CHECKOUT, stage) for text in mistakes(schemas, one)] == []


@pytest.mark.parametrize("name", sorted(RICH_STAGES))
def test_the_rich_stages_have_no_field_that_the_cluster_does_not_know(
    schemas: Schema, tmp_path: Path, name: str
) -> None:
    RICH_STAGES[name].write(tmp_path / "project")
    found = manifests(tmp_path / "project", STAGE)
    assert found
    assert [text for one in found for text in mistakes(schemas, one)] == []


def test_a_misspelled_field_is_found_wherever_it_is(schemas: Schema) -> None:
    found = {one["kind"]: one for one in manifests(CHECKOUT, "production")}
    deployment, rule = copy.deepcopy(found["Deployment"]), copy.deepcopy(found["PrometheusRule"])
    deployment["spec"]["template"]["spec"]["containers"][0]["imagePullPolcy"] = "Always"
    rule["spec"]["groups"][0]["rules"][0]["exprs"] = "1"
    assert [text for text in mistakes(schemas, deployment) if "imagePullPolcy" in text]
    assert [text for text in mistakes(schemas, rule) if "exprs" in text]
