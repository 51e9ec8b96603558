"""The stack that Pulumi runs: what the engine was given must be what the committed file says."""

from pathlib import Path

import pulumi

from components.errors import Problem, SettingsError
from components.files.sources import Sources
from components.loading.stack_files import LoadedStack
from components.settings.stack import PROJECT, StackConfig, StackSettings
from components.stack import load_stack


def load_program_stack(project: Path) -> StackSettings:
    """The settings of the stack that Pulumi runs, from the files in its project directory.

    Raises:
        pulumi.RunError: the files have problems; the message lists all of them.
    """
    stage = pulumi.get_stack()
    try:
        loaded = load_stack(Sources.of(project), stage)
        _refuse_other_config(loaded)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    return loaded.settings


def _refuse_other_config(loaded: LoadedStack) -> None:
    """Refuse config from the engine that differs from the committed file, whatever flags or environments are used."""
    config = pulumi.Config(PROJECT)
    problems = []
    for name in sorted(info.alias or name for name, info in StackConfig.model_fields.items()):
        written, given = loaded.written.get(name), config.get(name)
        if not isinstance(written, str | None):
            given = config.get_object(name)
        if written != given:
            origin = loaded.stage_origins.get((name,))
            problems.append(
                Problem(
                    file=loaded.file,
                    line=origin.line if origin else None,
                    field=f"config.{PROJECT}:{name}",
                    reason="Pulumi was given another value than the file contains",
                    fix="commit the value to the file; --config-file and environments are not supported",
                )
            )
    if problems:
        raise SettingsError(problems)
