"""How git is run here: what it reads, and what it must not run, whatever the user or the repository has configured.

https://git-scm.com/docs/git-config and https://git-scm.com/docs/git#_environment_variables list both.
"""

import os
from collections.abc import Mapping

# The trailers that are read, which the user's configuration may give another name.
_TRAILERS = ("Digest", "Gate", "Model", "Reason", "Reverts", "Run", "Source", "Stage", "To")
# Settings on which the reading here relies.
_READ_ALIKE = (
    "log.showSignature=false",
    "log.showRoot=true",
    "log.follow=false",
    "diff.relative=false",
    "core.quotePath=false",
    "core.warnAmbiguousRefs=true",
    # Of the empty file of grafts below.
    "advice.graftFileDeprecated=false",
    "i18n.logOutputEncoding=UTF-8",
    "i18n.commitEncoding=UTF-8",
    "trailer.separators=:",
    *(f"trailer.{key}.key={key}" for key in _TRAILERS),
    "revert.reference=false",
    "core.commentChar=#",
    "commit.cleanup=whitespace",
)
# A repository's own configuration runs no program: a hook can be a file of the commit that is checked out, and a commit
# can contain a whole repository. Filters are the exception: without them, files would not be what the commit means.
_RUN_NOTHING = (
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "safe.bareRepository=explicit",
)
OPTIONS = tuple(option for setting in (*_READ_ALIKE, *_RUN_NOTHING) for option in ("-c", setting))
# What git sets for its hooks, which must not point us at another repository or index, and what changes the meaning of
# paths and attributes.
_DROPPED = frozenset(
    (
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_PREFIX",
        "GIT_COMMON_DIR",
        "GIT_OBJECT_DIRECTORY",
        "GIT_QUARANTINE_PATH",
        "GIT_NAMESPACE",
        "GIT_SHALLOW_FILE",
        "GIT_REPLACE_REF_BASE",
        "GIT_CONFIG",
        "GIT_REFLOG_ACTION",
        "GIT_LITERAL_PATHSPECS",
        "GIT_GLOB_PATHSPECS",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_ICASE_PATHSPECS",
        "GIT_ATTR_SOURCE",
        "GIT_EXTERNAL_DIFF",
        "GIT_DIFF_OPTS",
    )
)
_SET = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    # Nothing waits for an editor.
    "GIT_EDITOR": "true",
    # What only reads takes no lock, and writes no index.
    "GIT_OPTIONAL_LOCKS": "0",
    # A commit means what its digits say, as it does for the controllers, which fetch no replacements.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
}


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The variables that git gets; `more` is added to them."""
    return {**{key: value for key, value in os.environ.items() if key not in _DROPPED}, **_SET, **more}
