"""Texts that are secrets are found wherever they stand, and what only looks like one passes.

The secrets here are made of parts, so that no scanner takes them for real ones.
"""

import base64
from copy import deepcopy
from time import perf_counter
from typing import Any

import pytest

from delivery.policies.secret_formats import secrets_in
from tests.support.monitoring_stacks import Manifest, of_kind, one
from tests.support.ruled import found, server


def joined(*parts: str) -> str:
    return "".join(parts)


LETTERS = "abcdefghij" * 10
CAPITALS = "ABCDEFGH" * 10
HEX = "0123456789abcdef" * 5
KEY = joined("-----BEGIN ", "RSA PRIVATE", " KEY-----\n")
SECRETS = {
    "an AWS access key": [joined("AK", "IA", CAPITALS[:16]), f"key={joined('AS', 'IA', CAPITALS[:16])}"],
    "a GitHub token": [joined("gh", "p_", LETTERS[:36]), joined("github", "_pat_", LETTERS[:30])],
    "a GitLab token": [joined("gl", "pat-", LETTERS[:20]), joined("gl", "rt-", LETTERS[:20])],
    "a Google key": [joined("AI", "za", LETTERS[:35]), joined("GOC", "SPX-", LETTERS[:28])],
    "a Slack token": [joined("xo", "xb-", "123456789012-", LETTERS[:20])],
    "a Hugging Face token": [joined("h", "f_", LETTERS[:34]), joined("api", "_org_", LETTERS[:34])],
    "an OpenAI or Anthropic key": [joined("sk", "-ant-", LETTERS[:40]), joined("sk", "-proj-", LETTERS[:40])],
    "an NVIDIA key": [joined("nv", "api-", LETTERS[:40])],
    "a Databricks token": [joined("da", "pi", HEX[:32])],
    "a token of a package registry": [
        joined("np", "m_", LETTERS[:36]),
        joined("dckr", "_pat_", LETTERS[:24]),
    ],
    "a Vault token": [joined("hv", "s.", LETTERS[:24])],
    "a Grafana token": [joined("gl", "sa_", LETTERS[:32], "_", HEX[:8])],
    "a Stripe key": [joined("sk", "_live_", LETTERS[:24])],
    "a SendGrid key": [joined("S", "G.", LETTERS[:22], ".", LETTERS[:43])],
    "a Pulumi token": [joined("pu", "l-", HEX[:40])],
    "an Azure storage key": [joined("Account", "Key=", LETTERS[:86], "==")],
    "a JSON Web Token": [joined("ey", "J", LETTERS[:20], ".ey", "J", LETTERS[:20], ".", LETTERS[:20])],
    "an age key": [joined("AGE-", "SECRET-KEY-1", CAPITALS[:58])],
    "a private key": [KEY, KEY.replace("RSA ", ""), base64.b64encode(KEY.encode() * 2).decode()],
    "credentials of HTTP": [joined("Authorization: ", "Bearer ", LETTERS[:30])],
    "a Slack webhook": [
        joined("https://hooks.", "slack.com/services/T0/B0/x"),
        joined("https://HOOKS.", "SLACK.COM/services/T0/B0/x"),
        joined('{"u": "https:\\/\\/hooks.', 'slack.com\\/services\\/T0\\/B0\\/x"}'),
    ],
    "a Teams webhook": [
        joined("https://team.webhook.", "office.com/webhookb2/x"),
        joined("https://prod-1.westus.", "logic.azure.com:443/workflows/x"),
    ],
    "a Discord webhook": [joined("https://", "discord.com/api/webhooks/1/x")],
    "a Google Chat webhook": [joined("https://", "chat.googleapis.com/v1/spaces/x/messages")],
    "a Telegram bot's address": [joined("https://", "api.telegram.org/bot1", ":x/sendMessage")],
    "a PagerDuty integration": [joined("https://", "events.pagerduty.com/integration/x/enqueue")],
    "a Mattermost or Rocket.Chat webhook": [joined("https://chat.example.com/", "hooks/", LETTERS[:26])],
    "an address with a password": [
        "postgres://u:hunter2@db/x",
        "redis://:hunter2@redis.example.com:6379/0",
        "https://user:hunter2@example.com",
        "mongodb+srv://u:hunter2@db.example.com",
        "before amqp://u:hunter2@mq.example.com after",
        "postgresql+psycopg2://u:$(A)hunter2@db/x",
    ],
    "an address with a secret in its query": [
        "https://example.com/hook?token=hunter2",
        "https://example.com/blob?sv=1&sig=hunter2",
        "jdbc:postgresql://db/x?user=u&password=hunter2",
    ],
    "a connection string with a password": [
        "host=db.example.com user=u password=hunter2 dbname=x",
        "Server=tcp:db,1433;Database=x;User ID=u;Password=hunter2;",
        "Driver={ODBC Driver 17};Server=db;PWD=hunter2",
        "# a file\nhost=db password=hunter2\n",
    ],
}


