"""What `kubectl api-resources --output=json` prints of a cluster with a few kinds."""

import json

_VERBS = ("delete", "get", "list", "patch")


def served(*kinds: str, verbs: tuple[str, ...] = _VERBS) -> str:
    """The kinds as that command lists them, each given like `apps/v1 Deployment`; a Namespace is in no namespace."""
    return json.dumps(
        {"kind": "APIResourceList", "apiVersion": "v1", "resources": [_resource(one, verbs) for one in kinds]}
    )


def _resource(text: str, verbs: tuple[str, ...]) -> dict[str, object]:
    api_version, kind = text.split()
    group, _, version = api_version.rpartition("/")
    plural = "networkpolicies" if kind == "NetworkPolicy" else f"{kind.lower()}s"
    return {
        "name": plural,
        **({"group": group} if group else {}),
        "version": version,
        "kind": kind,
        "namespaced": kind != "Namespace",
        "verbs": verbs,
    }
