"""A stage as a commit has it, or as the files are."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from components.files.sources import Sources
from components.loading.stack_files import LoadedStack
from components.settings.stack import StackSettings
from components.stack import load_stack
from delivery.rendering.program import has_own_program
from delivery.rendering.render import manifests


@dataclass(frozen=True, kw_only=True)
class StageAt:
    """A stage of a project, loaded and rendered once, at the first use.

    Attributes:
        sources: The project.
        stage: The stage's name.
        commit: The commit that the project is read at; None for the files as they are.
    """

    sources: Sources
    stage: str
    commit: str | None = None

    @cached_property
    def loaded(self) -> LoadedStack:
        """Its settings and where they came from.

        Raises:
            SettingsError: the files have problems.
        """
        return load_stack(self.sources, self.stage)

    @property
    def settings(self) -> StackSettings:
        """Its settings.

        Raises:
            SettingsError: the files have problems.
        """
        return self.loaded.settings

    @cached_property
    def manifests(self) -> Sequence[dict[str, Any]]:
        """What the program deploys for it, with the objects that others need first.

        Raises:
            SettingsError: the files have problems.
            ProgramError: the program failed, or is another checkout's and refused its settings.
        """
        folder = self.sources.folder
        return manifests(folder, self.stage, None if has_own_program(folder) else self.settings)