@pytest.mark.parametrize(
    ("what", "text"), [(what, text) for what, texts in SECRETS.items() for text in texts]
)
def test_a_secret_is_found(what: str, text: str) -> None:
    assert what in list(secrets_in(text))


@pytest.mark.parametrize(
    "text",
    [
        "postgres://u@db/x",
        "postgres://u:$(DB_PASSWORD)@db/x",
        "postgres://u:${DB_PASSWORD}@db/x",
        'f"postgresql://{user}:{password}@{host}/x"',
        "postgres://u:%s@db/x",
        "redis://redis.example.com:6379/0",
        "ssh://git@example.com:22/team/x.git",
        "http://[fd00::1]:8080/x@y",
        "https://example.com/a:b@c",
        "https://example.com/hook?token=$(TOKEN)",
        "https://example.com/?page=token&q=password",
        "https://hooks.example.com/all",
        "https://docs.example.com/hooks/webhooks",
        "https://slack.com/services",
        "host=db user=u dbname=x",
        "host=db password=$(PASSWORD)",
        "connect(host=host, password=password)",
        "password=os.environ['PASSWORD']",
        "max_tokens=5",
        "sk-learn-compatible-model-with-a-long-name",
        "sha256:" + HEX[:64],
        "hf_hub_download",
        "eyJ.eyJ.",
        "-----BEGIN CERTIFICATE-----",
        "authorization: bearer",
        "AKIA",
        "the npm_package_name variable",
    ],
)
def test_what_is_not_a_secret_passes(text: str) -> None:
    assert list(secrets_in(text)) == []


def place(objects: list[Manifest]) -> dict[str, Manifest]:
    """The object of each place where a text may stand."""
    return {"Deployment": one(objects, "Deployment", "a"), "ConfigMap": of_kind(objects, "ConfigMap")[0]}


SECRET = "postgres://u:hunter2@db/x"
SPOILS: list[tuple[str, Any, str]] = [
    ("Deployment", lambda m: server(m)["env"].append({"name": "URL", "value": SECRET}), "env[URL].value"),
    ("Deployment", lambda m: server(m).update(args=["--store", SECRET]), "containers[server].args[1]"),
    ("Deployment", lambda m: server(m).update(command=[SECRET]), "containers[server].command[0]"),
    ("Deployment", lambda m: m["metadata"].update(annotations={"a": SECRET}), "metadata.annotations.a"),
    ("ConfigMap", lambda m: m.update(data={"f": f"url: {SECRET}\n"}), "data.f"),
    (
        "ConfigMap",
        lambda m: m.update(binaryData={"f": base64.b64encode(SECRET.encode()).decode()}),
        "binaryData.f",
    ),
]


@pytest.mark.parametrize(("kind", "spoil", "where"), SPOILS, ids=[where for *_, where in SPOILS])
def test_it_is_found_wherever_it_stands_and_not_repeated(
    ruled_objects: list[Manifest], kind: str, spoil: Any, where: str
) -> None:
    changed = deepcopy(ruled_objects)
    spoil(place(changed)[kind])

    (violation,) = found(changed)

    assert violation.policy == "secret-literals"
    assert where in violation.problem.reason
    assert "hunter2" not in str(violation)


def test_a_receiver_is_found(ruled_objects: list[Manifest]) -> None:
    changed = deepcopy(ruled_objects)
    spec = one(changed, "AlertmanagerConfig")["spec"]
    spec["receivers"] = [{"name": "everyone", "webhookConfigs": [{"url": SECRETS["a Slack webhook"][0]}]}]

    (violation,) = found(changed)

    assert "receivers[everyone].webhookConfigs[0].url contains a Slack webhook" in violation.problem.reason


@pytest.mark.parametrize(
    "part", ["-eyJ", "a://", "https://x?", "=", "a=b;", "-----BEGIN A", "x@", ":", "host=a "]
)
def test_no_text_takes_long(part: str) -> None:
    """A ConfigMap has at most 1 MiB, and what stands in it may be chosen to delay the gate."""
    began = perf_counter()
    list(secrets_in(part * (2**20 // len(part))))
    assert perf_counter() - began < 20


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        (["--api-key=hunter2"], "--api-key"),
        (["--db-password", "hunter2"], "--db-password"),
        (["--api-key=$(API_KEY)"], None),
        (["--api-key", "$(API_KEY)"], None),
        (["--max-tokens=5", "--tokenizer=x"], None),
        (["--token", "--verbose"], None),
    ],
)
def test_an_argument_with_the_name_of_a_secret_is_advice(
    ruled_objects: list[Manifest], arguments: list[str], flag: str | None
) -> None:
    changed = deepcopy(ruled_objects)
    server(one(changed, "Deployment", "a"))["args"] = arguments

    reasons = [violation.problem.reason for violation in found(changed)]

    assert reasons == (
        [f"the argument {flag} of container server has its value in plain text"] if flag else []
    )
