"""Pull delivery: a real Argo CD follows the rendered branch of a stage, by the committed Application."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.harness.argocd import NAMESPACE, argocd
from sandbox.harness.clone import CHECKOUT, Clone
from sandbox.harness.followed import APPLICATION, BRANCH, STAGE, Followed, followed
from tests.integration.drift.classes import ADDED, FIELDS, NAMESPACE_DELETED, OBJECTS
from tests.integration.drift.tools import NO, YES, page_row, place, word

MODEL, OTHER = "sentiment-classifier", "other-classifier"
OLD, NEW = "v1.3-rc1", "v1.3-rc2"
COLUMN = "Argo CD heals"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{APPLICATION}"


@pytest.fixture(scope="module")
def following(sandbox: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """Argo CD runs, and the stage is applied. The measurements are printed at the end."""
    folder = tmp_path_factory.mktemp("pull")
    with argocd(sandbox, folder), followed(sandbox, folder) as stage:
        try:
            yield stage
        finally:
            width = max(map(len, stage.seconds))
            for what, seconds in stage.seconds.items():
                print(f"{what:<{width}} {seconds:6.1f} s", file=sys.stderr)


@pytest.fixture
def stage(following: Followed) -> Followed:
    """The stage with its first stack file, applied."""
    following.settle()
    assert following.serving(MODEL) == [OLD, OLD]
    return following


def bumped(stage: Followed) -> str:
    assert f'"{OLD}"' in stage.stack
    return stage.stack.replace(f'"{OLD}"', f'"{NEW}"')


def uids(stage: Followed) -> set[str]:
    """Every pod of the model."""
    pods = stage.project.get("pods", selector=f"app.kubernetes.io/name={MODEL}")["items"]
    return {pod["metadata"]["uid"] for pod in pods}


def with_models(stack: str, names: tuple[str, ...]) -> str:
    """A stack file with more models like the first, and the default monitoring."""
    line = next(line for line in stack.splitlines(keepends=True) if line.strip().startswith(f"{MODEL}:"))
    before, _, after = stack.partition("  ml-deployments:monitoring:\n")
    models = after[after.index("  ml-deployments:models:") :]
    return before + models.replace(line, line + "".join(line.replace(MODEL, name) for name in names))


def live(stage: Followed, kind: str, name: str) -> Any:
    return stage.project.get(kind, name)["spec"]


def test_the_stage_is_applied_whole(stage: Followed) -> None:
    status = stage.application()["status"]
    rendered = stage.git("ls-tree", "--name-only", BRANCH).splitlines()
    assert len(status["resources"]) == len(rendered) > 30
    assert {found["status"] for found in status["resources"]} == {"Synced"}


def test_a_commit_reaches_the_ready_endpoints(stage: Followed) -> None:
    started = time.monotonic()
    stage.seconds["version bump: render and push"] = stage.commit("Roll out", bumped(stage))
    stage.seconds["version bump: commit to serving"] = stage.until(
        lambda: stage.serving(MODEL) == [NEW, NEW], "the new version serves", started=started
    )
    source = stage.git("rev-parse", "HEAD")
    tip = stage.tip()
    stage.until(lambda: stage.synced(tip), "the Application shows the commit")
    assert source in stage.git("log", "-1", "--format=%(trailers)", tip)


def test_a_revert_of_the_source_commit_rolls_back(stage: Followed) -> None:
    stage.commit("Roll out", bumped(stage))
    stage.until(lambda: stage.serving(MODEL) == [NEW, NEW], "the new version serves")
    started = time.monotonic()
    stage.git("revert", "--no-edit", "HEAD")
    stage.render()
    stage.seconds["git revert to serving"] = stage.until(
        lambda: stage.serving(MODEL) == [OLD, OLD], "the old version serves", started=started
    )


@pytest.mark.parametrize(
    ("what", "command", "healed"),
    [
        (
            "scaled Deployment",
            ("scale", "deployment", MODEL, "--replicas=4"),
            lambda stage: live(stage, "deployment", MODEL)["replicas"] == 2,
        ),
        (
            "changed image",
            ("set", "image", f"deployment/{MODEL}", "server=registry.example.com/other:v9"),
            lambda stage: (
                live(stage, "deployment", MODEL)["template"]["spec"]["containers"][0]["image"]
                == f"model-registry/{MODEL}:{OLD}"
            ),
        ),
        (
            "deleted Service",
            ("delete", "service", MODEL),
            lambda stage: len(stage.serving(MODEL)) == 2,
        ),
        (
            "deleted NetworkPolicy",
            ("delete", "networkpolicy", MODEL),
            lambda stage: stage.project.get("networkpolicies", selector=f"app.kubernetes.io/name={MODEL}")[
                "items"
            ],
        ),
        (
            "changed label selector of the Service",
            ("patch", "service", MODEL, "--patch", json.dumps({"spec": {"selector": {"app": "nobody"}}})),
            lambda stage: "app" not in live(stage, "service", MODEL)["selector"],
        ),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_drift_is_healed(stage: Followed, what: str, command: tuple[str, ...], healed: Any) -> None:
    before = live(stage, "deployment", MODEL), live(stage, "service", MODEL)["selector"]
    started = time.monotonic()
    stage.project.run("kubectl", *command, f"--namespace={stage.project.namespace}")
    stage.seconds[f"drift healed: {what}"] = stage.until(
        lambda: healed(stage), f"{what} is healed", started=started
    )
    tip = stage.tip()
    stage.until(lambda: stage.synced(tip) and stage.serving(MODEL) == [OLD, OLD], "all is as it was")
    assert (live(stage, "deployment", MODEL), live(stage, "service", MODEL)["selector"]) == before


def test_which_classes_of_drift_are_healed(stage: Followed) -> None:
    """As docs/drift.md says: added fields by themselves, all fields of one model at once, and whole objects."""
    others = ("added", "all", "objects")
    source = (CHECKOUT / "models" / f"{MODEL}.yaml").read_text()
    for name in others:
        (stage.project.path / "models" / f"{name}.yaml").write_text(source)
    stage.git("add", "--all")
    stage.commit("Serve three more models", with_models(stage.stack, others))
    tip = stage.tip()
    stage.until(lambda: stage.synced(tip), "the models are applied")
    added, every, objects = (place(stage.project, model, STAGE) for model in others)
    drifts = [
        *((case, added) for case in ADDED),
        *((case, every) for case in FIELDS),
        *((case, objects) for case in OBJECTS),
    ]
    before = [case.look(where) for case, where in drifts]

    def healed() -> dict[tuple[str, str], str]:
        return {
            (case.name, where.model): word(case.look(where) == seen)
            for (case, where), seen in zip(drifts, before, strict=True)
        }

    page = {(case.name, where.model): page_row(case.name)[COLUMN] for case, where in drifts}
    # The list is declared empty: Argo CD does not see what is added to it, and applying the object removes it.
    page["toleration added", every.model] = YES
    with stage.left_alone():
        for case, where in drifts:
            case.cause(where)
        assert set(healed().values()) == {NO}
    stage.seconds["drift healed: all classes at once"] = stage.until(
        lambda: all(seen == YES for key, seen in healed().items() if page[key] == YES),
        "what the page says is healed",
    )
    # It compares once more and finds nothing to do, so what is left now stays.
    stage.refresh()
    stage.until(lambda: stage.compared() and stage.synced(tip), "nothing is left that it sees")
    assert healed() == page
    for name in ("by-hand", f"{objects.model}-orphan"):
        objects.kubectl("delete", "configmap", name, f"--namespace={objects.namespace}")


def test_a_deleted_namespace_is_restored_once_the_account_may_write_there_again(stage: Followed) -> None:
    """The account's permissions there went with it."""
    case, where, tip = NAMESPACE_DELETED, place(stage.project, MODEL, STAGE), stage.tip()
    before = case.look(where)
    # While a namespace is being deleted Argo CD may start to restore its objects, and that fails for long.
    with stage.left_alone():
        case.cause(where)
        assert case.look(where) != before
        may = ("auth", "can-i", "create", "deployments", f"--namespace={where.namespace}", f"--as={ACCOUNT}")
        assert (
            stage.project.run("kubectl", *may, check=False).stdout.strip()
            == page_row(case.name)[COLUMN]
            == NO
        )
        stage.apply()
    stage.seconds["deleted namespace: objects applied again to serving"] = stage.until(
        lambda: stage.serving(MODEL) == [OLD, OLD] and stage.synced(tip), "the namespace is back"
    )
    assert case.look(where) == before


