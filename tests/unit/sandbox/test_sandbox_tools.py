"""The sandbox's tool sets: what pins them, and how they are built."""

import re
import shutil
import time
from pathlib import Path

import pytest

from components.errors import UserError
from sandbox.harness.waiting import wait_for
from sandbox.tools import go_build, pins, progress
from sandbox.tools.go import go_binary
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
    # The C compiler is the machine's, and its library would be downloaded.
    monkeypatch.setattr(go_build, "c_compiler", dict)
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


@pytest.mark.parametrize(
    ("version", "minimum", "fits"),
    [
        ("go1.26.6 linux/amd64", (1, 26, 7), False),
        ("go1.26.6 linux/amd64", (1, 26, 0), True),
        ("go1.27", (1, 26, 7), True),
        ("go1.26rc1", (1, 26), True),
        ("devel", (1, 26), False),
    ],
)
def test_a_go_on_path_is_used_when_it_is_new_enough_to_the_patch(
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    minimum: tuple[int, ...],
    *,
    fits: bool,
) -> None:
    found = executable(tmp_path / "path", "go", f"go version {version}")
    packaged = executable(cache / "go" / "go" / "bin", "go", "go version go1.99.0")
    use_path(monkeypatch, tmp_path / "path")
    assert go_binary(minimum) == str(found if fits else packaged)


def test_the_sets_ask_for_a_patch_of_go() -> None:
    assert pins.PROMETHEUS.go_minimum() > (1, 26, 6)


def test_a_build_says_how_far_it_is_also_while_it_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.02)
    log = ""

    def said(line: str) -> int:
        nonlocal log
        log += capsys.readouterr().err
        return len(re.findall(f"^{line}$", log, re.MULTILINE))

    with progress.progress("build", 10) as step:
        wait_for(lambda: said(r"build: 0 of 10 packages, \d+ s: starting"))
        step("k8s.io/api")
        time.sleep(0.05)
        step("k8s.io/client-go")
        wait_for(
            lambda: said(r"build: 2 of 10 packages, \d+ s, at most \d+ s left: k8s.io/client-go") >= 3,
            what="the same line three times",
        )
    assert said(r"build: done in \d+ s") == 1


def test_a_build_on_a_terminal_shows_a_bar_and_leaves_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with progress.progress("download", None) as step:
        step("k8s.io/api")
        time.sleep(0.3)
    shown = capsys.readouterr().err
    assert "1 so far" in shown
    assert re.search(r"download: done in \d+ s\n$", shown)


def test_a_step_that_fails_is_not_said_to_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError), progress.progress("build", 10):
        raise UserError("no space left", "make some")
    assert "done" not in capsys.readouterr().err


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
