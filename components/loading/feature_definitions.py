"""The folder `features/`: its Python files, and the file to which Feast wrote what they define.

Only Feast can run the definitions and find out what they define. This is not done here: the file that `make features`
writes is read, and refused where its checksums do not match these definitions.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from components.errors import Problem, SettingsError
from components.files.characters import LOST, lost
from components.files.sources import FEATURES, Sources
from components.files.yaml_document import Document, read_document
from components.loading.validation import validated
from components.settings.feature_definitions import (
    FORMAT,
    DefinitionsFile,
    FeatureDefinitions,
    content_checksum,
    source_checksums,
)

FOLDER = FEATURES
FILE = f"{FOLDER}/definitions.yaml"
# The limit of a ConfigMap is 1 MiB, including its metadata.
LARGEST = 1_000_000
# Feast imports each file as a module.
_MODULE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*/)*[A-Za-z_][A-Za-z0-9_]*\.py")
_YAML = "feature_store.yaml"
_RENEW = f"run `make features`, and commit {FILE}"


def load_definitions(sources: Sources) -> tuple[FeatureDefinitions, list[Problem]]:
    """What `features/` of a project defines, and every problem of its files; nothing where nothing is defined.

    Where there is a problem, the definitions contain only the files.
    """
    files, problems = source_files(sources)
    alone = FeatureDefinitions(files=files)
    if problems or not (files or sources.has(FILE)):
        return alone, problems
    try:
        content = _content(sources, files)
    except SettingsError as error:
        # A generated file is not repaired by hand, whatever is wrong with it.
        return alone, [replace(problem, fix=_RENEW) for problem in error.problems]
    definitions = replace(
        alone, feast=content.feast, entities=content.entities, views=content.views, services=content.services
    )
    return definitions, []


def source_files(sources: Sources) -> tuple[dict[str, str], list[Problem]]:
    """The text of each Python file by its path inside `features/`, and what cannot be deployed."""
    problems: list[Problem] = []
    files: dict[str, str] = {}
    for file in sources.feature_files:
        inside = file.removeprefix(f"{FOLDER}/")
        if not _MODULE.fullmatch(inside):
            reason = "is not a name of a Python module, and Feast imports each file"
            problems.append(Problem(file=file, reason=reason, fix="rename it, like sentiment_features.py"))
            continue
        try:
            files[inside] = sources.text(file)
            problems += _lost(file, files[inside])
        except UnicodeDecodeError:
            problems.append(Problem(file=file, reason="is not UTF-8", fix="save it as UTF-8"))
        except SettingsError as error:
            problems += error.problems
    if sources.has(f"{FOLDER}/{_YAML}"):
        reason = "is not read: the program generates it from the stack file"
        problems.append(Problem(file=f"{FOLDER}/{_YAML}", reason=reason, fix="remove it"))
    size = sum(len(text.encode()) for text in files.values())
    if size > LARGEST:
        reason = f"its Python files take {size} bytes, more than the {LARGEST} that one ConfigMap holds"
        problems.append(Problem(file=FOLDER, reason=reason, fix="remove what is not a definition"))
    return files, problems


def _lost(file: str, text: str) -> Iterator[Problem]:
    for found in LOST.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        escape = f'write it as an escape, like "\\u{ord(found[0]):04x}"'
        yield Problem(file=file, line=line, reason=lost(found[0]), fix=escape)


def _content(sources: Sources, files: Mapping[str, str]) -> DefinitionsFile:
    """What Feast wrote; raises SettingsError where the file was changed since, or belongs to other sources."""
    document = read_document(sources, FILE)
    written = document.data.get("format")
    if written != FORMAT:
        reason = f"is not in format {FORMAT}, which this program reads"
        raise SettingsError([_problem(document, "format", reason, None if written is None else str(written))])
    if document.data.get("checksum") != content_checksum(document.data):
        reason = "does not match the file, which was changed after Feast wrote it"
        raise SettingsError([_problem(document, "checksum", reason)])
    content, problems = validated(DefinitionsFile, document.data, origins=document.origins, file=FILE)
    if content is None:
        raise SettingsError(problems)
    if changes := _changes(content.sources, source_checksums(files)):
        reason = f"do not match the definitions: {', '.join(changes)}"
        raise SettingsError([_problem(document, "sources", reason)])
    return content


def _changes(read: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """What happened to the sources since Feast read them."""
    return [
        *(f"{path} was changed" for path in sorted(read.keys() & found.keys()) if read[path] != found[path]),
        *(f"{path} was added" for path in sorted(found.keys() - read.keys())),
        *(f"{path} was removed" for path in sorted(read.keys() - found.keys())),
    ]


def _problem(document: Document, field: str, reason: str, value: str | None = None) -> Problem:
    origin = document.origins.get((field,))
    line = origin.line if origin else None
    return Problem(file=FILE, line=line, field=field, value=value, reason=reason, fix=_RENEW)
