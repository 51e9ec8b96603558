"""The sandbox's choices, without a cluster."""

import hashlib
import http.server
import io
import json
import os
import socket
import tarfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from components.errors import UserError
from sandbox import deploy
from sandbox.cluster.backend import stage_locks
from sandbox.cluster.environment import explicit_kubeconfig, export_lines, sandbox_environment
from sandbox.deploy import release_stale_lock
from sandbox.machine.lock import locked
from sandbox.machine.paths import SandboxPaths
from sandbox.tools import pins, toolchain
from sandbox.tools.official_pulumi import official_pulumi
from tests.support.sandboxes import build_folder, executable, use_path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ml-deployments"


def test_the_environment_keeps_what_the_user_set_and_does_not_grow(paths: SandboxPaths) -> None:
    user = {"PATH": "/usr/bin", "PULUMI_BACKEND_URL": "s3://mine", "PULUMI_PARALLEL": "8"}
    values = sandbox_environment(paths, user)
    assert values["PULUMI_BACKEND_URL"] == "s3://mine"
    assert values["PULUMI_PARALLEL"] == "8"
    assert values["KUBECONFIG"] == str(paths.kubeconfig)
    assert values["PATH"].startswith(f"{paths.bin}:")
    assert sandbox_environment(paths, {**user, **values}) == values


def test_an_explicit_kubeconfig_is_found(paths: SandboxPaths) -> None:
    assert explicit_kubeconfig(paths, {}) is None
    assert explicit_kubeconfig(paths, {"KUBECONFIG": str(paths.kubeconfig)}) is None
    assert explicit_kubeconfig(paths, {"KUBECONFIG": "/mine"}) == "/mine"


def test_exports_are_quoted_for_the_shell() -> None:
    assert export_lines({"A": "x y", "B": "$(rm -rf /)"}) == "export A='x y'\nexport B='$(rm -rf /)'"


@pytest.mark.parametrize(
    ("name", "output", "fits"),
    [
        ("pulumi", "v3.300.1", True),
        ("pulumi", "v3.1.0", False),
        ("pulumi", "v4.300.0", False),
        ("kubectl", "Client Version: v1.36.4", True),
        ("kubectl", "Client Version: v1.32.0", False),
        ("kwok", "kwok version v0.8.9", True),
        ("kwok", "kwok version v0.7.0", False),
        ("etcd", "something else", False),
        ("prometheus", "prometheus, version 3.99.0 (branch: HEAD)", True),
        ("prometheus", "prometheus, version 3.15.9 (branch: HEAD)", False),
        ("promtool", "promtool, version 4.0.0 (branch: HEAD)", False),
        ("alertmanager", "alertmanager, version 0.34.2 (branch: HEAD)", True),
        ("amtool", "amtool, version 0.27.0 (branch: HEAD)", False),
        ("prometheus-operator", pins.tool_version("prometheus-operator"), False),
        ("kube-state-metrics", pins.tool_version("kube-state-metrics"), False),
    ],
)
def test_an_installed_tool_is_used_when_its_version_fits(
    tmp_path: Path,
    paths: SandboxPaths,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    output: str,
    *,
    fits: bool,
) -> None:
    use_path(monkeypatch, tmp_path / "path")
    installed = executable(tmp_path / "path", name, output)
    for tools in pins.SETS:
        build_folder(cache, tools).mkdir(parents=True)
    built = build_folder(cache, next(tools for tools in pins.SETS if name in tools.tools))
    monkeypatch.setattr(toolchain, "official_pulumi", lambda: None)
    chosen = {tool.name: tool for tool in toolchain.choose_tools(paths, pins.SETS)}
    assert chosen[name].origin == ("PATH" if fits else "built")
    assert chosen[name].path == (installed if fits else built / name)


