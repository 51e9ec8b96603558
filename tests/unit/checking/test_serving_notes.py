"""What `check` says of releases with devices, and of servers without a model."""

from pathlib import Path

import pytest

from delivery.checking.check import check
from tests.support.projects import MODEL, entry, project

GPU = MODEL.replace("limits: {cpu", 'limits: {nvidia.com/gpu: "2", cpu')


def notes(folder: Path, text: str, replicas: int = 1) -> list[str]:
    report = check(project(folder, entry(f'version: "v1"\nreplicas: {replicas}'), a=text))
    assert report.problems == ()
    return report.notes()


@pytest.mark.parametrize(
    ("rollout", "replicas", "said"),
    [
        (
            "{maxSurge: 1}",
            1,
            "needs 2 nvidia.com/gpu more during a release; without them it fails after 900 s",
        ),
        ("{maxSurge: 5}", 2, "needs 4 nvidia.com/gpu more during a release"),
        ("{maxSurge: 1, maxUnavailable: 1}", 3, "without them it replaces 1 at a time"),
        ("{maxSurge: 0, maxUnavailable: 1}", 1, "is not served during a release"),
    ],
)
def test_a_release_of_devices_says_what_happens(
    tmp_path: Path, rollout: str, replicas: int, said: str
) -> None:
    (note,) = [n for n in notes(tmp_path, GPU + f"rollout: {rollout}\n", replicas) if "release" in n]
    assert note.startswith("test: a ")
    assert said in note


@pytest.mark.parametrize(
    ("text", "replicas"),
    [
        (MODEL, 1),
        (GPU + "rollout: {maxSurge: 0, maxUnavailable: 1}\n", 2),
        (GPU + "rollout: {maxSurge: 1}\n", 0),
    ],
    ids=["no device", "a replica less", "stopped"],
)
def test_other_releases_are_not_mentioned(tmp_path: Path, text: str, replicas: int) -> None:
    assert [note for note in notes(tmp_path, text, replicas) if "release" in note] == []


def test_a_stage_may_choose_for_a_model_with_devices(tmp_path: Path) -> None:
    chosen = entry('version: "v1"\nreplicas: 1\nrollout: {maxSurge: 0, maxUnavailable: 1}')
    assert check(project(tmp_path, chosen, a=GPU)).problems == ()


@pytest.mark.parametrize("runtime", ["vllm", "triton", "tensorflow-serving"])
def test_a_runtime_without_a_model_and_a_way_to_one_is_said(tmp_path: Path, runtime: str) -> None:
    assert f"test: a runs {runtime} and has no env" in "".join(
        notes(tmp_path, f"{MODEL}runtime: {runtime}\n")
    )


@pytest.mark.parametrize(
    "more",
    [
        "runtime: bentoml\n",
        'runtime: vllm\nenv: {HF_HOME: "/models"}\n',
        "runtime: vllm\nmounts: [{path: /models, configMap: models}]\n",
        "runtime: vllm\nnetwork: {egress: [{cidr: 10.0.0.0/8, ports: [443]}]}\n",
        "runtime: vllm\nnetwork: {enabled: false}\n",
    ],
)
def test_a_runtime_that_may_have_a_model_is_not_mentioned(tmp_path: Path, more: str) -> None:
    assert "serves only" not in "".join(notes(tmp_path, MODEL + more))
