"""Deploys one stage: what its stack file and the model files say, and nothing else."""

from pathlib import Path

import pulumi

from components.program import program
from components.program_stack import load_program_stack
from components.registering import register
from delivery.releases.namespaces import namespace_guard

settings = load_program_stack(Path(__file__).resolve().parent)
found = program(settings)
register(found.components, namespace_guard(settings))
for name, value in found.outputs.items():
    pulumi.export(name, value)
