"""Deploys one stage: what its stack file and the model files say, and nothing else."""

from pathlib import Path

import pulumi

from components.model import Model
from components.monitoring_stack import MonitoringStack
from components.stack_files import load_program_stack
from components.stage import Stage

stack = load_program_stack(Path(__file__).resolve().parent)
stage = Stage(stack)
if stack.monitoring.stack.install:
    MonitoringStack(stack, dashboards=(), opts=stage.options)
models = {model.name: Model(model, stack, opts=stage.options) for model in stack.models}

pulumi.export("namespace", stack.namespace)
pulumi.export("models", {name: model.summary for name, model in models.items()})