def test_a_model_that_the_stack_file_no_longer_names_is_pruned(stage: Followed) -> None:
    source = CHECKOUT / "models" / f"{MODEL}.yaml"
    (stage.project.path / "models" / f"{OTHER}.yaml").write_text(source.read_text())
    line = next(line for line in stage.stack.splitlines() if line.strip().startswith(f"{MODEL}:"))
    two = stage.stack.replace(line, f"{line}\n{line.replace(MODEL, OTHER)}")
    stage.git("add", "--all")
    started = time.monotonic()
    stage.commit("Serve another model", two)
    stage.seconds["new model: commit to serving"] = stage.until(
        lambda: stage.serving(OTHER) == [OLD, OLD], "the other model serves", started=started
    )
    started = time.monotonic()
    stage.commit("Stop serving it", stage.stack)
    owned = f"app.kubernetes.io/name={OTHER}"
    kinds = "deployments,services,networkpolicies,serviceaccounts,poddisruptionbudgets,configmaps,pods"
    stage.seconds["removed model: commit to gone"] = stage.until(
        lambda: not stage.project.get(kinds, selector=owned)["items"], "the model is pruned", started=started
    )
    assert stage.serving(MODEL) == [OLD, OLD]


def refused_by_the_api_server(folder: Path) -> None:
    """Give all pods of the stage a value that Kubernetes does not know."""
    path = folder / "components" / "kubernetes" / "pods.py"
    text = path.read_text()
    assert '"RuntimeDefault"' in text
    path.write_text(text.replace('"RuntimeDefault"', '"Broken"'))


