"""Deploying, releasing, reverting and healing on a real control plane with the real engine."""

import json
import subprocess
import threading
from pathlib import Path

import pytest
import yaml

from delivery.rendering.render import render
from sandbox.harness.clone import CHECKOUT, Clone, model_files, models
from sandbox.harness.waiting import wait_for


def release(project: Clone, version: str) -> None:
    """Change the one line of a release."""
    path = project.path / "Pulumi.test.yaml"
    text = path.read_text()
    old = text.split('version: "')[1].split('"')[0]
    path.write_text(text.replace(f'version: "{old}"', f'version: "{version}"'))


def test_a_deployed_model_serves_and_a_second_up_changes_nothing(project: Clone) -> None:
    before = (project.path / "Pulumi.test.yaml").read_bytes()
    project.up()
    deployment = project.get("deployment", "m000")
    assert deployment["status"]["readyReplicas"] == 3
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "model-registry/sentiment-classifier:v1"
    # The endpoints follow the replicas a moment later.
    wait_for(lambda: project.ready_endpoints() == 3)
    assert "19 unchanged" in project.up().stdout
    project.pulumi("preview", "--expect-no-changes")
    assert (project.path / "Pulumi.test.yaml").read_bytes() == before


def test_replicas_are_spread_over_zones(project: Clone) -> None:
    project.up()
    nodes = {pod["spec"]["nodeName"] for pod in project.get("pods")["items"]}
    found = {node["metadata"]["name"]: node for node in project.get("nodes")["items"]}
    zones = {found[name]["metadata"]["labels"]["topology.kubernetes.io/zone"] for name in nodes}
    assert len(nodes) == 3
    assert len(zones) == 3