def test_installed_plugins_come_first(
    tmp_path: Path, paths: SandboxPaths, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_path(monkeypatch, tmp_path / "path")
    executable(tmp_path / "path", "pulumi", "v3.300.0")
    executable(tmp_path / "path", "pulumi-language-python", "official")
    executable(tmp_path / "path", "pulumi-resource-kubernetes", "official")
    for tools in pins.STARTED:
        build_folder(cache, tools).mkdir(parents=True)
    toolchain.link_tools(toolchain.choose_tools(paths), paths)
    for name in ("pulumi-language-python", "pulumi-resource-kubernetes"):
        assert (paths.bin / name).resolve() == tmp_path / "path" / name


def test_where_no_plugin_is_installed_one_is_built_and_one_stood_in_for(
    tmp_path: Path, paths: SandboxPaths, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_path(monkeypatch, tmp_path / "path")
    for tools in (*pins.STARTED, pins.KUBERNETES_PLUGIN):
        build_folder(cache, tools).mkdir(parents=True)
    monkeypatch.setattr(toolchain, "official_pulumi", lambda: None)
    toolchain.link_tools(toolchain.choose_tools(paths), paths)
    origins = {tool.name: tool.origin for tool in toolchain.linked_tools(paths)}
    assert origins["pulumi-language-python"] == "stand-in"
    assert origins["pulumi-resource-kubernetes"] == "built"
    assert "sandbox.stand_ins.language_host" in (paths.bin / "pulumi-language-python").read_text()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "releases"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def publish(folder: Path, checksum: str | None = None) -> None:
    version = pins.tool_version("pulumi")
    name = f"pulumi-{version}-linux-x64.tar.gz"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo("pulumi/pulumi")
        info.size = 4
        tar.addfile(info, io.BytesIO(b"real"))
    (folder / name).write_bytes(buffer.getvalue())
    (folder / version).mkdir()
    actual = hashlib.sha256(buffer.getvalue()).hexdigest()
    sums = folder / version / f"pulumi-{version.removeprefix('v')}-checksums.txt"
    sums.write_text(f"{checksum or actual}  {name}\n")


def test_an_official_release_is_installed_after_its_checksum(releases: tuple[Path, str]) -> None:
    publish(releases[0])
    folder = official_pulumi(releases[1], releases[1])
    assert folder is not None
    assert (folder / "pulumi").read_bytes() == b"real"
    assert official_pulumi("http://127.0.0.1:1", "http://127.0.0.1:1") == folder


def test_a_download_with_another_checksum_is_refused(releases: tuple[Path, str], cache: Path) -> None:
    publish(releases[0], checksum="0" * 64)
    with pytest.raises(UserError, match=r"checksum .* is wrong"):
        official_pulumi(releases[1], releases[1])
    assert not list(cache.glob("pulumi/*"))


def test_no_network_means_no_release(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert official_pulumi("http://127.0.0.1:1", "http://127.0.0.1:1") is None
    assert "cannot be downloaded" in capsys.readouterr().err
    assert not (cache / "pulumi").exists()


def test_a_second_holder_waits_and_says_for_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order: list[str] = []

    def second() -> None:
        with locked(tmp_path / "lock", "tools are built"):
            order.append("second")

    with locked(tmp_path / "lock", "first"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]
    assert "Waiting for another process: tools are built" in capsys.readouterr().err


def write_lock(state: Path, pid: int, host: str) -> None:
    folder = state / ".pulumi" / "locks" / "organization" / "ml-deployments" / "staging"
    folder.mkdir(parents=True)
    (folder / "x.json").write_text(json.dumps({"pid": pid, "hostname": host}))


def test_a_lock_of_another_machine_is_left_alone(tmp_path: Path, paths: SandboxPaths) -> None:
    write_lock(tmp_path, 1, "elsewhere")
    with pytest.raises(UserError, match="Another update of staging is running"):
        release_stale_lock(paths, tmp_path, "staging", dict(os.environ))


def test_a_lock_whose_process_ended_is_released(tmp_path: Path, paths: SandboxPaths) -> None:
    write_lock(tmp_path, 2**22 - 1, socket.gethostname())
    called = tmp_path / "called"
    pulumi = executable(tmp_path / "path", "pulumi", "")
    pulumi.write_text(f'#!/bin/sh\necho "$@" > {called}\n')
    paths.checkout.mkdir()
    release_stale_lock(paths, tmp_path, "staging", {"PATH": f"{pulumi.parent}:/bin"})
    assert called.read_text() == "cancel --yes --non-interactive --stack staging\n"
    assert len(stage_locks(tmp_path, "staging")) == 1


def test_the_users_own_cluster_is_deployed_to_only_by_a_context_that_a_file_names(
    paths: SandboxPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/mine")
    monkeypatch.setattr(deploy, "up", lambda *_: pytest.fail("went on"))
    paths.checkout.mkdir()
    stack = paths.checkout / "Pulumi.test.yaml"
    stack.write_text("config:\n  ml-deployments:namespace: ml-test\n")
    with pytest.raises(UserError, match=r"/mine.*Pulumi\.test\.yaml names no context"):
        deploy.deploy(paths, ["test"])
    stack.write_text(stack.read_text() + "  ml-deployments:kubeContext: prod-eu\n")
    with pytest.raises(pytest.fail.Exception, match="went on"):
        deploy.deploy(paths, ["test"])
