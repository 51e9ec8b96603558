"""A promotion: the request, the new text of the stack file, and the message of its commit."""

import difflib
from dataclasses import dataclass

from delivery.git.branches import with_trailers
from delivery.git.reverts import REVERTS
from delivery.registries.facts import ReleaseFacts
from delivery.registries.gates import Verdict
from delivery.releases.changes import Deployed
from delivery.releases.deployments import ref_part


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asked for.

    Attributes:
        source: The stage that runs the version; None for a new version, which does not run anywhere yet.
        version: None means the one that the source stage's file at HEAD names.
        reason: Why the version may skip the source stage, or be older than what runs; None where it may not.
        replicas: For a model that the target stage does not run yet.
    """

    model: str
    source: str | None
    target: str
    version: str | None = None
    reason: str | None = None
    replicas: int | None = None

    @property
    def file(self) -> str:
        """The stack file to edit."""
        return f"Pulumi.{self.target}.yaml"


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """A promotion that is allowed.

    Attributes:
        undone: The commit whose release an older version undoes; None for a version that is not older.
        text: The new text of the target's stack file.
        facts: What the registries say; None where none was asked.
        notes: What the user should know, a line each.
    """

    request: Request
    before: Deployed | None
    after: Deployed
    undone: str | None
    old_text: str
    text: str
    facts: ReleaseFacts | None
    notes: tuple[str, ...]

    @property
    def branch(self) -> str:
        """The branch that `--commit` creates."""
        return f"promote/{self.request.target}/{self.request.model}/{ref_part(self.after.version)}"

    def diff(self) -> str:
        """The edit as a unified diff."""
        file = self.request.file
        old, new = (text.splitlines(keepends=True) for text in (self.old_text, self.text))
        return "".join(difflib.unified_diff(old, new, f"a/{file}", f"b/{file}"))

    def message(self) -> str:
        """The commit's message, with what an audit asks for as trailers."""
        request, facts = self.request, self.facts
        trailers = {
            "Model": request.model,
            "Version": self.after.version,
            "From": request.source,
            "To": request.target,
            "Digest": self.after.digest,
            "Reason": request.reason,
            REVERTS: self.undone,
        }
        if facts is not None:
            gate = "; ".join(figures(verdict) for verdict in facts.verdicts)
            trailers |= {"Digest": self.after.digest or facts.digest, "Run": facts.run, "Gate": gate}
        return with_trailers(f"Promote {request.model} {self.after.version} to {request.target}", trailers)


def figures(verdict: Verdict) -> str:
    """A verdict's figures, like `f1 0.91 (was 0.90, at least 0.85)`."""
    was = [] if verdict.before is None else [f"was {verdict.before}"]
    return f"{verdict.metric} {verdict.after} ({', '.join([*was, verdict.rule])})"
