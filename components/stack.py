"""A stage from its files: read, merged, validated, and checked for contradictions."""

from collections.abc import Callable

from components.checks.backfill import backfill_problems
from components.checks.features import feature_problems
from components.checks.own_namespaces import own_namespace_problems
from components.checks.registries import registry_problems
from components.checks.rollouts import rollout_problems
from components.checks.rule_sizes import rule_size_problems
from components.checks.watching import watching_problems
from components.errors import Problem, SettingsError
from components.files.sources import Sources
from components.loading.model_files import LoadedModel
from components.loading.stack_files import LoadedStack, read_stack

MODEL_CHECKS: tuple[Callable[[LoadedModel], list[Problem]], ...] = (watching_problems, rollout_problems)
CHECKS: tuple[Callable[[LoadedStack], list[Problem]], ...] = (
    rule_size_problems,
    registry_problems,
    own_namespace_problems,
    feature_problems,
    backfill_problems,
)


def load_stack(sources: Sources, stage: str) -> LoadedStack:
    """Read, merge, validate and check a stage's stack file and the files of its models.

    Raises:
        SettingsError: lists every problem of all the files.
    """
    read = read_stack(sources, stage)
    problems = [
        *read.problems,
        *(problem for check in MODEL_CHECKS for model in read.models for problem in check(model)),
        *(problem for check in CHECKS if read.loaded for problem in check(read.loaded)),
    ]
    if problems or read.loaded is None:
        raise SettingsError(problems)
    return read.loaded
