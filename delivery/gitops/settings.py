"""The settings for the objects in gitops/ besides the stack files: gitops/settings.yaml."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from components.errors import SettingsError
from components.files.sources import Sources
from components.files.yaml_document import read_document
from components.loading.validation import validated
from components.settings.identifiers import DnsLabel
from components.settings.namespaces import ControllerNamespace
from components.settings.pod import Settings
from components.settings.wrong import wrong
from delivery.gitops.repository_url import CONTROLLERS_SECRET, RepositoryUrl

FILE = "gitops/settings.yaml"


def _matching(pattern: str, must: str, fix: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise wrong(must, fix)
        return value

    return AfterValidator(check)


Branch = Annotated[
    str,
    # What git does not accept: https://git-scm.com/docs/git-check-ref-format
    _matching(
        r"(?!.*(\.\.|//|/\.|\.lock(/|$)|[./]$))[A-Za-z0-9][-A-Za-z0-9._/]*",
        "must be a branch",
        "write its name, like main",
    ),
]
Duration = Annotated[
    str, _matching(r"[1-9][0-9]*[smh]", "must be a duration", "write a number and s, m or h, like 1m")
]
PinnedImage = Annotated[
    str,
    _matching(
        r"\S+(:(?!latest)[^:/@\s]*[0-9][^:/@\s]*|@sha256:[0-9a-f]{64})",
        "must name one version; a tag that moves would run another Pulumi each day",
        "write it with a version or a digest, like pulumi/pulumi:3.259.0-nonroot",
    ),
]


class ArgoCd(Settings):
    """Argo CD."""

    namespace: ControllerNamespace
    """The namespace in which it looks for its Applications."""


class Flux(Settings):
    """Flux."""

    namespace: ControllerNamespace
    """The namespace of its objects."""
    interval: Duration
    """How often it polls git and compares the cluster."""


class PulumiOperator(Settings):
    """The Pulumi operator."""

    namespace: ControllerNamespace
    """The namespace of its Stacks and their pods; one for all stages, since a Stack can wait only for one there."""
    organization: DnsLabel
    """The first part of the stack's full name; `organization` for every backend but Pulumi Cloud."""
    backend: Annotated[
        str,
        CONTROLLERS_SECRET,
        _matching(
            r"(s3|gs|azblob|https)://\S+",
            "must be the URL of a backend that pods can reach",
            "write it like s3://ml-deployments-state.example.com",
        ),
    ]
    """The backend with Pulumi's state."""
    image: PinnedImage
    """The image that the program runs in."""
    resync_seconds: Annotated[int, Field(ge=60)]
    """How often it polls git, and refreshes and deploys again, which heals drift."""


class GitopsSettings(Settings):
    """Which repository the controllers follow, and how."""

    repository: RepositoryUrl
    """The URL from which the controllers fetch it."""
    branch: Branch
    """The source branch, which the Pulumi operator follows; the others follow `rendered/<stage>`."""
    order: tuple[DnsLabel, ...]
    """Stages in deployment order: the Pulumi operator lets each wait for the one before."""
    argocd: ArgoCd
    flux: Flux
    pulumi: PulumiOperator


def read_settings(project: Path) -> GitopsSettings:
    """Read gitops/settings.yaml of a project.

    Raises:
        SettingsError: lists every problem of the file.
    """
    document = read_document(Sources.of(project), FILE)
    settings, problems = validated(GitopsSettings, document.data, origins=document.origins, file=FILE)
    if settings is None:
        raise SettingsError(problems)
    return settings
