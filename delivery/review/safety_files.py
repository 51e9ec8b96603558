"""The files of a change that are code: of the program, of the gate that reviews it, and of the pipeline."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from components.files.sources import FEATURES, MODELS, PROGRAM, STAGE_FILE
from delivery.git.repository import Repository
from delivery.review.safety import SafetyChange

_SHOWN = 5
_PIPELINE = ".github/"
_CODE_OF_FEATURES = re.compile(rf"{FEATURES}/.*(?<!definitions\.yaml)")
# What no deployment and no review runs.
_BESIDE = re.compile(r"(docs|tests|examples|demo|benchmarks)/.*|[^/]*\.md|LICENSE", re.DOTALL)


def is_data(path: str) -> bool:
    """True for a file that the program reads and does not run, by its path inside the project."""
    folder, inside, _ = path.partition("/")
    return bool(inside and folder in {MODELS, FEATURES}) or STAGE_FILE.fullmatch(path) is not None


def changed_files(repository: Repository, base: str, head: str) -> tuple[str, ...]:
    """The files that differ, by their paths inside the project; of the rest of the repository only `.github/`."""
    listed = repository.git("diff", "--name-only", "--no-renames", "--no-relative", "-z", base, head)
    inside = repository.project.relative_to(repository.top).as_posix()
    prefix = "" if inside == "." else f"{inside}/"
    return tuple(
        file.removeprefix(prefix)
        for file in listed.split("\0")
        if file and (file.startswith(prefix) or file.startswith(_PIPELINE))
    )


def runs_other_features(files: Sequence[str]) -> bool:
    """True where the code of the feature definitions differs, or what Feast is installed from."""
    return any(map(_CODE_OF_FEATURES.fullmatch, files))


def runs_other_program(file: str) -> bool:
    """True for a file of the program that makes the objects."""
    return file.partition("/")[0] in PROGRAM


def file_changes(files: Sequence[str]) -> Iterator[SafetyChange]:
    """A line for each folder with changed code, and for each such file at the top. Only features weaken nothing."""
    groups: dict[str, list[str]] = defaultdict(list)
    for file in sorted(files):
        if _CODE_OF_FEATURES.fullmatch(file) or not (is_data(file) or _BESIDE.fullmatch(file)):
            folder, inside, _ = file.partition("/")
            groups[folder + inside].append(file)
    for group, found in groups.items():
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        named = f" ({', '.join(found[:_SHOWN])}{more})" if group.endswith("/") else ""
        yield SafetyChange(
            what=f"code: {group} is changed{named}", weakens=not _CODE_OF_FEATURES.fullmatch(found[0])
        )