def refused_by_the_project(folder: Path) -> None:
    """One more object, in a namespace of another project."""
    path = folder / "components" / "program.py"
    path.write_text(
        f"{path.read_text()}\n\nfrom components.kubernetes.objects import kubernetes_object\n"
        "_own = _components\n"
        "def _components(stack, models):\n"
        "    yield from _own(stack, models)\n"
        "    metadata = {'name': 'stray', 'namespace': 'default'}\n"
        "    stray = kubernetes_object('ConfigMap', metadata, {'data': {'a': 'b'}})\n"
        "    yield Component(type='Stray', name='stray', children=(stray,))\n"
    )


def refused_by_the_rights(folder: Path) -> None:
    """Everything for a role of the stage, which the account that Argo CD applies as may not do itself."""
    path = folder / "components" / "monitoring_stack" / "prometheus.py"
    text = path.read_text()
    nodes = 'access.rule("", ["nodes"])'
    assert nodes in text
    path.write_text(text.replace(nodes, 'access.rule("*", ["*"], ["*"])'))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (refused_by_the_rights, "is forbidden"),
        (refused_by_the_api_server, "Unsupported value"),
        (refused_by_the_project, "is not permitted in project"),
    ],
    ids=["by-the-rights", "by-the-API-server", "by-the-AppProject"],
)
def test_a_refused_manifest_leaves_what_serves_alone_and_a_fix_recovers(
    stage: Followed, change: Callable[[Path], None], said: str
) -> None:
    pods = uids(stage)
    change(stage.project.path)
    stage.commit("Roll out, and break something else", bumped(stage))

    def refused() -> bool:
        status = stage.application()["status"]
        return said in json.dumps([status.get("conditions"), status.get("operationState")])

    stage.until(refused, "Argo CD says what is wrong")
    assert stage.serving(MODEL) == [OLD, OLD]
    assert uids(stage) == pods
    started = time.monotonic()
    stage.git("revert", "--no-edit", "HEAD")
    stage.commit("Roll out", bumped(stage))
    stage.seconds[f"fix after '{said}': commit to serving"] = stage.until(
        lambda: stage.serving(MODEL) == [NEW, NEW], "the fix serves", started=started
    )


def test_a_release_that_fits_on_no_node_leaves_the_old_one_serving_and_a_fix_recovers(
    stage: Followed,
) -> None:
    pods = uids(stage)
    much = 'resources: {requests: {cpu: "1000"}, limits: {cpu: "1000"}}'
    stage.commit("Roll out", bumped(stage).replace(f'version: "{NEW}"', f'version: "{NEW}", {much}'))

    def pending() -> list[Any]:
        found = stage.project.get("pods", selector=f"app.kubernetes.io/name={MODEL}")["items"]
        return [p for p in found if p["status"]["phase"] == "Pending"]

    stage.until(pending, "a new pod waits for a node")
    stage.until(
        lambda: stage.application()["status"]["health"]["status"] == "Progressing", "Argo CD shows it"
    )
    assert stage.serving(MODEL) == [OLD, OLD]
    started = time.monotonic()
    stage.commit("Roll out with less", bumped(stage))
    stage.seconds["fix of a release that fits on no node: commit to serving"] = stage.until(
        lambda: stage.serving(MODEL) == [NEW, NEW], "the fix serves", started=started
    )
    stage.until(lambda: not uids(stage) & pods, "the old pods are gone")


def test_deleting_the_application_leaves_the_models(stage: Followed) -> None:
    """The last test: nothing follows the stage afterwards."""
    stage.project.run(
        "kubectl", "delete", "application", APPLICATION, f"--namespace={NAMESPACE}", "--timeout=60s"
    )
    assert stage.serving(MODEL) == [OLD, OLD]
    assert not live(stage, "deployment", MODEL).get("paused")
