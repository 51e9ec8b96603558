"""The sandbox's tool sets: what pins them, and how they are built."""

import re
import shutil
from pathlib import Path

import pytest

from components.errors import UserError
from sandbox.tools import go_build, pins
from sandbox.tools.go_build import built_tools, operator_crds
from tests.support.sandboxes import build_folder, executable, use_path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ml-deployments"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tools' folder that may be changed."""
    copy = tmp_path / "tools"
    shutil.copytree(pins.TOOLS_FOLDER, copy)
    monkeypatch.setattr(pins, "TOOLS_FOLDER", copy)
    return copy


def fake_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, install: str, version: str = "1.99.0") -> None:
    """A Go that says it is new, knows one package, and keeps modules read-only in a folder."""
    module = tmp_path / "module"
    for inside in {inside for tools in pins.SETS for _, inside in tools.copies.values()}:
        crds = module / inside
        crds.mkdir(parents=True)
        (crds / "one.yaml").write_text("kind: CustomResourceDefinition")
        (crds / "one.yaml").chmod(0o444)
        crds.chmod(0o555)
    go = executable(tmp_path / "path", "go", "")
    go.write_text(
        f'#!/bin/sh\ncase "$1 $2" in version*) echo go version go{version} linux;; '
        f'"list -m") echo {module};; list*) echo a;; mod*) ;; *) {install};; esac\n'
    )
    use_path(monkeypatch, tmp_path / "path")


def install(tools: pins.ToolSet) -> str:
    names = " ".join(binary for _, binary in tools.tools.values())
    return f'for b in {names}; do echo "$4" > "$GOBIN/$b"; done; echo built >> "$GOBIN/../../../builds"'


@pytest.mark.parametrize("tools", pins.SETS, ids=lambda tools: tools.name)
def test_every_tool_is_pinned_by_its_set(tools: pins.ToolSet) -> None:
    for name in tools.tools:
        assert pins.tool_version(name).startswith("v")
    assert tools.go_minimum() >= (1, 26)
    assert (
        f"module example.com/ml-deployments/sandbox/tools/{tools.name}\n"
        in (tools.folder / "go.mod").read_text()
    )


@pytest.mark.parametrize("tools", pins.SETS, ids=lambda tools: tools.name)
def test_every_binary_has_the_name_go_gives_it(tools: pins.ToolSet) -> None:
    text = (tools.folder / "go.mod").read_text()
    packages = re.findall(r"^(?:tool |\t)([^\s(]+)$", text, re.MULTILINE)
    given = {re.sub(r"/v\d+$", "", package).rpartition("/")[2] for package in packages}
    assert given == {binary for _, binary in tools.tools.values()}


def test_no_two_sets_have_a_tool_of_the_same_name() -> None:
    names = [name for tools in pins.SETS for name in tools.tools]
    assert len(names) == len(set(names))


def test_a_patch_of_go_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    go = executable(tmp_path, "go", "go version go1.26.6 linux/amd64")
    assert pins.PROMETHEUS.go_minimum() > (1, 26, 6)
    assert not go_build._new_enough(str(go), pins.PROMETHEUS.go_minimum())
    assert go_build._new_enough(str(go), (1, 26, 0))
    assert go_build._new_enough(str(executable(tmp_path, "go", "go version go1.27")), (1, 26, 7))
    assert go_build._new_enough(str(executable(tmp_path, "go", "go version go1.26rc1")), (1, 26))


def test_prometheus_has_the_version_of_its_release(folders: Path) -> None:
    for module, release in (("v0.316.0", "v3.16.0"), ("v0.305.12", "v3.5.12")):
        (folders / "prometheus" / "go.mod").write_text(f"require github.com/prometheus/prometheus {module}\n")
        assert pins.tool_version("promtool") == release


def test_a_changed_pin_changes_the_fingerprint_of_its_own_set_only(folders: Path) -> None:
    before = {tools.name: tools.fingerprint() for tools in pins.SETS}
    assert len(set(before.values())) == len(pins.SETS)
    with (folders / "operator" / "go.sum").open("a") as file:
        file.write("\n")
    after = {tools.name: tools.fingerprint() for tools in pins.SETS}
    assert {name for name in before if before[name] != after[name]} == {"operator"}


def test_a_failed_build_says_why_and_leaves_no_tools(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_go(tmp_path, monkeypatch, "echo no space left >&2; exit 1")
    with pytest.raises(UserError, match="no space left"):
        built_tools(pins.KUBERNETES)
    assert not build_folder(cache, pins.KUBERNETES).exists()


@pytest.mark.parametrize("tools", pins.SETS, ids=lambda tools: tools.name)
def test_a_build_is_used_only_when_it_is_complete(
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    tools: pins.ToolSet,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake_go(tmp_path, monkeypatch, install(tools))
    target = build_folder(cache, tools)
    target.with_name(f"{target.name}.partial").mkdir(parents=True)
    folder = built_tools(tools)
    assert folder == target
    assert {path.name for path in folder.iterdir()} == {*tools.tools, *tools.copies}
    assert built_tools(tools) == folder
    assert (cache / "builds").read_text() == "built\n"
    assert f"Building {tools.title} from source: about {tools.minutes} min" in capsys.readouterr().err


def test_a_build_stamps_the_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_go(tmp_path, monkeypatch, install(pins.KUBERNETES))
    flags = (built_tools(pins.KUBERNETES) / "kubectl").read_text()
    major, minor, _ = pins.tool_version("kubectl").removeprefix("v").split(".")
    assert f"-X k8s.io/component-base/version.gitVersion={pins.tool_version('kubectl')} " in flags
    assert f"-X k8s.io/client-go/pkg/version.gitMinor={minor}" in flags
    assert f"-X k8s.io/client-go/pkg/version.gitMajor={major}" in flags
    version = pins.tool_version("prometheus").removeprefix("v")
    assert pins.PROMETHEUS.version_flags().endswith(f"common/version.Version={version}")


def test_the_operators_crds_need_no_go_after_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_go(tmp_path, monkeypatch, install(pins.OPERATOR))
    built_tools(pins.OPERATOR)
    monkeypatch.setenv("PATH", "")
    assert [path.name for path in operator_crds().iterdir()] == ["one.yaml"]
    assert operator_crds().stat().st_mode & 0o200
    assert (operator_crds() / "one.yaml").stat().st_mode & 0o200
