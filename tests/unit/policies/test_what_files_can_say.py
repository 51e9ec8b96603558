"""What a model file or a stack file can say against the policies is found by the command, and stops a deployment."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from delivery.cli import app
from tests.support.projects import GOOD_STACK, MODEL, project

SLACK = "https://hooks." + "slack.com/services/T0/B0/x"
RECEIVER = f"""\
  ml-deployments:monitoring:
    namespace: watch
    delivery: operator
    stack: {{install: true, receivers: [{{webhookUrl: "{SLACK}"}}]}}
"""
REGISTRIES = "  ml-deployments:policy: {allowedRegistries: [registry.example.com/other]}\n"


@pytest.mark.parametrize(
    ("model", "stack", "policy"),
    [
        ("network: {enabled: false}", "", "network-policy"),
        ("network: {egress: [{cidr: 0.0.0.0/0, ports: [443]}]}", "", "open-egress"),
        ('network: {egress: [{cidr: "::/0", ports: [443]}]}', "", "open-egress"),
        (
            "network: {egress: [{cidr: 0.0.0.0/1, ports: [443]}, {cidr: 128.0.0.0/1, ports: [443]}]}",
            "",
            "open-egress",
        ),
        ("network: {egress: [{cidr: 169.254.169.254/32, ports: [80]}]}", "", "metadata-address"),
        ('network: {egress: [{cidr: "fd00:ec2::254/128", ports: [80]}]}', "", "metadata-address"),
        ("security: {mountServiceAccountToken: true}", "", "service-account-token"),
        ('env: {DATABASE_URL: "postgres://u:hunter2@db/x"}', "", "secret-literals"),
        ("", RECEIVER, "secret-literals"),
        ("", REGISTRIES, "allowed-registries"),
    ],
)
def test_it_is_refused(tmp_path: Path, model: str, stack: str, policy: str) -> None:
    folder = project(tmp_path, GOOD_STACK + stack, a=f"{MODEL}{model}\n")

    done = CliRunner().invoke(app, ["policy", "--project", str(folder)])

    assert done.exit_code == 1
    assert f"mandatory: {policy}: " in done.stderr
    assert "hunter2" not in done.output
    assert SLACK not in done.output


def test_a_receiver_may_not_be_a_metadata_service_by_default(tmp_path: Path) -> None:
    folder = project(tmp_path, GOOD_STACK + RECEIVER.replace(SLACK, "https://receiver.example.com"))

    done = CliRunner().invoke(app, ["policy", "--project", str(folder)])

    assert done.exit_code == 0, done.stderr


def test_a_range_with_a_hole_reaches_the_network_policy(tmp_path: Path) -> None:
    hole = "network: {egress: [{cidr: 169.254.0.0/16, except: [169.254.169.254/32], ports: [80]}]}\n"
    folder = project(tmp_path, a=MODEL + hole)

    done = CliRunner().invoke(app, ["policy", "--project", str(folder)])

    assert done.exit_code == 0, done.stderr
