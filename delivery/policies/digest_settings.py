"""Which setting of a stack file pins an image by its digest."""

from components.feature_store import names
from components.kubernetes import naming
from delivery.policies.manifest import Pod

_DIGEST = 'digest: "sha256:..."'
# The images of a feature store's own Redis, by container; the store's other containers run Feast.
_IMAGES = {f"container {names.REDIS}": "redis", f"container {names.EXPORTER}": "redisExporter"}


def digest_fix(pod: Pod, user: str, tag: str) -> str:
    """What to write.

    Args:
        pod: The pod that uses the image.
        user: What of the pod uses it, like `container server`.
        tag: The image's tag, to which the digest belongs.
    """
    if pod.labels.get(naming.COMPONENT) != names.FEATURE_STORE:
        where = f"add {_DIGEST} to the model's entry in the stack file"
    elif user in _IMAGES:
        entry = f'{_IMAGES[user]}: {{version: "{tag}", {_DIGEST}}}'
        where = f"add ml-deployments:images: {{{entry}}} to the stack file"
    else:
        where = f"add {_DIGEST} to featureStore in the stack file"
    return f"{where}, as the registry shows it"
