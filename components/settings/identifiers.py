"""The formats of names, keys and references, with the reason and the fix for invalid ones."""

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field

from components.settings.wrong import wrong


def _form(pattern: str, *, longest: int, must: str, fix: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise wrong(must, fix)
        if len(value) > longest:
            raise wrong(f"has {len(value)} characters, more than {longest}", "shorten it")
        return value

    return check


_DNS_LABEL = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_LONGEST_NAME, _LONGEST_PREFIX = 63, 253
_COMPONENT = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = rf"([A-Za-z0-9][-A-Za-z0-9.]*(:[0-9]{{1,5}})?/)?{_COMPONENT}(/{_COMPONENT})*"

# RFC 1035, as a Service's name must be: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
_dns_label = _form(
    _DNS_LABEL,
    longest=63,
    must="must be a DNS label: lower-case letters, digits and '-', starting with a letter",
    fix="rename it, like sentiment-classifier",
)
# https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
_TAG = r"[A-Za-z0-9_][-A-Za-z0-9._]*"
_LONGEST_TAG = 128
_version_form = _form(
    _TAG,
    longest=_LONGEST_TAG,
    must="must be a version tag: letters, digits, '.', '_' and '-', not starting with '.' or '-'",
    fix='write it like "v1.2.0"',
)
_repository_form = _form(
    _REPOSITORY,
    longest=255,
    must="must be an image repository: lower-case path parts with an optional host before them",
    fix="write it like registry.example.com/team/model",
)
_qualified_name_form = _form(
    rf"({_SUBDOMAIN}/)?{_NAME}",
    longest=317,
    must="must be a qualified name: an optional DNS prefix and '/', then letters, digits, '-', '_' and '.'",
    fix="write it like nvidia.com/gpu or tier",
)
object_name = _form(
    _SUBDOMAIN,
    longest=253,
    must="must be the name of a Kubernetes object: lower-case letters, digits, '-' and '.'",
    fix="write the object's name as kubectl shows it",
)


def _label_key(value: str) -> str:
    prefix, _, name = _qualified_name_form(value).rpartition("/")
    for part, text, longest in (("prefix", prefix, _LONGEST_PREFIX), ("name", name, _LONGEST_NAME)):
        if len(text) > longest:
            raise wrong(f"has a {part} of {len(text)} characters, more than {longest}", "shorten it")
    return value


_http_path_form = _form(
    r"/[!-~]*",
    longest=1024,
    must="must be a path that starts with '/' and has no spaces",
    fix="write it like /health",
)


def _http_path(value: str) -> str:
    _http_path_form(value)
    if value.startswith("//"):
        # https://www.rfc-editor.org/rfc/rfc3986#section-4.2: what follows is read as a host.
        raise wrong(
            "starts with '//', after which comes a host and not a path", f"write /{value.lstrip('/')}"
        )
    if "#" in value:
        raise wrong("has a '#', and what follows it is never sent to a server", "remove it")
    return value


def _version(value: str) -> str:
    if value == "latest":
        raise wrong(
            'must name one version; "latest" means another one each day',
            'write the version, like "v1.2.0"',
        )
    return _version_form(value)


def _repository(value: str) -> str:
    if "@" in value:
        raise wrong("must not contain a digest", "move it to `digest:` in the stack file")
    if ":" in value.rpartition("/")[2]:
        repository, _, tag = value.rpartition(":")
        raise wrong(
            "must not contain a tag; the version comes from the stack file",
            f'write {repository}, and version: "{tag}" in the stack file',
        )
    return _repository_form(value)


DnsLabel = Annotated[
    str,
    AfterValidator(_dns_label),
    Field(json_schema_extra={"pattern": f"^{_DNS_LABEL}$", "maxLength": 63}),
]
ObjectName = Annotated[
    str,
    AfterValidator(object_name),
    Field(json_schema_extra={"pattern": f"^{_SUBDOMAIN}$", "maxLength": 253}),
]
Owner = Annotated[
    str,
    AfterValidator(
        _form(
            _NAME,
            longest=_LONGEST_NAME,
            must="must be a label value: letters, digits, '-', '_' and '.'",
            fix="write it like team-language",
        )
    ),
    Field(json_schema_extra={"pattern": f"^{_NAME}$", "maxLength": _LONGEST_NAME}),
]
LabelValue = Annotated[
    str,
    AfterValidator(
        _form(
            rf"({_NAME})?",
            longest=_LONGEST_NAME,
            must="must be a label value: letters, digits, '-', '_' and '.', or empty",
            fix='write it like serving, or "" for a label without a value',
        )
    ),
    Field(json_schema_extra={"pattern": f"^({_NAME})?$", "maxLength": _LONGEST_NAME}),
]
LabelKey = Annotated[str, AfterValidator(_label_key)]
EnvName = Annotated[
    str,
    AfterValidator(
        _form(
            r"[A-Za-z_][A-Za-z0-9_]*",
            longest=255,
            must="must be the name of an environment variable: letters, digits and '_', not starting with a digit",
            fix="rename it, like LOG_LEVEL",
        )
    ),
]
DataKey = Annotated[
    str,
    AfterValidator(
        _form(
            r"[-._A-Za-z0-9]+",
            longest=253,
            must="must be a key of a Secret or ConfigMap: letters, digits, '-', '_' and '.'",
            fix="write the key as kubectl shows it",
        )
    ),
]
HttpPath = Annotated[str, AfterValidator(_http_path)]
Digest = Annotated[
    str,
    AfterValidator(
        _form(
            r"sha256:[0-9a-f]{64}",
            longest=71,
            must="must be an image digest: sha256: and 64 lower-case hexadecimal digits",
            fix="copy the digest the registry shows for the version",
        )
    ),
    Field(json_schema_extra={"pattern": "^sha256:[0-9a-f]{64}$"}),
]
Version = Annotated[
    str,
    AfterValidator(_version),
    Field(json_schema_extra={"pattern": f"^{_TAG}$", "maxLength": _LONGEST_TAG, "not": {"const": "latest"}}),
]
Repository = Annotated[
    str,
    AfterValidator(_repository),
    Field(json_schema_extra={"pattern": f"^{_REPOSITORY}$", "maxLength": 255}),
]
