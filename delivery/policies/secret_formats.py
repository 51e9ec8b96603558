"""What a text shows to be a secret: known formats of keys, addresses that are secrets, and passwords in addresses.

Only formats with few false alarms: what they find stops a deployment. The formats are those that the issuers document
for scanners, as gitleaks (https://github.com/gitleaks/gitleaks) and GitHub's secret scanning know them.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass

# What it is, how it begins, and what follows.
_KEYS = (
    ("an AWS access key", ("AKIA", "ASIA", "ABIA", "ACCA"), r"[A-Z2-7]{16}(?![A-Za-z0-9])"),
    ("a GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"[A-Za-z0-9]{36}"),
    ("a GitHub token", ("github_pat_",), r"[A-Za-z0-9_]{22}"),
    (
        "a GitLab token",
        (
            "GR1348941",
            *(
                "glagent-",
                "glcbt-",
                "gldt-",
                "glffct-",
                "glft-",
                "glimt-",
                "gloas-",
                "glpat-",
                "glptt-",
                "glrt-",
            ),
            "glsoat-",
        ),
        r"[A-Za-z0-9_-]{20}",
    ),
    ("a Google key", ("AIza",), r"[A-Za-z0-9_-]{35}"),
    ("a Google key", ("GOCSPX-", "ya29."), r"[A-Za-z0-9_-]{20}"),
    ("a Slack token", tuple(f"xox{kind}-" for kind in "abeoprs"), r"[A-Za-z0-9-]{10}"),
    ("a Slack token", ("xapp-",), r"[0-9]-[A-Za-z0-9-]{10}"),
    ("a Hugging Face token", ("hf_", "api_org_"), r"[A-Za-z0-9]{30}"),
    (
        "an OpenAI or Anthropic key",
        ("sk-admin-", "sk-ant-", "sk-proj-", "sk-svcacct-"),
        r"[A-Za-z0-9_-]{20}",
    ),
    ("an OpenAI or Anthropic key", ("sk-",), r"[A-Za-z0-9]{20}T3BlbkFJ"),
    ("an NVIDIA key", ("nvapi-",), r"[A-Za-z0-9_-]{20}"),
    ("a Databricks token", ("dapi",), r"[0-9a-f]{32}"),
    ("a token of a package registry", ("npm_",), r"[A-Za-z0-9]{36}"),
    ("a token of a package registry", ("pypi-AgE", "dckr_pat_"), r"[A-Za-z0-9_-]{20}"),
    ("a Vault token", ("hvs.", "hvb."), r"[A-Za-z0-9_-]{24}"),
    ("a Grafana token", ("glsa_",), r"[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}"),
    ("a Grafana token", ("glc_eyJ",), r"[A-Za-z0-9+/=]{20}"),
    ("a Stripe key", ("sk_live_", "rk_live_"), r"[A-Za-z0-9]{16}"),
    ("a SendGrid key", ("SG.",), r"[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16}"),
    ("a Pulumi token", ("pul-",), r"[0-9a-f]{40}"),
    ("an Azure storage key", ("AccountKey=",), r"[A-Za-z0-9+/]{40}"),
    ("a JSON Web Token", ("eyJ",), r"[A-Za-z0-9_-]{10,1024}\.eyJ[A-Za-z0-9_-]{10}"),
    ("an age key", ("AGE-SECRET-KEY-1",), r"[0-9A-Z]{40}"),
)
_ENCODED = tuple(
    base64.b64encode(f"-----BEGIN {kind}PRIVATE KEY-".encode()).decode().rstrip("=")[:-1]
    for kind in ("", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ")
)
_PRIVATE_KEYS = (
    ("a private key", ("-----BEGIN ",), r"[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"),
    ("a private key", ("PuTTY-User-Key-File-", *_ENCODED), ""),
)
# In small letters, as hosts are the same in capitals. Whoever knows the address may write there.
_WEBHOOKS = (
    (
        "a Slack webhook",
        ("hooks.slack.com/", "hooks.slack-gov.com/"),
        r"(?:services|triggers|workflows)/\w",
    ),
    (
        "a Teams webhook",
        (
            "webhook.office.com/webhookb2/",
            "outlook.office.com/webhook/",
            "outlook.office365.com/webhook/",
            "logic.azure.com/workflows/",
            "logic.azure.com:443/workflows/",
        ),
        r"\w",
    ),
    ("a Teams webhook", ("powerplatform.com",), r"(?::443)?/\S{0,80}/workflows/\w"),
    ("a Discord webhook", ("discord.com/api/", "discordapp.com/api/"), r"(?:v[0-9]+/)?webhooks/\w"),
    ("a Google Chat webhook", ("chat.googleapis.com/v1/spaces/",), r"\w"),
    ("a Telegram bot's address", ("api.telegram.org/bot",), r"[0-9]+:"),
    ("a Zapier or IFTTT webhook", ("hooks.zapier.com/hooks/",), r"\w"),
    ("a Zapier or IFTTT webhook", ("maker.ifttt.com/trigger/",), r"\S{1,80}/key/\w"),
    (
        "a PagerDuty integration",
        ("events.pagerduty.com/integration/", "events.eu.pagerduty.com/integration/"),
        r"\w",
    ),
    ("a Mattermost or Rocket.Chat webhook", ("/hooks/",), r"[a-z0-9]{17}"),
)
_CREDENTIALS = re.compile(
    r"authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:basic|bearer)\s{1,3}[a-z0-9+/_=.~-]{16}"
)
_IN_AUTHORITY = re.compile(r"://[^\s/?#:@'\"<>]{0,255}:([^\s/?#@'\"<>]{1,1024})@[^\s/]")
_IN_QUERY = re.compile(
    r"[?&;](?:access_?token|api[_-]?key|apikey|auth_?token|client_?secret|password|passwd|pwd|secret|sig|signature"
    r"|token|x-amz-signature|x-goog-signature)=([^\s&;'\"<>]{4,1024})",
    re.IGNORECASE,
)
_QUERY_OF_ADDRESS = re.compile(r"://[^\s'\"<>?]{1,1024}(\?[^\s'\"<>]{1,2048})")
# Parts of a connection string in the forms of libpq and ODBC: `host=db password=x`, `Server=db;Password=x`.
_PARTS = re.compile(r"\s*([A-Za-z][A-Za-z_ ]{0,40}?)\s*=\s*([^;]{1,1024}?)\s*")
_PASSWORDS = {"password", "pwd", "sslpassword"}
_SERVERS = {
    "addr",
    "address",
    "data source",
    "database",
    "dbname",
    "driver",
    "dsn",
    "host",
    "hostname",
    "server",
}
_LONGEST_CONNECTION = 4096
# What stands for a value that comes from elsewhere: $(NAME), ${NAME}, $NAME, {name}, {{ name }}, %s, %(name)s, ***.
_REFERENCE = re.compile(r"\$?\([A-Za-z_]\w*\)|\$?\{.*\}|\$[A-Za-z_]\w*|%(?:\(\w+\))?s|[*.xX]+")


@dataclass(frozen=True)
class _Format:
    """A kind of secret: what it is, how it may begin, and the pattern of all of it."""

    what: str
    beginnings: tuple[str, ...]
    pattern: re.Pattern[str]

    @staticmethod
    def of(what: str, beginnings: tuple[str, ...], rest: str, *, before: str = "") -> "_Format":
        first = "|".join(map(re.escape, beginnings))
        return _Format(what, beginnings, re.compile(f"{before}(?:{first}){rest}"))

    def is_in(self, text: str) -> bool:
        """Looks for the beginnings first: in texts without them, which most are, that takes a tenth of the time."""
        return any(part in text for part in self.beginnings) and self.pattern.search(text) is not None


# A letter or a digit before it would make it a part of something else.
_FORMATS = [
    *(_Format.of(*key, before=r"(?<![A-Za-z0-9])") for key in _KEYS),
    *(_Format.of(*key) for key in _PRIVATE_KEYS),
]
_FORMATS_IN_SMALL_LETTERS = [_Format.of(*webhook) for webhook in _WEBHOOKS]


def secrets_in(text: str) -> Iterator[str]:
    """What secrets a text contains, each kind once, like `a GitHub token`."""
    # As some writers of JSON write it.
    text = text.replace("\\/", "/")
    small = text.lower()
    found = [
        *(format.what for format in _FORMATS if format.is_in(text)),
        *(format.what for format in _FORMATS_IN_SMALL_LETTERS if format.is_in(small)),
    ]
    yield from dict.fromkeys(found)
    if "authorization" in small and _CREDENTIALS.search(small):
        yield "credentials of HTTP"
    if "://" in text and any(_is_literal(found[1]) for found in _IN_AUTHORITY.finditer(text)):
        yield "an address with a password"
    if "?" in text and any(
        _is_literal(found[1])
        for address in _QUERY_OF_ADDRESS.finditer(text)
        for found in _IN_QUERY.finditer(address[1])
    ):
        yield "an address with a secret in its query"
    if any(word in small for word in _PASSWORDS) and any(map(_connects_with_password, text.splitlines())):
        yield "a connection string with a password"


def _is_literal(value: str) -> bool:
    return not _REFERENCE.fullmatch(value)


def _connects_with_password(line: str) -> bool:
    """Only where the whole line is a list of `key=value`, so that program text is not one."""
    line = line.strip().strip("\"'")
    if len(line) > _LONGEST_CONNECTION or "=" not in line:
        return False
    parts = [part for part in (line.split(";") if ";" in line else line.split()) if part.strip()]
    matched = [_PARTS.fullmatch(part) for part in parts]
    given = {found[1].lower(): found[2] for found in matched if found}
    return (
        len(given) == len(parts)
        and bool(_SERVERS & set(given))
        and any(_is_literal(given[key]) for key in _PASSWORDS & set(given))
    )
