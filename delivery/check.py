"""Validates every stage and every model file of a project."""

from dataclasses import dataclass
from pathlib import Path

from components.model_files import check_definitions
from components.problems import Problem, SettingsError
from components.stack_files import LoadedStack, load_stack, stages


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a check found: the stages that are good, and every problem of all files."""

    stages: tuple[LoadedStack, ...]
    problems: tuple[Problem, ...]


def check(project: Path) -> Report:
    """Check a project's stack files and model files, whether or not a stage names them."""
    good: list[LoadedStack] = []
    problems: list[Problem] = check_definitions(project)
    names = stages(project)
    if not names:
        problems.append(
            Problem(
                file="Pulumi.<stage>.yaml",
                reason=f"no stack file in {project}",
                fix="name the project with --project DIR",
            )
        )
    for stage in names:
        try:
            good.append(load_stack(project, stage))
        except SettingsError as error:
            problems += error.problems
    return Report(stages=tuple(good), problems=SettingsError(problems).problems)
