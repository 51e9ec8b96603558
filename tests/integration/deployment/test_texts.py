"""A rendered text is the same text for the API server, whatever a reader of YAML could take it for."""

import json
from pathlib import Path

from components.files.characters import LOST
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


def test_the_characters_that_are_refused_are_those_that_do_not_arrive(project: Clone, tmp_path: Path) -> None:
    """Whatever a client sends: kubectl, with the text in JSON as Argo CD and Flux have it."""
    project.run("kubectl", "create", "namespace", project.namespace)
    odd = [*range(0x20), *range(0x7E, 0xA1), 0xAD, 0x2028, 0xFDD0, 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF, 0x1FFFE]
    sent = {f"u{code:x}": f"a{chr(code)}b" for code in odd}
    items = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": project.namespace},
            "data": {"text": text},
        }
        for name, text in sent.items()
    ]
    path = tmp_path / "texts.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    done = project.run("kubectl", "apply", "--server-side", f"--filename={path}", check=False)
    assert "control characters are not allowed" in done.stderr
    found = {
        item["metadata"]["name"]: item["data"].get("text") for item in project.get("configmaps")["items"]
    }
    lost = {name for name, text in sent.items() if found.get(name) != text}
    assert lost == {name for name, text in sent.items() if LOST.search(text)}
    assert found["u85"] == "a b"
