"""The files in `models/`, independent of any stage."""

from components.checks.watching import watching_problems
from components.errors import Problem
from components.files.sources import Sources
from components.loading.model_files import definition_files, load_definition


def model_file_problems(sources: Sources) -> list[Problem]:
    """Every problem of the model files, whether or not a stage names them."""
    problems: list[Problem] = []
    for name, file in sorted(definition_files(sources, problems).items()):
        loaded, found = load_definition(sources, name, file)
        problems += found
        problems += [] if loaded is None else watching_problems(loaded)
    return problems
