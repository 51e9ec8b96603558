"""Renders a stage as Kubernetes manifests, one file per object."""

from collections import Counter
from pathlib import Path
from typing import Any

from components.errors import UserError
from components.files import yaml_text
from components.settings.stack import StackSettings
from delivery.rendering import program

HEADER = "# Rendered by `python -m delivery render`. Edit the stack and model files instead."
# In this order, so that a namespace exists before its objects; the number in front of a file's name keeps the order.
_FIRST = ("CustomResourceDefinition", "Namespace")
_SHOWN = 3


def manifests(project: Path, stage: str, settings: StackSettings | None = None) -> list[dict[str, Any]]:
    """What the program deploys for a stage: Kubernetes objects, with those that others need first.

    Args:
        project: The checkout.
        stage: The stage's name.
        settings: The stage, where it is loaded already.

    Raises:
        ProgramError: the program refused its settings.
    """
    return sorted(program.objects(project, stage, settings), key=_order)


def render(project: Path, stage: str, output: Path) -> list[Path]:
    """Write each object of a stage to its own file and remove what an earlier run left there.

    Returns:
        The files of this stage, in the order to apply them.

    Raises:
        UserError: the folder contains something that no earlier run wrote; nothing was written.
        ProgramError: the program refused its settings; nothing was written.
    """
    _refuse_foreign(output)
    texts = files(manifests(project, stage))
    output.mkdir(parents=True, exist_ok=True)
    for path in output.iterdir():
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (output / name).write_text(text, encoding="utf-8")
    return [output / name for name in texts]


def _refuse_foreign(output: Path) -> None:
    """Refuse other files: the folder is applied as a whole, so it must contain only what was rendered."""
    foreign = (
        sorted(path.name for path in output.iterdir() if not _is_rendered(path)) if output.exists() else []
    )
    if foreign:
        more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
        raise UserError(
            f"{output} contains {', '.join(foreign[:_SHOWN])}{more}, which `delivery render` did not write; nothing "
            "was changed",
            "name an empty folder, a new one, or one that contains only rendered files",
        )


def _is_rendered(path: Path) -> bool:
    """A regular file whose first line is the header; a link may lead anywhere."""
    if path.is_symlink() or not path.is_file() or path.suffix != ".yaml":
        return False
    with path.open("rb") as file:
        return file.readline().rstrip(b"\n") == HEADER.encode()


def files(found: list[dict[str, Any]]) -> dict[str, str]:
    """The text of each object by the name of its file, in the order of `manifests`."""
    common = Counter(file_name(manifest) for manifest in found)
    return {file_name(m, with_namespace=common[file_name(m)] > 1): dump(m) for m in found}


def file_name(manifest: dict[str, Any], *, with_namespace: bool = False) -> str:
    """`deployment-sentiment-classifier.yaml`; `role-ml-staging.prometheus.yaml` where two namespaces have it.

    Definitions and namespaces have a number in front, like `1-namespace-ml-staging.yaml`, since
    `kubectl apply -f FOLDER` applies in the order of names.
    """
    kind, metadata = manifest["kind"], manifest["metadata"]
    rank = f"{_FIRST.index(kind)}-" if kind in _FIRST else ""
    namespace = f"{metadata['namespace']}." if with_namespace else ""
    return f"{rank}{kind.lower()}-{namespace}{metadata['name']}.yaml"


def dump(manifest: dict[str, Any]) -> str:
    """The manifest as YAML with ordered keys, under a header that says where it comes from."""
    return f"{HEADER}\n{yaml_text.dump(manifest)}"


def _order(manifest: dict[str, Any]) -> tuple[int, str, str, str]:
    kind, metadata = manifest["kind"], manifest["metadata"]
    rank = _FIRST.index(kind) if kind in _FIRST else len(_FIRST)
    return rank, kind, metadata["name"], metadata.get("namespace", "")
