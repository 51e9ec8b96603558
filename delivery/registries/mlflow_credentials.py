"""Which MLflow server gets the credentials of the environment."""

import base64
import os
from urllib.parse import urlsplit

from delivery.http.addresses import is_private, origin


def authorization(address: str) -> dict[str, str]:
    """The header with the environment's credentials; empty where there are none, or the server may not get them."""
    if withheld(address) is not None:
        return {}
    token = _value("TOKEN")
    if token:
        return {"Authorization": f"Bearer {token}"}
    user, password = _value("USERNAME"), _value("PASSWORD")
    if user is None or password is None:
        return {}
    text = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def withheld(address: str) -> str | None:
    """Why a server does not get the credentials that the environment has; None where it gets them or there are none.

    A stack file names the server, and whoever opens a pull request writes that file. What the credentials are for is
    therefore only known from MLFLOW_TRACKING_URI, which is set next to them.
    """
    if not _value("TOKEN") and (_value("USERNAME") is None or _value("PASSWORD") is None):
        return None
    if not is_private(address):
        return "it is not asked over TLS"
    own = _value("URI")
    if not own:
        return "MLFLOW_TRACKING_URI does not say which server they are for"
    try:
        same = _spelled(own) == _spelled(address)
    except ValueError:
        same = False
    return None if same else "MLFLOW_TRACKING_URI names another server"


def _value(name: str) -> str | None:
    return os.environ.get(f"MLFLOW_TRACKING_{name}")


def _spelled(address: str) -> tuple[object, ...]:
    return *origin(address), urlsplit(address).path.rstrip("/")
