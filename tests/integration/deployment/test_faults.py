"""What goes wrong is reported clearly, and nothing is lost."""

import os
import signal
from pathlib import Path

from sandbox.cluster.backend import stage_locks
from sandbox.deploy import release_stale_lock
from sandbox.harness.clone import Clone, model_files, models
from sandbox.harness.waiting import wait_for
from sandbox.machine.paths import SandboxPaths

# Enough models that an update can be interrupted in the middle.
MANY = 20
STARTED_SECONDS = 120
# Fails within seconds: no node has the label, and a replica has one second to start.
STUCK = (
    '    m000: {version: "v2", replicas: 3, nodeSelector: {pool: missing},'
    " probes: {startup: {periodSeconds: 1, failureThreshold: 1}},"
    " rollout: {progressDeadlineSeconds: 5, timeoutSeconds: 20}}\n"
)


def unused_kubeconfig(folder: Path) -> str:
    path = folder / "kubeconfig"
    path.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: gone\n"
        "contexts: [{name: gone, context: {cluster: gone, user: gone}}]\n"
        "clusters: [{name: gone, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: gone, user: {}}]\n"
    )
    return str(path)


def test_no_cluster_reachable(project: Clone, tmp_path: Path) -> None:
    # A preview continues: it treats everything as new.
    done = project.up(check=False, KUBECONFIG=unused_kubeconfig(tmp_path))
    assert done.returncode != 0
    text = done.stdout + done.stderr
    assert "127.0.0.1:1" in text
    assert "Traceback" not in text


def test_another_kubeconfig_replaces_nothing(project: Clone, tmp_path: Path) -> None:
    project.up()
    done = project.up(KUBECONFIG=unused_kubeconfig(tmp_path))
    assert "replace" not in done.stdout
    assert project.get("deployment", "m000")["status"]["availableReplicas"] == 3


def test_bad_settings_stop_before_the_cluster(project: Clone) -> None:
    project.up()
    project.write_stack('    m000: {version: "latest", replicas: -1}\n')
    done = project.up(check=False)
    assert done.returncode != 0
    assert "2 problems found; nothing was changed." in done.stdout
    assert "Traceback" not in done.stdout
    assert project.get("deployment", "m000")["spec"]["replicas"] == 3


def test_config_of_another_file_is_refused(project: Clone, tmp_path: Path) -> None:
    other = tmp_path / "Pulumi.other.yaml"
    text = (project.path / "Pulumi.test.yaml").read_text()
    other.write_text(text.replace("replicas: 3", "replicas: 1"))
    done = project.pulumi("preview", "--config-file", str(other), check=False)
    assert done.returncode != 0
    assert "given another value than the file contains" in done.stdout


def test_a_rollout_that_never_becomes_ready_names_the_reason_and_the_old_version_serves(
    project: Clone,
) -> None:
    project.up()
    project.write_stack(STUCK, "  ml-deployments:kubeContext: kwok-sandbox\n")
    done = project.python("sandbox", "deploy", "test", check=False)
    assert done.returncode == 1
    assert "ProgressDeadlineExceeded" in done.stdout
    # Pulumi does not report why a pod is not scheduled.
    assert "Unschedulable" in done.stderr
    assert "node affinity/selector" in done.stderr
    live = project.get("deployment", "m000")
    assert live["status"]["availableReplicas"] == 3
    assert project.ready_endpoints() == 3
    # The rollback is the old line.
    project.write_stack('    m000: {version: "v1", replicas: 3}\n')
    project.up()
    assert project.get("deployment", "m000")["status"]["updatedReplicas"] == 3


def test_a_second_update_at_the_same_time_is_refused(project: Clone) -> None:
    project.write_stack(STUCK)
    first = project.start("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", "test")
    state = Path(project.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
    wait_for(lambda: bool(stage_locks(state, "test")))
    second = project.up(check=False)
    assert second.returncode != 0
    assert "the stack is currently locked by 1 lock(s)" in second.stderr + second.stdout
    output, _ = first.communicate(timeout=120)
    assert "ProgressDeadlineExceeded" in output


def deployments(project: Clone) -> int:
    return len(project.get("deployments")["items"])


def kill_in_the_middle(project: Clone, at_least: int) -> None:
    """SIGKILL `pulumi up` once some of its Deployments exist; its plugins end by themselves."""
    process = project.start("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", "test")
    wait_for(lambda: deployments(project) >= at_least, STARTED_SECONDS)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    wait_for(lambda: not members(process.pid))


def members(group: int) -> list[str]:
    """The processes of a group that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(path.parent.name)
    return found


def recover(project: Clone) -> None:
    """What `make up` does before it deploys."""
    state = Path(project.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
    values = {**os.environ, **project.environment}
    release_stale_lock(SandboxPaths(checkout=project.path), state, "test", values)


def test_an_update_killed_in_the_middle_is_simply_run_again(project: Clone) -> None:
    model_files(project.path, MANY)
    project.write_stack(models(MANY))
    kill_in_the_middle(project, at_least=5)
    recover(project)
    project.up()
    assert deployments(project) == MANY
    project.pulumi("preview", "--refresh", "--expect-no-changes")
    # The field manager owns what the killed run created: a later release applies without a conflict.
    project.write_stack(models(MANY, version="v2"))
    kill_in_the_middle(project, at_least=MANY)
    recover(project)
    project.up()
    images = {
        d["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2]
        for d in project.get("deployments")["items"]
    }
    assert images == {"v2"}
    project.pulumi("preview", "--refresh", "--expect-no-changes")


def test_an_update_that_a_restart_of_the_api_server_broke_is_simply_run_again(
    sandbox: Clone, project: Clone
) -> None:
    model_files(project.path, MANY)
    project.write_stack(models(MANY))
    process = project.start("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", "test")
    wait_for(lambda: deployments(project) >= 5, STARTED_SECONDS)
    pid_file = sandbox.path / ".sandbox/cluster/clusters/sandbox/pids/kube-apiserver.pid"
    os.kill(int(pid_file.read_text()), signal.SIGKILL)
    sandbox.python("sandbox", "up")
    output, _ = process.communicate(timeout=240)
    # The requests under way fail, and say so; Pulumi waits for none of them again.
    assert process.returncode == 0 or "127.0.0.1" in output
    project.up()
    assert deployments(project) == MANY
    project.pulumi("preview", "--refresh", "--expect-no-changes")
