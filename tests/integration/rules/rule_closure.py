"""What an alert is made of, so that the same rules are played once and not for each runtime."""

from collections import defaultdict

import yaml


def made_of(rule_file: str) -> dict[str, frozenset[str]]:
    """The rules that decide on an alert, by its name: its own, and each recording rule it is computed from."""
    recorded: dict[str, set[str]] = defaultdict(set)
    alerts: dict[str, set[str]] = defaultdict(set)
    for group in yaml.safe_load(rule_file)["groups"]:
        for rule in group["rules"]:
            decides = {key: value for key, value in rule.items() if key != "annotations"}
            into = recorded[rule["record"]] if "record" in rule else alerts[rule["alert"]]
            into.add(yaml.safe_dump(decides))
    return {name: _with_what_it_reads(rules, recorded) for name, rules in alerts.items()}


def _with_what_it_reads(rules: set[str], recorded: dict[str, set[str]]) -> frozenset[str]:
    found, new = set(rules), set(rules)
    while new:
        read = {name for name in recorded if any(name in rule for rule in new)}
        new = set().union(*(recorded[name] for name in read)) - found
        found |= new
    return frozenset(found)
