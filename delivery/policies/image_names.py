"""Names of images as a node reads them. Pure functions."""

from collections.abc import Mapping

_HUB = "docker.io"
_OTHER_NAMES_OF_HUB: Mapping[str, str] = {"index.docker.io": _HUB, "registry-1.docker.io": _HUB}


def full_repository(image: str) -> str:
    """The host and the repository, without tag and digest: `redis:8` is `docker.io/library/redis`.

    The first part is a host only with a dot, a port or a capital letter, or as `localhost`, as in
    https://github.com/distribution/reference.
    """
    name = image.partition("@")[0]
    head, slash, rest = name.rpartition("/")
    name = f"{head}{slash}{rest.partition(':')[0]}"
    first, slash, path = name.partition("/")
    if not slash or not (set(".:") & set(first) or first == "localhost" or first != first.lower()):
        return f"{_HUB}/{name}" if slash else f"{_HUB}/library/{name}"
    host = _OTHER_NAMES_OF_HUB.get(first.lower(), first.lower())
    if host == _HUB and "/" not in path:
        path = f"library/{path}"
    return f"{host}/{path}"


def tag(image: str) -> str:
    """The tag; empty where there is none. Only after the last slash does a colon start a tag, before it a port."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def is_below(repository: str, allowed: str) -> bool:
    """Whether a full repository is an allowed one, or below an allowed registry or path."""
    return repository == allowed or repository.startswith(f"{allowed}/")
