"""The address of a git repository, in the forms that Flux, Argo CD and the Pulumi operator read alike.

git itself knows more: https://git-scm.com/docs/git-clone#_git_urls. Flux' GitRepository takes only a scheme of its own,
https://fluxcd.io/flux/components/source/gitrepositories/#url; Argo CD takes an address for ssh only with a user,
https://github.com/argoproj/argo-cd/blob/master/util/git/git.go; and the Pulumi operator takes what stands after `?` and
`#` for a part of the path, https://github.com/go-git/go-git/blob/v5.16.0/plumbing/transport/common.go.
"""

import re
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator

from components.settings.addresses import without_password
from components.settings.wrong import wrong

_FORMS = (
    "write it like https://git.example.com/team/ml-deployments.git or "
    "ssh://git@git.example.com/team/ml-deployments.git"
)
# As git takes it: there is no slash before the first colon.
_SCP = re.compile(r"(?:(?P<user>[^/:@\s]+)@)?(?P<host>\[[0-9a-fA-F:]+\]|[^/:@\s]{2,}):(?P<path>[^\s]+)")
_SSH_SCP = re.compile(r"ssh://(?P<who>(?:[^/@\s]+@)?[^/:@\s\[]+):(?P<path>[^/\s]*[^0-9/\s][^/\s]*(?:/\S*)?)")
_CLEAR = {"http", "git", "ftp"}
_LONGEST_PORT = 65535


def _repository_url(value: str) -> str:
    if re.search(r"[^!-~]", value):
        raise wrong("has a space or another character that an address must not have", _FORMS)
    scheme, separator, _ = value.partition("://")
    if not separator:
        raise _without_scheme(value)
    _refuse_scheme(scheme, value)
    if match := _SSH_SCP.fullmatch(value):
        path = match["path"]
        raise wrong(
            f"has {path.partition('/')[0]} where a port would be", f"write ssh://{match['who']}/{path}"
        )
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise wrong(f"is not an address: {error}", _FORMS) from None
    if port == 0 or parts.netloc.endswith(":"):
        raise wrong(
            "has no port after its colon", f"write a number up to {_LONGEST_PORT}, or remove the colon"
        )
    _refuse_parts(value, parts)
    return value


def _without_scheme(value: str) -> Exception:
    if "::" in value:
        return wrong("runs a helper of git, which the controllers do not have", _FORMS)
    match = _SCP.fullmatch(value)
    if match and not value.startswith((".", "/", "~", "-")):
        who = f"{match['user'] or 'git'}@{match['host']}"
        return wrong(
            "is the short form of ssh, which Flux does not read",
            f"write ssh://{who}/{match['path'].lstrip('/')}",
        )
    if value.startswith((".", "/", "~")) or re.match(r"[A-Za-z]:", value):
        return wrong("is a path on one machine, and the controllers run in the cluster", _FORMS)
    return wrong("must be a git URL that all three controllers accept", _FORMS)


def _refuse_scheme(scheme: str, value: str) -> None:
    rest = value.partition("://")[2]
    if scheme in {"https", "ssh"}:
        return
    if scheme.lower() in {"https", "ssh"}:
        raise wrong("has a scheme in capitals, which Flux does not read", f"write {scheme.lower()}://{rest}")
    if scheme == "file":
        raise wrong("is a path on one machine, and the controllers run in the cluster", _FORMS)
    if scheme in _CLEAR:
        raise wrong(
            f"is read over {scheme} without encryption, so others could change what is deployed",
            f"write https://{rest}" if scheme == "http" else _FORMS,
        )
    if scheme in {"git+ssh", "ssh+git"}:
        raise wrong("is an old name of ssh, which Flux does not read", f"write ssh://{rest}")
    raise wrong("must be a git URL that all three controllers accept", _FORMS)


def _refuse_parts(value: str, parts: SplitResult) -> None:
    if not parts.hostname or parts.hostname.startswith("-"):
        raise wrong("names no host", _FORMS)
    if not parts.path.strip("/"):
        raise wrong("names no repository", _FORMS)
    if set("?#") & set(value):
        raise wrong(
            "has a ? or #, which the controllers read differently",
            "remove it; the branch and the path have settings of their own",
        )
    if re.search(r"%(?![0-9A-Fa-f]{2})", value):
        raise wrong("has a % without two digits after it", "write %25 for the character itself")
    if parts.scheme == "ssh":
        if not parts.username:
            raise wrong("has no user, without which Argo CD does not use ssh", f"write ssh://git@{value[6:]}")
        if value.count("@") > 1:
            raise wrong("has a second @, with which Argo CD does not use ssh", "write %40 for it")


CONTROLLERS_SECRET = without_password("leave it out; put credentials into a Secret for the controller")
RepositoryUrl = Annotated[str, CONTROLLERS_SECRET, AfterValidator(_repository_url)]
