"""What has gone wrong once: each test is a fault that left the sandbox broken or pointed at another cluster."""

import http.server
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.errors import UserError
from sandbox import cli, deploy
from sandbox.cluster import control_plane, lifecycle
from sandbox.cluster.control_plane import COMPONENTS, Cluster, Component
from sandbox.cluster.environment import sandbox_environment
from sandbox.machine.lock import locked
from sandbox.machine.paths import SandboxPaths
from sandbox.tools import go_build, pins, toolchain
from sandbox.tools.official_pulumi import official_pulumi
from sandbox.tools.toolchain import INSTALLED, KUBERNETES_PLUGIN, LANGUAGE_HOST, Tool
from tests.support.sandboxes import executable


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_an_empty_kubeconfig_does_not_mean_the_users_own_cluster(paths: SandboxPaths) -> None:
    assert sandbox_environment(paths, {"KUBECONFIG": ""})["KUBECONFIG"] == str(paths.kubeconfig)


def test_a_plugin_of_another_checkouts_sandbox_is_not_an_installed_one(
    paths: SandboxPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other" / ".sandbox" / "bin"
    executable(other, LANGUAGE_HOST, "")
    executable(other, KUBERNETES_PLUGIN, "")
    monkeypatch.setenv("PATH", str(other))
    monkeypatch.setattr(toolchain, "official_pulumi", lambda: None)
    monkeypatch.setattr(toolchain, "built_tools", lambda _: tmp_path)
    origins = {tool.name: tool.origin for tool in toolchain.choose_tools(paths)}
    assert origins[LANGUAGE_HOST] == "stand-in"
    assert origins[KUBERNETES_PLUGIN] == "built"


def test_a_plugin_that_pulumi_keeps_is_not_installed_at_each_up(
    paths: SandboxPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = [
        *(Tool(name=n, path=Path(sys.executable), origin="PATH") for s in pins.STARTED for n in s.tools),
        Tool(name=KUBERNETES_PLUGIN, path=None, origin=INSTALLED),
    ]
    toolchain.link_tools(tools, paths)
    monkeypatch.setattr(lifecycle, "choose_tools", lambda *_: pytest.fail("chosen again"))
    lifecycle.tools(paths)
    assert not (paths.bin / KUBERNETES_PLUGIN).exists()


class CutOff(http.server.BaseHTTPRequestHandler):
    """Promises more than it sends."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_download_that_is_cut_off_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), CutOff) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        assert official_pulumi(url, url) is None
        server.shutdown()
    assert "building it instead" in capsys.readouterr().err
    assert not (tmp_path / "ml-deployments" / "pulumi").exists()


def test_the_packaged_go_is_go_itself_and_not_the_script_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        target = Path(command[command.index("--target") + 1])
        executable(target / "bin", "go", "")
        executable(target / "go" / "bin", "go", "")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(subprocess, "run", install)
    assert go_build._go((1, 26)) == str(tmp_path / "ml-deployments" / "go" / "go" / "bin" / "go")


def test_a_build_that_prints_nothing_is_still_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(go_build, "LINE_SECONDS", 0.05)
    report = go_build.Progress("build", 10)
    go_build._run(["sh", "-c", "echo linking; sleep 0.4"], {"PATH": "/usr/bin:/bin"}, tmp_path, report)
    assert capsys.readouterr().err.count("1 of 10 packages") >= 3


def test_a_lock_whose_file_was_removed_is_not_shared(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    inside: list[str] = []
    most = 0

    def enter(name: str) -> None:
        nonlocal most
        with locked(path, "x"):
            inside.append(name)
            most = max(most, len(inside))
            time.sleep(0.05)
            inside.remove(name)
            path.unlink(missing_ok=True)

    threads = [threading.Thread(target=enter, args=(str(number),)) for number in range(6)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    for thread in threads:
        thread.join(10)
    assert most == 1


def test_a_command_that_hangs_is_told_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(_: SandboxPaths) -> None:
        raise subprocess.TimeoutExpired(["kwokctl", "start"], 60)

    monkeypatch.setattr(lifecycle, "up", hang)
    result = CliRunner().invoke(cli.app, ["up"])
    assert result.exit_code == 1
    assert "`kwokctl start` did not end within 60 s" in result.output


def test_env_fails_when_the_control_plane_has_crashed(
    paths: SandboxPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    toolchain.link_tools([Tool(name="pulumi", path=Path(sys.executable), origin="PATH")], paths)
    paths.kubeconfig.touch()
    with pytest.raises(UserError, match="not up"):
        lifecycle.environment(paths)


class FakeCluster(Cluster):
    """A control plane that runs, but was never furnished."""

    def __init__(self, paths: SandboxPaths, answers: list[bool]) -> None:
        super().__init__(paths)
        self.answers = answers
        self.calls: list[str] = []
        self.folder.mkdir(parents=True)
        (self.folder / "kwok.yaml").touch()

    def ready(self) -> bool:
        return self.answers.pop(0)

    def components(self) -> list[Component]:
        return [Component(name=name, pid=None if "stop" in self.calls else 1) for name in COMPONENTS]

    def _stop(self) -> None:
        self.calls.append("stop")

    def _kwokctl(self, *arguments: str, timeout: float = 0) -> subprocess.CompletedProcess[str]:
        self.calls.append(arguments[0])
        return subprocess.CompletedProcess(arguments, 0, "", "")

    def kubectl(self, *arguments: str, timeout: float = 0) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(arguments, 0, "", "")


def test_an_up_killed_before_the_nodes_came_is_completed(paths: SandboxPaths) -> None:
    fake = FakeCluster(paths, [True, True])
    assert fake.up() == "running"
    assert fake.calls == ["scale"]
    assert fake.up() == "running"
    assert fake.calls == ["scale"]


def test_a_control_plane_that_hangs_is_restarted_with_its_data(
    paths: SandboxPaths,
) -> None:
    fake = FakeCluster(paths, [False, True])
    assert fake.up() == "repaired"
    assert fake.calls == ["stop", "start", "scale"]


def test_nodes_that_cannot_be_made_are_told(paths: SandboxPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeCluster(paths, [True])
    failed = subprocess.CompletedProcess([], 1, "", "etcdserver: no space")
    monkeypatch.setattr(fake, "_kwokctl", lambda *_, **__: failed)
    with pytest.raises(UserError, match="etcdserver: no space"):
        fake.up()


def test_white_space_in_the_path_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="white space"):
        control_plane.Cluster(SandboxPaths(checkout=tmp_path / "check out")).up()


def test_after_a_new_control_plane_the_recorded_state_is_not_believed(
    paths: SandboxPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = paths.state / ".pulumi" / "stacks" / "ml-deployments" / "staging.json"
    stack.parent.mkdir(parents=True)
    stack.touch()
    assert deploy._refresh(paths, "staging") == []
    lifecycle._distrust_state(paths)
    assert deploy._refresh(paths, "staging") == ["--refresh"]
    assert deploy._refresh(paths, "production") == []
    assert stack.is_file()


def test_an_interrupted_deployment_lets_pulumi_end(
    paths: SandboxPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[str] = []

    class Process(subprocess.Popen[bytes]):
        def __init__(self, *_: object, **__: object) -> None:
            super().__init__(["sleep", "0.3"])

        def wait(self, timeout: float | None = None) -> int:
            if timeout == deploy.UPDATE_SECONDS:
                raise KeyboardInterrupt
            code = super().wait(timeout)
            ends.append(str(code))
            return code

    monkeypatch.setattr(subprocess, "Popen", Process)
    with pytest.raises(KeyboardInterrupt):
        deploy._pulumi(paths, {}, ["up"], "staging")
    # By itself, and not by a signal.
    assert ends[0] == "0"


def test_a_broken_lock_file_is_no_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    for text in ("[]", '{"pid": "x"}', "{}", "{"):
        path.write_text(text)
        assert deploy._holder(path) is None


def test_the_clis_log_of_every_run_has_no_folder(paths: SandboxPaths) -> None:
    logs = paths.pulumi_home / "logs"
    logs.mkdir(parents=True)
    (logs / "pulumi-1.log").touch()
    for _ in range(2):
        lifecycle._stop_logging(paths)
        assert logs.is_file()
