"""What Kubernetes says of the names and amounts of a container's resources.

It refuses a wrong one only when the pod is created, and takes `512m` of memory for half a byte.
https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
"""

from components.settings.quantities import quantity

_PAGES = "hugepages-"
_KINDS = ("cpu", "memory", "ephemeral-storage")


def is_device(name: str) -> bool:
    """True for what cannot be shared, so that request and limit are equal: devices, and huge pages."""
    return "/" in name or name.startswith(_PAGES)


def amount_mistake(name: str, amount: str) -> tuple[str, str] | None:
    """Reason and fix where a container cannot have this much of a resource; None where it can.

    Args:
        name: The resource, such as `cpu` or `nvidia.com/gpu`.
        amount: A Kubernetes quantity.
    """
    if name == "cpu":
        return None
    value = quantity(amount)
    if "/" not in name and name not in _KINDS and not name.startswith(_PAGES):
        return (
            f"{name} is not a resource of containers",
            f"write one of {', '.join(_KINDS)}, or the device's full name, like nvidia.com/gpu",
        )
    if value % 1 == 0:
        return _pages_mistake(name, amount)
    if "/" in name:
        return f"{amount} is not a whole number of devices", 'write a whole number, like "1"'
    # The unit of the text, which is below one byte only with these.
    if amount[-1:] in "mun":
        return (
            f"{amount} is a part of a byte: {amount[-1]} is a fraction, and not mega",
            f"write {amount[:-1]}Mi",
        )
    return f"{amount} is not a whole number of bytes", "write it like 512Mi or 2Gi"


def _pages_mistake(name: str, amount: str) -> tuple[str, str] | None:
    if not name.startswith(_PAGES):
        return None
    size = name.removeprefix(_PAGES)
    try:
        whole = quantity(size) > 0 and quantity(amount) % quantity(size) == 0
    except ValueError:
        return f"{name} names no size of a page", "write it like hugepages-2Mi"
    return None if whole else (f"{amount} is not a multiple of the page, {size}", f"write it like {size}")
