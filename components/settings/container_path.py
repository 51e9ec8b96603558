"""Mount paths in a container: one spelling for each path, so that equal paths compare as equal."""

import posixpath
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from components.settings.wrong import wrong

# Writable and empty in every container of the project.
TMP = "/tmp"
# Where Kubernetes puts the token of the pod's ServiceAccount, unless something else is mounted there.
TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"
_LONGEST = 1024
_CHARACTERS = re.compile(r"/[!-9;-~]*")
# A container without its devices does not run, and its runtime allows nothing else in the other two.
_TAKEN = re.compile(rf"{TMP}|/dev|/(proc|sys)(/.*)?")


def _container_path(value: str) -> str:
    if not _CHARACTERS.fullmatch(value):
        raise wrong(
            "must be a path that starts with '/' and has no spaces and no ':'", "write it like /etc/model"
        )
    if len(value) > _LONGEST:
        raise wrong(f"has {len(value)} characters, more than {_LONGEST}", "shorten it")
    # In POSIX two slashes at the beginning have a special meaning; in a container they do not.
    plain = posixpath.normpath(f"/{value.lstrip('/')}")
    where = "" if plain == value else f"is {plain}, which "
    if plain == "/":
        raise wrong(f"{where}would hide the image's own files", "name a folder, like /etc/model")
    if plain == TMP:
        raise wrong(
            f"{where}is the writable folder that the pod mounts itself",
            "name another folder, like /etc/model",
        )
    if _TAKEN.fullmatch(plain):
        raise wrong(f"{where}belongs to the container's runtime", "name another folder, like /etc/model")
    if plain != value:
        raise wrong(f"is another spelling of {plain}", f"write {plain}")
    return value


ContainerPath = Annotated[
    str,
    AfterValidator(_container_path),
    Field(
        json_schema_extra={
            # No empty part, no "." and no ".." between the slashes.
            "pattern": r"^(/(?!\.{1,2}(/|$))[!-.0-9;-~]+)+$",
            "maxLength": _LONGEST,
            "not": {"pattern": f"^({_TAKEN.pattern})$"},
        }
    ),
]
