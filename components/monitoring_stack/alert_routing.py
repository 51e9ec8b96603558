"""Who is notified of an alert, how soon, and what one alert silences. Pure functions."""

from typing import Any

from components.settings.monitoring import Receiver
from components.settings.watching import Severity

GROUP = ["namespace", "model", "alertname"]
NO_RECEIVER = "none"
# How long to wait for more of the same group, for more after that, and before an alert is sent again. A page is sent at
# once and again within a shift; a ticket waits for its group and is sent once a day.
_PAGE = {"groupWait": "30s", "groupInterval": "5m", "repeatInterval": "4h"}
_TICKET = {"groupWait": "5m", "groupInterval": "30m", "repeatInterval": "24h"}


def alertmanager_config_spec(receivers: tuple[Receiver, ...]) -> dict[str, Any]:
    """The AlertmanagerConfig's spec.

    An alert goes to one receiver: the most specific match, by owner and severity, then owner, then severity, then all.
    An alert without a match is only shown by Alertmanager.
    """
    ordered = sorted(receivers, key=_specificity)
    fallback = next((_name(r) for r in ordered if r.owner is None and r.severity is None), NO_RECEIVER)
    silent = [{"name": NO_RECEIVER}] if fallback == NO_RECEIVER else []
    return {
        "route": {
            "receiver": fallback,
            "groupBy": GROUP,
            **_TICKET,
            "routes": [*(_route(r) for r in ordered if _name(r) != fallback), _pages(fallback)],
        },
        "receivers": [*(_target(receiver) for receiver in ordered), *silent],
        "inhibitRules": [_page_silences_ticket()],
    }


def _specificity(receiver: Receiver) -> tuple[bool, bool, str, str]:
    return (
        receiver.owner is None,
        receiver.severity is None,
        receiver.owner or "",
        receiver.severity or "",
    )


def _name(receiver: Receiver) -> str:
    """Unique, since an owner's name has no `=` and no `,`."""
    parts = []
    if receiver.owner is not None:
        parts.append(f"owner={receiver.owner}")
    if receiver.severity is not None:
        parts.append(f"severity={receiver.severity.value}")
    return ",".join(parts) or "everyone"


def _route(receiver: Receiver) -> dict[str, Any]:
    name = _name(receiver)
    matchers = []
    if receiver.owner is not None:
        matchers.append(_equals("owner", receiver.owner))
    if receiver.severity is not None:
        matchers.append(_equals("severity", receiver.severity.value))
    route: dict[str, Any] = {"receiver": name, "matchers": matchers}
    if receiver.severity is None:
        # Of every severity: its pages must not wait as long as its tickets.
        return {**route, **_TICKET, "routes": [_pages(name)]}
    return {**route, **(_PAGE if receiver.severity is Severity.PAGE else _TICKET)}


def _pages(receiver: str) -> dict[str, Any]:
    return {"receiver": receiver, "matchers": [_equals("severity", Severity.PAGE.value)], **_PAGE}


def _target(receiver: Receiver) -> dict[str, Any]:
    webhook: dict[str, Any] = {"sendResolved": True}
    if (secret := receiver.webhook_url_secret) is not None:
        webhook["urlSecret"] = {"name": secret.name, "key": secret.key}
    else:
        webhook["url"] = receiver.webhook_url
    return {"name": _name(receiver), "webhookConfigs": [webhook]}


def _page_silences_ticket() -> dict[str, Any]:
    """A budget that burns fast also burns slowly; one notification is enough.

    Only where both name the same objective: without `slo`, empty would equal empty, and any page of a model would hide
    its unrelated tickets.
    """
    about_objective = {"name": "slo", "matchType": "!=", "value": ""}
    return {
        "sourceMatch": [_equals("severity", Severity.PAGE.value), about_objective],
        "targetMatch": [_equals("severity", Severity.TICKET.value), about_objective],
        "equal": ["namespace", "model", "slo"],
    }


def _equals(label: str, value: str) -> dict[str, str]:
    return {"name": label, "matchType": "=", "value": value}
