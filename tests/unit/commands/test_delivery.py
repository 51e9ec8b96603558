"""The commands over the committed files."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from delivery.cli import app
from delivery.rendering.render import HEADER
from delivery.schema.json_schema import dump, generated, schemas
from tests.support import feature_stores, programs
from tests.support.projects import CHECKOUT, GOOD_STACK, MODEL, entry, project
from tests.support.repositories import Work

GOOD = 'version: "v1"\nreplicas: 2'


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


def test_check_of_a_good_project_lists_its_models(tmp_path: Path) -> None:
    code, out, _ = run("check", "--project", project(tmp_path))
    assert code == 0
    assert re.search(r"test\s+│ ml-test\s+│ a\s+│ v1\s+│ 2", out)


def test_check_reports_every_file_including_those_that_no_stage_names(tmp_path: Path) -> None:
    folder = project(tmp_path, entry('version: "latest"\nreplicas: 1'), a=MODEL, b="owner: a\n")
    code, _, err = run("check", "--project", folder)
    assert code == 1
    assert err.startswith("3 problems found; nothing was changed.\n")
    assert "Pulumi.test.yaml:5: config.ml-deployments:models.a.version" in err
    assert "models/b.yaml: resources: is required and missing" in err


def test_check_without_stages(tmp_path: Path) -> None:
    code, _, err = run("check", "--project", tmp_path)
    assert code == 1
    assert "no stack file" in err


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    repository = Work.new(tmp_path / "project").folder
    (tmp_path / "file").write_text("")
    for command in (
        ("render", "staging", "--project", CHECKOUT, "--output"),
        ("gitops", "--project", CHECKOUT, "--output"),
        ("history", "--project", repository, "--html"),
        ("review", "HEAD..HEAD", "--project", repository, "--output"),
        ("schema", "--output"),
    ):
        code, _, err = run(*command, tmp_path / "file" / "inside")
        assert code == 1
        assert err.startswith(f"{tmp_path / 'file'}")
        assert "Fix: name another file or folder" in err


def test_an_option_of_git_is_not_a_remote(tmp_path: Path) -> None:
    folder = Work.new(tmp_path / "project").folder
    option = f"--push=--upload-pack=touch {tmp_path}/ran"
    for command in (("render", "staging", "--commit"), ("tag", "staging")):
        assert run(*command, option, "--project", folder)[0] == 2
    assert not (tmp_path / "ran").exists()


def test_wrong_usage_is_2(tmp_path: Path) -> None:
    folder = project(tmp_path)
    assert run("show", "nowhere", "--project", folder)[0] == 2
    assert run("show", "test", "nobody", "--project", folder)[0] == 2
    assert run("render", "test", "--project", folder)[0] == 2


def test_show_names_the_source_of_each_value(tmp_path: Path) -> None:
    folder = project(tmp_path, entry(GOOD + '\nenv: {A: "2"}'), a=MODEL + 'env: {A: "1", B: "1"}\n')
    code, out, _ = run("show", "test", "--project", folder)
    assert code == 0
    rows = (line.strip().split("# ") for line in out.splitlines() if "# " in line)
    sources = {text.strip(): source for text, source in rows}
    assert sources['namespace: "ml-test"'] == "Pulumi.test.yaml:2"
    assert sources['version: "v1"'] == "Pulumi.test.yaml:5"
    assert sources['owner: "team-a"'] == "models/a.yaml:1"
    assert sources["port: 8080"] == "runtime generic"
    assert sources["gracePeriodSeconds: 60"] == "default"
    assert sources['value: "2"'] == "Pulumi.test.yaml:7"
    assert sources['value: "1"'] == "models/a.yaml:6"


def test_show_prints_valid_yaml_with_the_effective_values(tmp_path: Path) -> None:
    _, out, _ = run("show", "test", "a", "--project", project(tmp_path))
    assert yaml.safe_load(out)["a"]["resources"]["limits"] == {
        "cpu": "2",
        "memory": "4Gi",
        "ephemeral-storage": "1536Mi",
    }


def test_show_of_a_broken_stage(tmp_path: Path) -> None:
    code, _, err = run("show", "test", "--project", project(tmp_path, entry("replicas: 1")))
    assert code == 1
    assert "version" in err


def test_show_says_what_a_stage_has_by_its_exit_code(tmp_path: Path) -> None:
    without, store = project(tmp_path / "without"), project(tmp_path / "with")
    # Words in a comment are not a store.
    with (without / "Pulumi.test.yaml").open("a") as file:
        file.write("  # ml-deployments:featureStore: is left out\n")
    feature_stores.stage(store)
    assert run("show", "test", "--has", "featureStore", "--project", without)[:2] == (1, "")
    assert run("show", "test", "--has", "featureStore", "--project", store) == (0, "", "")
    assert run("show", "test", "--has", "models", "--project", without)[0] == 0
    code, _, err = run("show", "test", "--has", "featurestore", "--project", store)
    assert code == 2
    assert "featurestore is not a key" in err


def test_render_is_deterministic(tmp_path: Path) -> None:
    folder, output = project(tmp_path / "p"), tmp_path / "out"
    assert run("render", "test", "--output", output, "--project", folder)[0] == 0
    first = {path.name: path.read_text() for path in output.iterdir()}
    assert set(first) == {
        "1-namespace-ml-test.yaml",
        "networkpolicy-default-deny.ml-deployments.yaml",
        *(
            f"{kind}-a.yaml"
            for kind in ("deployment", "networkpolicy", "poddisruptionbudget", "service", "serviceaccount")
        ),
        *(f"configmap-{name}.yaml" for name in ("a-dashboard", "a-rules", "dashboard-fleet")),
    }
    assert run("render", "test", "--output", output, "--project", folder)[0] == 0
    second = {path.name: path.read_text() for path in output.iterdir()}
    assert second == first


def test_rendered_whole_numbers_are_integers_and_keys_are_ordered(tmp_path: Path) -> None:
    run("render", "test", "--output", tmp_path / "out", "--project", project(tmp_path))
    for path in (tmp_path / "out").iterdir():
        text = path.read_text()
        assert not [value for value in values(yaml.safe_load(text)) if isinstance(value, float)]
        keys = re.findall(r"^(\w+):", text, re.MULTILINE)
        assert keys == sorted(keys)
        assert text.startswith(HEADER)


def values(data: Any) -> Iterator[Any]:
    if isinstance(data, dict | list):
        for item in data.values() if isinstance(data, dict) else data:
            yield from values(item)
    else:
        yield data


def test_a_refused_render_writes_nothing(tmp_path: Path) -> None:
    folder = project(tmp_path, entry("replicas: 1"))
    code, _, err = run("render", "test", "--output", tmp_path / "out", "--project", folder)
    assert code == 1
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_render_runs_the_program_of_another_checkout(tmp_path: Path) -> None:
    folder = project(tmp_path)
    program = (
        "from components.own import NAME\n"
        "def rendered(project, stage):\n"
        "    return [{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': NAME}}]\n"
    )
    programs.write(folder, program, own="NAME = 'from-that-checkout'\n")
    assert run("render", "test", "--output", tmp_path / "out", "--project", folder)[0] == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["configmap-from-that-checkout.yaml"]


@pytest.mark.parametrize("name", ["model.schema.json", "stack.schema.json", "settings.md"])
def test_committed_schemas_and_reference_are_fresh(name: str) -> None:
    assert (CHECKOUT / "docs" / name).read_text() == generated()[name], "run `make schema`"


def test_schema_command_writes_the_generated_files(tmp_path: Path) -> None:
    assert run("schema", "--output", tmp_path)[0] == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == generated()


def schema_accepts(schema: dict[str, Any], text: str) -> bool:
    return not list(jsonschema.Draft202012Validator(schema).iter_errors(yaml.safe_load(text)))


def test_schemas_accept_the_committed_files_and_find_mistakes() -> None:
    model, stack = schemas()["model.schema.json"], schemas()["stack.schema.json"]
    for path in (CHECKOUT / "models").iterdir():
        assert schema_accepts(model, path.read_text())
    for stage in ("staging", "production"):
        assert schema_accepts(stack, (CHECKOUT / f"Pulumi.{stage}.yaml").read_text())
    assert schema_accepts(stack, GOOD_STACK)
    assert schema_accepts(
        stack, entry(GOOD + '\nenv: {A: "1", B: null}\nprobes: {liveness: {timeoutSeconds: 9}}')
    )
    for bad in (
        "replicas: 2",
        'version: "latest"\nreplicas: 2',
        GOOD + "\nreplica: 2",
        'version: "v"\nreplicas: -1',
    ):
        assert not schema_accepts(stack, entry(bad))
    assert not schema_accepts(model, MODEL + "prt: 1\n")
    assert json.loads(dump(model))["$schema"].startswith("https://json-schema.org/")
