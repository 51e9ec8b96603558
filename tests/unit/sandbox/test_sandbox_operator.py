"""The Prometheus operator's life cycle, with a stand-in for the operator and without a control plane."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.errors import UserError
from sandbox import cli
from sandbox.cluster import lifecycle, operator
from sandbox.cluster.control_plane import Cluster
from sandbox.cluster.operator import Operator
from sandbox.machine.paths import SandboxPaths
from sandbox.machine.processes import command_line
from sandbox.tools import pins, toolchain
from sandbox.tools.toolchain import Tool
from tests.support.sandboxes import executable

SERVES = """\
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
address = next(word.split("=")[1] for word in sys.argv if word.startswith("--web.listen-address="))
host, port = address.split(":")
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""


class FakeCluster(Cluster):
    """A complete control plane that accepts everything."""

    def __init__(self, paths: SandboxPaths) -> None:
        super().__init__(paths)
        self.calls: list[str] = []
        self.answer = subprocess.CompletedProcess([], 0, "", "")
        self.folder.mkdir(parents=True)
        self.furnished.touch()
        paths.kubeconfig.write_text("clusters: [{name: x, cluster: {server: 'https://127.0.0.1:1'}}]")

    def kubectl(self, *arguments: str, timeout: float = 0) -> subprocess.CompletedProcess[str]:
        self.calls.append(arguments[0])
        return self.answer


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def cluster(paths: SandboxPaths, tmp_path: Path) -> FakeCluster:
    fake = FakeCluster(paths)
    install(paths, tmp_path / "first", SERVES)
    return fake


@pytest.fixture
def fake(paths: SandboxPaths, cluster: FakeCluster) -> Iterator[Operator]:
    process = Operator(paths, cluster)
    yield process
    process.down()


def install(paths: SandboxPaths, folder: Path, script: str) -> None:
    binary = executable(folder, operator.NAME, "")
    binary.write_text(f"#!{sys.executable}\n{script}")
    toolchain.link_tools([Tool(name=operator.NAME, path=binary, origin="built")], paths)


def pid_of(fake: Operator) -> int:
    pid = fake.component().pid
    assert pid is not None
    return pid


def test_up_applies_the_crds_once_and_starts_one_process(fake: Operator, cluster: FakeCluster) -> None:
    assert fake.component().pid is None
    assert fake.up() == "started"
    pid = pid_of(fake)
    assert fake.up() == "running"
    assert pid_of(fake) == pid
    assert cluster.calls == ["apply", "wait"]
    assert "--apiserver=https://127.0.0.1:1" in command_line(pid).split("\0")
    fake.down()
    assert command_line(pid) == ""
    assert not fake.healthy()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_one_that_crashed_or_hangs_is_restarted(
    fake: Operator, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(operator, "ANSWER_SECONDS", 1.0)
    fake.up()
    before = pid_of(fake)
    os.kill(before, number)
    assert fake.up() == "repaired"
    assert pid_of(fake) != before
    assert command_line(before) == ""
    assert cluster.calls == ["apply", "wait"]


def test_a_control_plane_that_was_repaired_gets_the_crds_again(fake: Operator, cluster: FakeCluster) -> None:
    fake.up()
    before = pid_of(fake)
    cluster.furnished.touch()
    assert fake.up() == "started"
    assert cluster.calls == ["apply", "wait"] * 2
    assert command_line(before) == ""


def test_another_build_brings_its_own_crds(
    fake: Operator, cluster: FakeCluster, paths: SandboxPaths, tmp_path: Path
) -> None:
    fake.up()
    before = pid_of(fake)
    install(paths, tmp_path / "second", SERVES)
    assert fake.up() == "started"
    assert cluster.calls == ["apply", "wait"] * 2
    assert command_line(before) == ""


def test_crds_that_are_refused_are_reported_and_tried_again(fake: Operator, cluster: FakeCluster) -> None:
    cluster.answer = subprocess.CompletedProcess([], 1, "", "etcdserver: no space")
    with pytest.raises(UserError, match="etcdserver: no space"):
        fake.up()
    assert fake.component().pid is None
    cluster.answer = subprocess.CompletedProcess([], 0, "", "")
    assert fake.up() == "started"


def test_one_that_ends_at_once_is_reported_with_its_last_output(
    fake: Operator, paths: SandboxPaths, tmp_path: Path
) -> None:
    install(paths, tmp_path / "bad", "raise SystemExit('no such certificate')")
    with pytest.raises(UserError, match="no such certificate"):
        fake.up()
    assert fake.component().pid is None


def test_one_that_never_answers_is_not_waited_for_forever(
    fake: Operator, paths: SandboxPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator, "START_SECONDS", 0.3)
    install(paths, tmp_path / "mute", "import time\ntime.sleep(60)")
    with pytest.raises(UserError, match="did not start"):
        fake.up()
    assert fake.component().pid is None


def test_a_process_that_is_not_ours_is_left_alone(fake: Operator, paths: SandboxPaths) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        (paths.root / f"{operator.NAME}.pid").write_text(str(other.pid))
        assert fake.component().pid is None
        fake.down()
        assert other.poll() is None
        other.kill()


class Chosen:
    """Records the requested sets, and provides them."""

    def __init__(self) -> None:
        self.sets: list[list[str]] = []

    def __call__(self, _: SandboxPaths, sets: list[pins.ToolSet]) -> list[Tool]:
        self.sets.append([tools.name for tools in sets])
        here = Path(sys.executable)
        return [Tool(name=name, path=here, origin="built") for tools in sets for name in tools.tools]


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Chosen:
    fake = Chosen()
    monkeypatch.setattr(lifecycle, "choose_tools", fake)
    monkeypatch.setattr(lifecycle, "create_stacks", lambda *_: None)
    monkeypatch.setattr(lifecycle, "environment", lambda _: {})
    return fake


def test_the_users_own_cluster_gets_no_operator(
    paths: SandboxPaths, chosen: Chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/mine")
    monkeypatch.setattr(Cluster, "up", lambda _: pytest.fail("started"))
    lifecycle.up(paths)
    assert chosen.sets == [["kubernetes"]]


def test_up_leaves_the_tools_that_all_has_brought(
    paths: SandboxPaths, chosen: Chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setattr(Cluster, "up", lambda _: "running")
    monkeypatch.setattr(Operator, "up", lambda _: "running")
    monkeypatch.setattr(lifecycle, "why_not", lambda _: ["not here"])
    everything = [tools.name for tools in pins.LINKED]
    lifecycle.up(paths)
    lifecycle.tools(paths, everything=True)
    lifecycle.up(paths)
    assert chosen.sets == [["kubernetes", "operator"], everything]
    (paths.bin / "promtool").unlink()
    lifecycle.up(paths)
    assert chosen.sets[2] == [tools.name for tools in pins.LINKED if tools.tools]


@pytest.mark.parametrize(("arguments", "everything"), [(["tools"], False), (["tools", "--all"], True)])
def test_all_tools_are_built_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], *, everything: bool
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(lifecycle, "tools", lambda _, everything: asked.append(everything))
    assert CliRunner().invoke(cli.app, arguments).exit_code == 0
    assert asked == [everything]
