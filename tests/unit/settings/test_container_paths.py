"""A path in a container has one spelling, and is not one that the pod or its runtime uses."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from components.files.sources import Sources
from components.settings.container_path import TOKEN
from components.stack import load_stack
from delivery.schema.json_schema import schemas
from tests.support.projects import MODEL, named, problems, project

WRONG = [
    ("tmp", "starts with '/'", "like /etc/model"),
    ("./tmp", "starts with '/'", "like /etc/model"),
    ("", "starts with '/'", "like /etc/model"),
    ("/a:b", "no ':'", "like /etc/model"),
    ("/a b", "no spaces", "like /etc/model"),
    ("/" + "a" * 1024, "has 1025 characters", "shorten it"),
    ("/", "would hide the image's own files", "name a folder"),
    ("//", "is /, which would hide", "name a folder"),
    ("/a/..", "is /, which would hide", "name a folder"),
    ("/tmp", "is the writable folder that the pod mounts itself", "another folder"),
    ("/tmp/", "is /tmp, which is the writable folder", "another folder"),
    ("//tmp", "is /tmp, which is the writable folder", "another folder"),
    ("/./tmp/.", "is /tmp, which is the writable folder", "another folder"),
    ("/a/../tmp", "is /tmp, which is the writable folder", "another folder"),
    ("/../tmp", "is /tmp, which is the writable folder", "another folder"),
    ("/proc", "belongs to the container's runtime", "another folder"),
    ("/proc/self", "belongs to the container's runtime", "another folder"),
    ("/sys//fs", "is /sys/fs, which belongs to the container's runtime", "another folder"),
    ("/dev/", "is /dev, which belongs to the container's runtime", "another folder"),
    ("/a//b", "is another spelling of /a/b", "write /a/b"),
    ("//a", "is another spelling of /a", "write /a"),
    ("/a/", "is another spelling of /a", "write /a"),
    ("/a/./b", "is another spelling of /a/b", "write /a/b"),
    ("/a/c/../b", "is another spelling of /a/b", "write /a/b"),
]
GOOD = ["/a", "/a/b", "/tmp/a", "/tmporary", "/dev/shm/a", "/process", "/a/...", "/.a/..b", "/A-1_2@3", TOKEN]


def mounts(*paths: str, more: str = "") -> str:
    items = "".join(f'  - {{path: "{path}", secret: files}}\n' for path in paths)
    return f"{MODEL}{more}mounts:\n{items}"


def schema_accepts(path: str) -> bool:
    model: dict[str, Any] = schemas()["model.schema.json"]
    where = model | {"$ref": "#/$defs/Mount"}
    for own in ("properties", "required", "additionalProperties", "type"):
        where.pop(own, None)
    return jsonschema.Draft202012Validator(where).is_valid({"path": path, "secret": "files"})


@pytest.mark.parametrize(("path", "reason", "fix"), WRONG, ids=[repr(path[:20]) for path, *_ in WRONG])
def test_another_spelling_and_a_path_that_is_taken_are_refused(
    tmp_path: Path, path: str, reason: str, fix: str
) -> None:
    (problem,) = problems(project(tmp_path, a=mounts("/etc/model", path)))

    line = mounts("/etc/model", path).splitlines().index(f'  - {{path: "{path}", secret: files}}') + 1
    assert (problem.file, problem.line, problem.field) == ("models/a.yaml", line, "mounts[1].path")
    assert problem.value == f'"{path}"'
    assert reason in problem.reason
    assert fix in problem.fix
    assert not schema_accepts(path)


@pytest.mark.parametrize("path", GOOD)
def test_a_path_with_one_spelling_is_mounted_as_it_is_written(tmp_path: Path, path: str) -> None:
    deployment = named(project(tmp_path, a=mounts(path)))["Deployment a"]

    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp", path]
    assert schema_accepts(path)


def test_the_fix_of_another_spelling_is_accepted(tmp_path: Path) -> None:
    for number, (path, *_) in enumerate(wrong for wrong in WRONG if "another spelling" in wrong[1]):
        (problem,) = problems(project(tmp_path / f"wrong-{number}", a=mounts(path)))
        written = problem.fix.removeprefix("write ")
        stack = load_stack(Sources.of(project(tmp_path / f"good-{number}", a=mounts(written))), "test")
        assert [mount.path for mount in stack.settings.models[0].mounts] == [written]


def test_two_mounts_of_one_path_are_refused_by_its_name(tmp_path: Path) -> None:
    (problem,) = problems(project(tmp_path, a=mounts("/a", "/b", "/b")))

    assert (problem.file, problem.field) == ("models/a.yaml", "mounts")
    assert problem.line == mounts().splitlines().index("mounts:") + 1
    assert problem.reason == "two mounts have the path /b"


def test_a_mount_in_place_of_the_token_that_was_asked_for_is_refused(tmp_path: Path) -> None:
    asked = "security: {mountServiceAccountToken: true}\n"
    (problem,) = problems(project(tmp_path, a=mounts(TOKEN, more=asked)))

    assert "mountServiceAccountToken puts the token" in problem.reason
    assert TOKEN in problem.reason
