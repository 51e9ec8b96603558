"""Nothing secret is in git."""

import re
from collections.abc import Iterator

from components.errors import Problem
from delivery.policies.manifest import Manifest, pod_of
from delivery.policies.stage import StageRules

# Whole words between the underscores, so that TOKENIZER and MAX_TOKENS do not match.
_SECRET_WORD = re.compile(
    r"(^|_)(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY)(_|$)"
)


def names_secret(variable: str) -> bool:
    """True for a name like `API_TOKEN` or `DB_PASSWORD`."""
    return _SECRET_WORD.search(variable.upper()) is not None


def no_plain_secrets(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """No Secret contains its data; objects that only describe where a secret comes from are allowed."""
    if manifest["kind"] != "Secret" or manifest["apiVersion"] != "v1":
        return
    for field in ("data", "stringData"):
        if manifest.get(field):
            keys = ", ".join(sorted(manifest[field]))
            yield Problem(
                f"contains its data in plain text: {field} has {keys}",
                "create it in the cluster, or by an ExternalSecret or SealedSecret, and name it in the model file",
            )


def secret_in_environment(manifest: Manifest, stage: StageRules) -> Iterator[Problem]:
    """No variable with the name of a secret has its value in the manifest."""
    pod = pod_of(manifest)
    for container in (*pod.containers, *pod.patches) if pod else ():
        for variable in container.get("env") or ():
            if variable.get("value") and names_secret(variable["name"]):
                yield Problem(
                    f"the variable {variable['name']} of container {container['name']} has its value in plain text",
                    f"write {variable['name']}: {{secretKeyRef: {{name: ..., key: ...}}}}",
                )
