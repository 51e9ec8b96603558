"""Past faults: each test is a fault that left the sandbox broken or pointed at another cluster."""

import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.errors import UserError
from sandbox import cli, deploy
from sandbox.cluster import backend, control_plane, lifecycle
from sandbox.cluster.control_plane import COMPONENTS, Cluster
from sandbox.cluster.environment import sandbox_environment
from sandbox.machine.lock import locked
from sandbox.machine.paths import SandboxPaths
from sandbox.tools import pins, toolchain
from sandbox.tools.go import go_binary
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
    assert go_binary((1, 26)) == str(tmp_path / "ml-deployments" / "go" / "go" / "bin" / "go")


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


def test_a_command_that_hangs_is_reported_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object) -> None:
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
    """A control plane with given answers, without nodes, and with its own kwokctl."""

    def __init__(self, paths: SandboxPaths, answers: list[bool]) -> None:
        super().__init__(paths)
        self.answers = answers
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "kwok.yaml").touch()
        self._calls = paths.root / "calls"
        self.kwokctl = executable(paths.bin, "kwokctl", "")
        self.kwokctl.write_text(f'#!/bin/sh\necho "$2" >> {self._calls}\n')
        executable(paths.bin, "kubectl", "")

    @property
    def calls(self) -> list[str]:
        """The commands that kwokctl got."""
        return self._calls.read_text().split() if self._calls.exists() else []

    def ready(self) -> bool:
        return self.answers.pop(0)


@pytest.fixture
def processes(paths: SandboxPaths) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A process for each component, as the sandbox knows them: by a file, and by the folder on its command line."""
    folder = Cluster(paths).folder
    found = []
    (folder / "pids").mkdir(parents=True)
    for name in COMPONENTS:
        found.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", folder]))
        (folder / "pids" / f"{name}.pid").write_text(str(found[-1].pid))
    yield found
    for process in found:
        process.kill()
        process.wait()


def test_an_up_killed_before_the_nodes_came_is_completed(paths: SandboxPaths) -> None:
    fake = FakeCluster(paths, [True, True])
    assert fake.up() == "running"
    assert fake.calls == ["scale"]
    assert fake.up() == "running"
    assert fake.calls == ["scale"]


def test_a_control_plane_that_hangs_is_restarted_with_its_data(
    paths: SandboxPaths, processes: list[subprocess.Popen[bytes]]
) -> None:
    fake = FakeCluster(paths, [False, True])
    data = fake.folder / "etcd"
    data.touch()
    assert fake.up() == "repaired"
    assert all(process.poll() is not None for process in processes)
    assert fake.calls == ["start", "scale"]
    assert data.exists()


def test_what_does_not_run_is_started_beside_what_does(
    paths: SandboxPaths, processes: list[subprocess.Popen[bytes]]
) -> None:
    crashed, *others = processes
    crashed.kill()
    crashed.wait()
    fake = FakeCluster(paths, [False, True])
    assert fake.up() == "repaired"
    assert all(process.poll() is None for process in others)
    assert fake.calls == ["start", "scale"]


def test_nodes_that_cannot_be_created_are_reported(paths: SandboxPaths) -> None:
    fake = FakeCluster(paths, [True])
    fake.kwokctl.write_text("#!/bin/sh\necho 'etcdserver: no space' >&2\nexit 1\n")
    with pytest.raises(UserError, match="etcdserver: no space"):
        fake.up()


def test_white_space_in_the_path_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="white space"):
        control_plane.Cluster(SandboxPaths(checkout=tmp_path / "check out")).up()


def test_after_a_new_control_plane_the_recorded_state_is_not_believed_once(
    paths: SandboxPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = paths.state / ".pulumi" / "stacks" / "ml-deployments" / "staging.json"
    stack.parent.mkdir(parents=True)
    stack.touch()
    calls = tmp_path / "calls"
    outputs = '{"namespaces": ["ml-staging"], "models": {}}'
    executable(tmp_path / "path", "pulumi", "").write_text(
        f"#!/bin/sh\necho \"$*\" >> {calls}\ncase $1 in stack) echo '{outputs}';; esac\n"
    )
    executable(tmp_path / "path", "kubectl", '{"items": []}')
    monkeypatch.delenv("KUBECONFIG", raising=False)
    # Popen searches for the program there, and the program's environment says the same.
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    monkeypatch.setattr(deploy, "up", lambda *_: None)
    monkeypatch.setattr(deploy, "environment", lambda _: {})
    backend.distrust(paths)
    for stage in ("staging", "production", "staging"):
        deploy.deploy(paths, [stage])
    refreshed = ["--refresh" in line for line in calls.read_text().splitlines() if line.startswith("up ")]
    assert refreshed == [True, False, False]
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
        deploy.run_pulumi(paths, {}, ["up"], "staging")
    # By itself, and not by a signal.
    assert ends[0] == "0"


def test_a_broken_lock_file_is_not_a_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    for text in ("[]", '{"pid": "x"}', "{}", "{"):
        path.write_text(text)
        assert backend.lock_holder(path) is None


def test_the_clis_log_of_every_run_has_no_folder(paths: SandboxPaths) -> None:
    logs = paths.pulumi_home / "logs"
    logs.mkdir(parents=True)
    (logs / "pulumi-1.log").touch()
    for _ in range(2):
        backend.stop_logging(paths)
        assert logs.is_file()
