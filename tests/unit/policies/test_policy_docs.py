"""docs/policy.md lists the policies as the catalogue has them."""

from delivery.policies.catalogue import POLICIES
from tests.support.projects import CHECKOUT


def test_the_table_is_the_catalogue() -> None:
    rows = [
        f"| `{policy.name}` | {policy.level} | {policy.checks} | {policy.satisfy} |" for policy in POLICIES
    ]
    text = (CHECKOUT / "docs" / "policy.md").read_text(encoding="utf-8")

    assert [line for line in text.splitlines() if line.startswith("| `")] == rows