class Sampler(threading.Thread):
    """Watches a Deployment and records every number of available replicas."""

    def __init__(self, project: Clone) -> None:
        super().__init__(daemon=True)
        self.counts: list[int] = []
        self.first = threading.Event()
        self._process = project.start(
            "kubectl",
            "get",
            "deployment",
            "m000",
            f"--namespace={project.namespace}",
            "--watch",
            "--output=jsonpath={.status.availableReplicas}{'\\n'}",
        )

    def run(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.counts.append(int(line.strip() or 0))
            self.first.set()

    def stop(self) -> list[int]:
        self._process.terminate()
        self.join(10)
        return self.counts


def test_a_release_is_two_updates_loses_no_replica_and_is_reverted_by_its_line(project: Clone) -> None:
    project.up()
    for version in ("v2", "v1"):
        release(project, version)
        steps = [step for step in project.preview_steps() if "pulumi:pulumi:Stack" not in step[1]]
        assert {(operation, urn.rpartition("$")[2]) for operation, urn in steps} == {
            ("update", "kubernetes:apps/v1:Deployment::m000"),
            ("update", "kubernetes:core/v1:ConfigMap::m000-rules"),
        }
        sampler = Sampler(project)
        sampler.start()
        sampler.first.wait(60)
        project.up()
        counts = sampler.stop()
        assert len(counts) > 1
        assert min(counts) >= 3
        images = {pod["spec"]["containers"][0]["image"] for pod in project.get("pods")["items"]}
        live = {i for i in images if i.endswith(version)}
        assert live == {f"model-registry/sentiment-classifier:{version}"}


def test_drift_is_shown_by_refresh_and_healed_by_up(project: Clone) -> None:
    project.up()
    project.run("kubectl", "scale", "deployment/m000", "--replicas=1", f"--namespace={project.namespace}")
    project.run("kubectl", "delete", "service/m000", f"--namespace={project.namespace}")
    shown = project.pulumi("refresh", "--preview-only", "--diff").stdout
    assert "replicas" in shown
    assert "- 1 to delete" in shown
    assert "~ 1 to update" in shown
    project.up("--refresh")
    assert project.get("deployment", "m000")["status"]["readyReplicas"] == 3
    assert project.get("service", "m000")["spec"]["ports"][0]["port"] == 8080
    project.pulumi("preview", "--refresh", "--expect-no-changes")


def test_a_model_taken_out_of_the_stage_is_deleted(project: Clone) -> None:
    model_files(project.path, 2)
    project.write_stack(models(2))
    project.up()
    project.write_stack(models(1))
    project.up()
    assert [d["metadata"]["name"] for d in project.get("deployments")["items"]] == ["m000"]


def test_every_object_waits_for_its_namespace(project: Clone) -> None:
    project.up()
    resources = json.loads(project.pulumi("stack", "export").stdout)["deployment"]["resources"]
    objects = [r for r in resources if r["type"].startswith("kubernetes:")]
    (namespace,) = [r["urn"] for r in objects if r["type"].endswith(":Namespace")]
    assert len(objects) == 10
    assert all(namespace in r["dependencies"] for r in objects if r["urn"] != namespace)


def test_a_forgotten_provider_is_an_error(project: Clone) -> None:
    with (project.path / "__main__.py").open("a") as program:
        program.write('import pulumi_kubernetes\npulumi_kubernetes.core.v1.ConfigMap("stray")\n')
    done = project.pulumi("preview", check=False)
    assert done.returncode != 0
    assert "Default provider for 'kubernetes' disabled" in done.stdout + done.stderr


def test_outputs_say_what_runs_where(project: Clone) -> None:
    project.up()
    outputs = yaml.safe_load(project.pulumi("stack", "output", "--json").stdout)
    assert outputs["namespace"] == project.namespace
    assert outputs["namespaces"] == [project.namespace]
    assert outputs["models"]["m000"] == {
        "version": "v1",
        "image": "model-registry/sentiment-classifier:v1",
        "replicas": 3,
        "url": f"http://m000.{project.namespace}.svc:8080",
    }


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_the_api_server_accepts_what_is_rendered(sandbox: Clone, tmp_path: Path, stage: str) -> None:
    paths = render(CHECKOUT, stage, tmp_path)
    namespaces = [f"--filename={path}" for path in paths if path.name.startswith("1-namespace-")]
    assert len(namespaces) == 2
    sandbox.run("kubectl", "apply", *namespaces)
    try:
        done = sandbox.run(
            "kubectl",
            "apply",
            "--server-side",
            "--dry-run=server",
            "--validate=strict",
            f"--filename={tmp_path}",
        )
        assert done.stdout.count("serverside-applied (server dry run)") == len(paths)
        assert "Warning" not in done.stderr
    finally:
        sandbox.run("kubectl", "delete", *namespaces, "--timeout=60s")


def test_a_named_context_is_used_and_an_unknown_one_refused(project: Clone) -> None:
    current = project.run("kubectl", "config", "current-context").stdout.strip()
    entry = '    m000: {version: "v1", replicas: 1}\n'
    project.write_stack(entry, more="  ml-deployments:kubeContext: prod-eu\n")
    done = project.up(check=False)
    assert done.returncode != 0
    assert "prod-eu" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    project.write_stack(entry, more=f"  ml-deployments:kubeContext: {current}\n")
    project.up()


def test_the_restricted_namespace_refuses_a_root_pod(project: Clone) -> None:
    project.up()
    done = project.run(
        "kubectl",
        "run",
        "root",
        "--image=example.com/x:1",
        f"--namespace={project.namespace}",
        "--dry-run=server",
        check=False,
    )
    assert done.returncode != 0
    assert "violates PodSecurity" in done.stderr


def test_git_revert_of_a_release_restores_the_version(project: Clone) -> None:
    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        return project.run(
            "git",
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@example.com",
            "-c",
            "commit.gpgsign=false",
            *arguments,
        )

    git("init", "--quiet")
    git("add", "Pulumi.test.yaml", "models")
    git("commit", "--quiet", "--message", "Release v1")
    project.up()
    release(project, "v2")
    git("commit", "--quiet", "--all", "--message", "Release v2")
    project.up()
    git("revert", "--no-edit", "HEAD")
    project.up()
    (container,) = project.get("deployment", "m000")["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith(":v1")
