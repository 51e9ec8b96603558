"""Deploys one stage: what its stack file and the model files say, and nothing else."""

from pathlib import Path

import pulumi

from components.dashboards import Dashboards, dashboard_names
from components.feature_store.store import FeatureStore
from components.loading.stack_files import load_program_stack
from components.monitoring_stack.stack import MonitoringStack
from components.serving.model import Model
from components.settings.monitoring import MonitoringDelivery
from components.stage import Stage

stack = load_program_stack(Path(__file__).resolve().parent)
stage = Stage(stack)
monitored = stage.options
if stack.monitoring.stack.install:
    monitored = MonitoringStack(stack, dashboard_names(stack), opts=stage.options).options
store = None if stack.feature_store is None else FeatureStore(stack.feature_store, stack, opts=stage.options)
reading = stage.options if store is None else stage.options_after(store.ready)
models = {
    model.name: Model(model, stack, opts=reading if model.features is not None else stage.options)
    for model in stack.models
}
if stack.monitoring.delivery is not MonitoringDelivery.NONE:
    Dashboards(stack.stage, stack, opts=monitored)

pulumi.export("namespace", stack.namespace)
if store is not None:
    pulumi.export("featureStore", store.summary)
pulumi.export("models", {name: model.summary for name, model in models.items()})
