"""A rendered text is the same text for the API server, whatever a reader of YAML could take it for."""

import json
from pathlib import Path

from sandbox.harness.clone import Clone

# As people write them; the API server refused the first three.
ENV = {
    "ACCEPT_TERMS": "y",
    "UMASK": "0o17",
    "LIMIT": "1e3",
    "AT": "1:30",
    "DAY": "2024-1-2",
    "NAME": "\u202e\x1b[2J",
}


def test_variables_of_a_rendered_model_are_stored_as_they_are_written(project: Clone, tmp_path: Path) -> None:
    project.write_stack(f'    m000: {{version: "v1", replicas: 1, env: {json.dumps(ENV)}}}\n')
    project.python("delivery", "render", "test", "--output", str(tmp_path / "rendered"))
    project.run("kubectl", "apply", "--server-side", f"--filename={tmp_path / 'rendered'}")
    (container,) = project.get("deployment", "m000")["spec"]["template"]["spec"]["containers"]
    stored = {one["name"]: one.get("value") for one in container["env"]}
    assert {name: stored[name] for name in ENV} == ENV
