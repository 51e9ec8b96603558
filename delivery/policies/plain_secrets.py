"""Nothing secret is in git."""

import re
from collections.abc import Iterator, Sequence

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
    """No variable and no flag with the name of a secret has its value in the manifest."""
    pod = pod_of(manifest)
    for container in (*pod.containers, *pod.patches) if pod else ():
        for flag in _flags_with_value((*(container.get("command") or ()), *(container.get("args") or ()))):
            yield Problem(
                f"the argument {flag} of container {container['name']} has its value in plain text",
                "read it from a variable with secretKeyRef, like $(API_TOKEN)",
            )
        for variable in container.get("env") or ():
            if variable.get("value") and names_secret(variable["name"]):
                yield Problem(
                    f"the variable {variable['name']} of container {container['name']} has its value in plain text",
                    f"write {variable['name']}: {{secretKeyRef: {{name: ..., key: ...}}}}",
                )


def _flags_with_value(arguments: Sequence[str]) -> Iterator[str]:
    """The flags with the name of a secret and a value, as `--api-key=x` or `--api-key x`."""
    for index, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        if not equals and index + 1 < len(arguments):
            value = arguments[index + 1]
        named = flag.startswith("-") and names_secret(flag.strip("-").replace("-", "_"))
        if named and value and not value.startswith(("-", "$(")):
            yield flag
