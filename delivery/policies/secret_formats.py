"""What a text shows to be a secret: known formats of keys, addresses that are secrets, and passwords in addresses.

Only formats with few false alarms: what they find stops a deployment. The formats are those that the issuers document
for scanners, as gitleaks (https://github.com/gitleaks/gitleaks) and GitHub's secret scanning know them.
"""

import base64
import re
from collections.abc import Iterator

_WORD = r"(?<![A-Za-z0-9])"
_KEYS = {
    "an AWS access key": r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])",
    "a GitHub token": r"gh[oprsu]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22}",
    "a GitLab token": r"gl(?:agent|cbt|dt|ffct|ft|imt|oas|pat|ptt|rt|soat)-[A-Za-z0-9_-]{20}"
    r"|GR1348941[A-Za-z0-9_-]{20}",
    "a Google key": r"AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{28}|ya29\.[A-Za-z0-9_-]{20}",
    "a Slack token": r"xox[abeoprs]-[A-Za-z0-9-]{10}|xapp-[0-9]-[A-Za-z0-9-]{10}",
    "a Hugging Face token": r"hf_[A-Za-z0-9]{30}|api_org_[A-Za-z0-9]{30}",
    "an OpenAI or Anthropic key": r"sk-(?:admin|ant|proj|svcacct)-[A-Za-z0-9_-]{20}|sk-[A-Za-z0-9]{20}T3BlbkFJ",
    "an NVIDIA key": r"nvapi-[A-Za-z0-9_-]{20}",
    "a Databricks token": r"dapi[0-9a-f]{32}",
    "a token of a package registry": r"npm_[A-Za-z0-9]{36}|pypi-AgE[A-Za-z0-9_-]{50}|dckr_pat_[A-Za-z0-9_-]{20}",
    "a Vault token": r"hv[bs]\.[A-Za-z0-9_-]{24}",
    "a Grafana token": r"glsa_[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}|glc_eyJ[A-Za-z0-9+/=]{20}",
    "a Stripe key": r"[rs]k_live_[A-Za-z0-9]{16}",
    "a SendGrid key": r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16}",
    "a Pulumi token": r"pul-[0-9a-f]{40}",
    "an Azure storage key": r"AccountKey=[A-Za-z0-9+/]{40}",
    "a JSON Web Token": r"eyJ[A-Za-z0-9_-]{10,1024}\.eyJ[A-Za-z0-9_-]{10}",
    "an age key": r"AGE-SECRET-KEY-1[0-9A-Z]{40}",
}
_PRIVATE_KEY = r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-"
_CREDENTIALS = (
    r"(?i:authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:basic|bearer)\s{1,3})[A-Za-z0-9+/_=.~-]{16}"
)
# Addresses at which whoever knows them may write. Hosts are the same in capital letters.
_WEBHOOKS = {
    "a Slack webhook": r"hooks\.slack(?:-gov)?\.com/(?:services|triggers|workflows)/\w",
    "a Teams webhook": r"webhook\.office\.com/webhookb2/\w|outlook\.office(?:365)?\.com/webhook/\w"
    r"|logic\.azure\.com(?::443)?/workflows/\w|powerplatform\.com(?::443)?/\S{0,80}/workflows/\w",
    "a Discord webhook": r"discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/\w",
    "a Google Chat webhook": r"chat\.googleapis\.com/v1/spaces/\w",
    "a Telegram bot's address": r"api\.telegram\.org/bot[0-9]+:",
    "a Zapier or IFTTT webhook": r"hooks\.zapier\.com/hooks/\w|maker\.ifttt\.com/trigger/\S{1,80}/key/\w",
    "a PagerDuty integration": r"events\.(?:eu\.)?pagerduty\.com/integration/\w",
    "a Mattermost or Rocket.Chat webhook": r"://[^\s/]{1,253}/hooks/[A-Za-z0-9]{17}",
}
_ENCODED_KEYS = [
    base64.b64encode(f"-----BEGIN {kind}PRIVATE KEY-".encode()).decode().rstrip("=")[:-1]
    for kind in ("", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ")
]
_FORMATS = {
    **{what: re.compile(f"{_WORD}(?:{form})") for what, form in _KEYS.items()},
    "a private key": re.compile(f"{_PRIVATE_KEY}|{'|'.join(map(re.escape, _ENCODED_KEYS))}"),
    "credentials of HTTP": re.compile(_CREDENTIALS),
    **{what: re.compile(form, re.IGNORECASE) for what, form in _WEBHOOKS.items()},
}
_IN_AUTHORITY = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s/?#:@'\"<>]{0,255}:([^\s/?#@'\"<>]{1,1024})@[^\s/]"
)
_IN_QUERY = re.compile(
    r"[?&;](?:access_?token|api[_-]?key|apikey|auth_?token|client_?secret|password|passwd|pwd|secret|sig|signature"
    r"|token|x-amz-signature|x-goog-signature)=([^\s&;'\"<>]{4,1024})",
    re.IGNORECASE,
)
_QUERY_OF_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s'\"<>?]{1,1024}(\?[^\s'\"<>]{1,2048})")
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


def secrets_in(text: str) -> Iterator[str]:
    """What secrets a text contains, each kind once, like `a GitHub token`."""
    # As some writers of JSON write it.
    text = text.replace("\\/", "/")
    for what, form in _FORMATS.items():
        if form.search(text):
            yield what
    if "://" in text and any(_is_literal(found[1]) for found in _IN_AUTHORITY.finditer(text)):
        yield "an address with a password"
    if "?" in text and any(
        _is_literal(found[1])
        for address in _QUERY_OF_ADDRESS.finditer(text)
        for found in _IN_QUERY.finditer(address[1])
    ):
        yield "an address with a secret in its query"
    if "=" in text and any(map(_connects_with_password, text.splitlines())):
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
