"""The Pulumi operator's Stack, as far as our objects use it, from its documented fields.

A stand-in for the operator's own definition: the module that holds it cannot be had from the Go proxy, and no package
brings it. It shows that names and types are those of the reference, not that the operator takes the object.
"""

from typing import Annotated, Literal

from pydantic import Field

from components.settings.pod import Settings

# The operator refuses longer names: it derives the names of its pods and objects from them.
LONGEST_NAME = 42


class Literally(Settings):
    value: str


class Environment(Settings):
    type: Literal["Literal"]
    literal: Literally


class Requirement(Settings):
    succeeded_within_duration: Annotated[str, Field(pattern=r"^([0-9]+(h|m|s))+$")]


class Prerequisite(Settings):
    name: str
    requirement: Requirement


class Resources(Settings):
    requests: dict[Literal["cpu", "memory"], str]
    limits: dict[Literal["cpu", "memory"], str]


class Workspace(Settings):
    image: str
    resources: Resources


class WorkspaceTemplate(Settings):
    spec: Workspace


class Update(Settings):
    parallel: Annotated[int, Field(ge=1)]
    ttl_after_completed: Annotated[str, Field(pattern=r"^([0-9]+(h|m|s))+$")]


class UpdateTemplate(Settings):
    spec: Update


class Spec(Settings):
    stack: Annotated[str, Field(pattern=r"^[^/]+/[^/]+/[^/]+$")]
    project_repo: str
    branch: str
    shallow: bool
    backend: str
    env_refs: dict[str, Environment]
    service_account_name: str
    refresh: bool
    continue_resync_on_commit_match: bool
    resync_frequency_seconds: Annotated[int, Field(ge=60)]
    retry_max_backoff_duration_seconds: int
    destroy_on_finalize: bool
    workspace_template: WorkspaceTemplate
    update_template: UpdateTemplate
    prerequisites: tuple[Prerequisite, ...] = ()


class Metadata(Settings):
    name: Annotated[str, Field(max_length=LONGEST_NAME)]
    namespace: str


class Stack(Settings):
    api_version: Literal["pulumi.com/v1"]
    kind: Literal["Stack"]
    metadata: Metadata
    spec: Spec
