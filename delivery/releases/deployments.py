"""What was deployed, recorded by annotated tags `<stage>/<model>/<version>` on the deployed commits.

A version that is deployed again gets the suffix `+2`, `+3` and so on. `+` can be part of a tag in git and not of a
version (which is a tag of an OCI image), so the two cannot be confused. Versions may contain three things that git does
not accept in a name: `..`, written `.+.`, and `.lock` or `.` at the end, written `.lock+1` and `.+1`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.errors import UserError
from delivery.git.repository import Repository
from delivery.history.stack_log import StackLog
from delivery.releases.changes import Deployed, deployed, entries_at

_FIELDS = (
    "%(refname)",
    "%(objectname)",
    "%(*objectname)",
    "%(taggerdate:iso-strict)",
    "%(taggerdate:unix)",
    "%(contents:trailers:only,unfold)",
)
_FORMAT = "%00".join(_FIELDS) + "%00"
_NAME = re.compile(r"refs/tags/(?P<stage>[^/]+)/(?P<model>[^/]+)/(?P<version>[^/]+?)(\+(?P<time>[0-9]+))?")


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One tag of a deployment.

    Attributes:
        name: The tag's name.
        commit: The deployed commit.
        when: When it was tagged, as ISO 8601; None for a tag without a message, which has no date.
        seconds: The same in seconds since 1970; 0 where there is no date.
        time: 1 for the first deployment of the version, 2 for the second.
        digest: What the tag's message says; None where it says nothing.
    """

    name: str
    stage: str
    model: str
    version: str
    time: int
    commit: str
    when: str | None
    seconds: int
    digest: str | None


def tag_name(stage: str, model: str, version: str, time: int) -> str:
    """The tag of a version's deployment; `time` counts those of the same version from 1."""
    written = ref_part(version)
    if time > 1:
        return f"{stage}/{model}/{written.removesuffix('+1')}+{time}"
    return f"{stage}/{model}/{written}"


def ref_part(version: str) -> str:
    """A version as part of the name of a tag or a branch."""
    written = re.sub(r"\.(?=\.)", ".+", version)
    return f"{written}+1" if written.endswith((".lock", ".")) else written


def deployments(repository: Repository) -> list[Deployment]:
    """Every tag of a deployment, the oldest first."""
    said = repository.git("for-each-ref", f"--format={_FORMAT}", "--sort=creatordate", "refs/tags/*/*/*")
    fields = said.split("\0")
    step = len(_FIELDS)
    rows = (fields[at : at + step] for at in range(0, len(fields) - 1, step))
    return [found for row in rows if (found := _deployment(row)) is not None]


def newest(found: Sequence[Deployment], stage: str, log: StackLog) -> Mapping[str, Deployment]:
    """The newest deployment of each model of a stage. Within one second, that of the later commit is the newer."""
    own = [d for d in found if d.stage == stage]
    ordered = sorted(own, key=lambda d: (d.seconds, log.entered.get(d.commit, -1), d.time))
    return {deployment.model: deployment for deployment in ordered}


def tag(repository: Repository, stage: str, revision: str = "HEAD") -> list[str]:
    """Tag a deployed commit for each model whose version or digest differs from its newest tag.

    Returns:
        The names of the new tags; none when everything was tagged before.

    Raises:
        UserError: there is no such commit, the stage runs no model there, or git refused a tag.
    """
    commit = repository.resolve(revision)
    entries = entries_at(repository, commit, stage)
    if not entries:
        raise UserError(
            f"Pulumi.{stage}.yaml names no model at {commit[:10]}, so nothing was deployed",
            "name the deployed commit with --commit",
        )
    known = deployments(repository)
    last = newest(known, stage, StackLog(repository, commit))
    made = []
    for model, entry in sorted(entries.items()):
        now = deployed(entry)
        if now is not None and _differs(now, last.get(model)):
            earlier = [d.time for d in known if (d.stage, d.model, d.version) == (stage, model, now.version)]
            name = tag_name(stage, model, now.version, max(earlier, default=0) + 1)
            repository.git("tag", "--annotate", "--file=-", name, commit, stdin=_message(stage, model, now))
            made.append(name)
    return made


def push(repository: Repository, stage: str, remote: str, revision: str = "HEAD") -> list[str]:
    """Push the stage's tags of a commit, including those that an earlier run did not push; returns their names."""
    commit = repository.resolve(revision)
    names = [d.name for d in deployments(repository) if (d.stage, d.commit) == (stage, commit)]
    if names:
        repository.git(
            "push", "--quiet", "--no-follow-tags", remote, *(f"refs/tags/{name}" for name in names)
        )
    return names


def fetch(repository: Repository, stage: str, remote: str) -> None:
    """Fetch the stage's tags of a remote, so that what others deployed is known."""
    # Without --no-prune, fetch.prune would remove the tags that are not pushed yet.
    repository.git(
        "fetch", "--quiet", "--no-tags", "--no-prune", remote, f"refs/tags/{stage}/*:refs/tags/{stage}/*"
    )


def _differs(now: Deployed, last: Deployment | None) -> bool:
    if last is None or now.version != last.version:
        return True
    # A digest that is pinned later belongs to the same image; only a different digest is a new release.
    return None not in {now.digest, last.digest} and now.digest != last.digest


def _message(stage: str, model: str, now: Deployed) -> str:
    digest = [f"Digest: {now.digest}"] if now.digest else []
    lines = [f"Model: {model}", f"Version: {now.version}", *digest, f"Stage: {stage}"]
    return "\n".join([f"Deployed {model} {now.version} to {stage}", "", *lines, ""])


def _deployment(row: Sequence[str]) -> Deployment | None:
    name, own, peeled, when, seconds, said = row
    match = _NAME.fullmatch(name.strip("\n"))
    if match is None:
        return None
    pairs = (line.partition(": ") for line in said.split("\n"))
    trailers = {key: value for key, separator, value in pairs if separator}
    return Deployment(
        name=name.strip("\n").removeprefix("refs/tags/"),
        stage=match["stage"],
        model=match["model"],
        version=re.sub(r"\.\+(?=\.)", ".", match["version"]),
        time=int(match["time"] or 1),
        commit=peeled or own,
        when=when or None,
        seconds=int(seconds or 0),
        digest=trailers.get("Digest"),
    )
