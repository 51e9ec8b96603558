"""How a stage's file is merged over the model files."""

from decimal import Decimal
from pathlib import Path

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.files.sources import Sources
from components.files.yaml_document import Document, Origin
from components.loading.model_files import merge
from components.program_stack import load_program_stack
from components.settings.quantities import quantity, seconds
from components.settings.stack import StackSettings
from components.stack import load_stack
from tests.support.projects import CHECKOUT, GOOD_STACK, MODEL, entry, project


def settings(folder: Path) -> StackSettings:
    return load_stack(Sources.of(folder), "test").settings


def test_the_example_has_every_figure_of_its_system() -> None:
    production = load_stack(Sources.of(CHECKOUT), "production").settings
    (model,) = production.models
    assert (production.namespace, model.version, model.replicas) == ("ml-production", "v1.2.0", 5)
    assert model.image_reference.startswith("model-registry/sentiment-classifier:v1.2.0@sha256:")
    assert model.resources.requests == {"cpu": "200m", "memory": "320Mi", "ephemeral-storage": "128Mi"}
    assert model.resources.limits == {"cpu": "1", "memory": "640Mi", "ephemeral-storage": "1536Mi"}
    assert (model.probes.liveness.path, model.probes.liveness.initial_delay_seconds) == ("/health", 30)
    assert (model.probes.readiness.path, model.probes.readiness.initial_delay_seconds) == ("/ready", 10)
    staging = load_stack(Sources.of(CHECKOUT), "staging").settings
    assert (staging.namespace, staging.models[0].version) == ("ml-staging", "v1.3-rc1")
    assert staging.models[0].replicas == 2


def test_mappings_merge_scalars_and_lists_replace_null_removes(tmp_path: Path) -> None:
    base = MODEL + 'env: {A: "1", B: "2"}\nmounts: [{path: /a, secret: a}, {path: /b, secret: b}]\n'
    text = 'version: "v1"\nreplicas: 2\nenv: {B: "3", A: null, C: "4"}\nmounts: [{path: /c, secret: c}]'
    (model,) = settings(project(tmp_path, entry(text), a=base)).models
    assert {name: value and value.value for name, value in model.env.items()} == {"B": "3", "C": "4"}
    assert [mount.path for mount in model.mounts] == ["/c"]
    assert model.resources.requests["memory"] == "2Gi"


def test_a_model_runs_only_where_the_stage_names_it(tmp_path: Path) -> None:
    assert [m.name for m in settings(project(tmp_path, a=MODEL, b=MODEL)).models] == ["a"]


def test_a_stage_without_models_is_a_namespace(tmp_path: Path) -> None:
    assert settings(project(tmp_path, "config:\n  ml-deployments:namespace: ml-test\n")).models == ()


def test_the_runtime_supplies_port_and_probes(tmp_path: Path) -> None:
    (model,) = settings(project(tmp_path, a=MODEL + "runtime: triton\n")).models
    assert model.port == 8000
    assert model.probes.readiness.path == "/v2/health/ready"


def test_the_digest_pins_the_image(tmp_path: Path) -> None:
    digest = "sha256:" + "0" * 64
    (model,) = settings(project(tmp_path, entry(f'version: "v1"\nreplicas: 1\ndigest: "{digest}"'))).models
    assert model.image_reference == f"registry.example.com/team/model:v1@{digest}"


def test_the_update_waits_longer_than_the_progress_deadline(tmp_path: Path) -> None:
    (model,) = settings(project(tmp_path)).models
    assert model.rollout_timeout_seconds == 900 + 2 * 60
    text = 'version: "v1"\nreplicas: 2\nrollout: {progressDeadlineSeconds: 700, timeoutSeconds: 800}'
    (model,) = settings(project(tmp_path, entry(text))).models
    assert model.rollout_timeout_seconds == 800


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        settings(project(tmp_path)).models[0].replicas = 3


def test_stages_are_found_by_their_files(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: x\n")
    assert Sources.of(project(tmp_path)).stages == ("test",)


@pytest.mark.parametrize("passed", ["other", None])
def test_config_that_is_not_in_the_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passed: str | None
) -> None:
    folder = project(tmp_path)
    config = {} if passed is None else {"ml-deployments:namespace": passed}
    pulumi.runtime.set_all_config(
        {**config, "ml-deployments:models": '{"a": {"version": "v1", "replicas": 2}}'}
    )
    monkeypatch.setattr(pulumi, "get_stack", lambda: "test")
    with pytest.raises(pulumi.RunError, match="given another value than the file contains"):
        load_program_stack(folder)


keys = st.sampled_from(["a", "b", "c"])
trees = st.recursive(
    st.integers() | st.lists(st.integers()), lambda inner: st.dictionaries(keys, inner), max_leaves=8
)


def document(data: dict[str, object]) -> Document:
    origins: dict[tuple[str | int, ...], Origin] = {}

    def walk(value: object, path: tuple[str | int, ...]) -> None:
        origins[path] = Origin(file="f", line=1, raw=None, quoted=False)
        for key, item in value.items() if isinstance(value, dict) else ():
            walk(item, (*path, key))

    walk(data, ())
    return Document(file="f", data=data, origins=origins)


@given(st.dictionaries(keys, trees), st.dictionaries(keys, trees))
def test_a_merge_is_idempotent_and_the_overlay_wins(
    base: dict[str, object], above: dict[str, object]
) -> None:
    merged, _ = merge(document(base), document(above))
    assert merge(document(merged), document(above))[0] == merged
    for key, value in above.items():
        if not isinstance(value, dict):
            assert merged[key] == value
    assert merged.keys() == base.keys() | above.keys()


@pytest.mark.parametrize(
    ("text", "value"),
    [("500m", "0.5"), ("2", "2"), ("2Gi", "2147483648"), ("1.5k", "1500"), ("100n", "1e-7")],
)
def test_quantities_are_exact(text: str, value: str) -> None:
    assert quantity(text) == Decimal(value)


@pytest.mark.parametrize(("text", "value"), [("250ms", 0.25), ("0.5s", 0.5), ("10m", 600), ("1h", 3600)])
def test_durations_are_seconds(text: str, value: float) -> None:
    assert float(seconds(text)) == value


def test_the_good_stack_is_good(tmp_path: Path) -> None:
    assert settings(project(tmp_path, GOOD_STACK)).stage == "test"
