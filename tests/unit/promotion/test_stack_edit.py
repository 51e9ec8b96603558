"""One entry of a stack file is edited, and every other byte stays."""

import difflib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.errors import UserError
from delivery.promotion.stack_edit import with_release
from delivery.releases.changes import Deployed, entries
from tests.support.projects import CHECKOUT

D1, D2 = (f"sha256:{digit * 64}" for digit in "12")
HEAD = "# head\nconfig:\n  ml-deployments:namespace: x  # why\n  ml-deployments:models:\n"
FLOW = f"""\
{HEAD}    a: {{version: "v1", replicas: 2}}   # a
    b:   {{ version: 'v1',   replicas: 3 }} # b
# end
encryptionsalt: x
"""
BLOCK = f"""\
{HEAD}    a:
      version: "v1" # x
      digest: "{D1}"  # d
      replicas: 2

    # about b
    b:
      version: "v1"   # y
      replicas: 3"""


def edit(
    text: str, model: str, version: str = "v2", digest: str | None = None, replicas: int | None = None
) -> list[str]:
    """The lines that an edit removes and adds."""
    edited = with_release(text, "f", model, Deployed(version=version, digest=digest, replicas=replicas))
    lines = difflib.unified_diff(text.splitlines(keepends=True), edited.splitlines(keepends=True), n=0)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def test_a_release_is_one_line() -> None:
    assert edit(FLOW, "a") == [
        '-    a: {version: "v1", replicas: 2}   # a\n',
        '+    a: {version: "v2", replicas: 2}   # a\n',
    ]
    assert edit(BLOCK, "b") == ['-      version: "v1"   # y\n', '+      version: "v2"   # y\n']


def test_spacing_quotes_and_comments_stay() -> None:
    assert edit(FLOW, "b")[1] == "+    b:   { version: 'v2',   replicas: 3 } # b\n"


def test_a_digest_is_added_replaced_and_removed() -> None:
    assert edit(FLOW, "a", digest=D2)[1:] == [
        f'+    a: {{version: "v2", digest: "{D2}", replicas: 2}}   # a\n'
    ]
    assert edit(BLOCK, "b", digest=D2)[1:] == ['+      version: "v2"   # y\n', f'+      digest: "{D2}"\n']
    assert edit(BLOCK, "a", digest=D2)[2:] == ['+      version: "v2" # x\n', f'+      digest: "{D2}"  # d\n']
    assert edit(BLOCK, "a")[2:] == ['+      version: "v2" # x\n']


@pytest.mark.parametrize(
    ("entry", "after"),
    [
        ('{digest: "D", version: "v1", replicas: 2}', '{version: "v2", replicas: 2}'),
        ('{version: "v1", replicas: 2, digest: "D"}', '{version: "v2", replicas: 2}'),
        (
            '{version: "v1",\n      digest: "D", # d\n      replicas: 2}',
            '{version: "v2", # d\n      replicas: 2}',
        ),
        (
            '\n      digest: "D"\n      version: "v1"\n      replicas: 2',
            '\n      version: "v2"\n      replicas: 2',
        ),
    ],
)
def test_a_digest_is_removed_wherever_it_stands(entry: str, after: str) -> None:
    edited = with_release(
        f"{HEAD}    a: {entry}\n", "f", "a", Deployed(version="v2", digest=None, replicas=None)
    )
    assert edited == f"{HEAD}    a: {after}\n"


@pytest.mark.parametrize(
    ("text", "added"),
    [
        (FLOW, ['+    c: {version: "v2", replicas: 4}\n']),
        (BLOCK, ["-      replicas: 3", "+      replicas: 3\n", '+    c: {version: "v2", replicas: 4}']),
        (
            "config:\n  ml-deployments:models: {}\n",
            [
                "-  ml-deployments:models: {}\n",
                '+  ml-deployments:models: {c: {version: "v2", replicas: 4}}\n',
            ],
        ),
        (
            "config:\n  ml-deployments:models:\nencryptionsalt: x\n",
            ['+    c: {version: "v2", replicas: 4}\n'],
        ),
        (
            HEAD + '    a:\n      version: "v1"\n      env:\n        T: |\n          x\n',
            ['+    c: {version: "v2", replicas: 4}\n'],
        ),
    ],
    ids=["flow", "block without a last line end", "empty", "nothing", "ends in a text of several lines"],
)
def test_a_new_model_comes_last(text: str, added: list[str]) -> None:
    assert edit(text, "c", replicas=4) == added


def test_windows_line_ends_and_a_byte_order_mark_stay() -> None:
    text = "\ufeff" + FLOW.replace("\n", "\r\n")
    edited = with_release(text, "f", "c", Deployed(version="v2", digest=D1, replicas=4))
    assert edited.replace(f'    c: {{version: "v2", digest: "{D1}", replicas: 4}}\r\n', "") == text


def test_the_committed_files_are_edited_in_one_line() -> None:
    for path in CHECKOUT.glob("Pulumi.*.yaml"):
        assert len(edit(path.read_text(), "sentiment-classifier")) == 2


def test_a_file_without_models_says_what_to_write() -> None:
    with pytest.raises(UserError, match=r"f has no ml-deployments:models under config:\. Fix: write"):
        edit("config:\n  ml-deployments:namespace: x\n", "c", replicas=1)


def test_what_cannot_be_edited_in_place_is_refused() -> None:
    with pytest.raises(UserError, match=r'cannot be edited in place at a\. Fix: write version: "v\\"2"'):
        edit(FLOW, "a", version='v\\"2')


SPACE = st.sampled_from(["", " ", "  "])


@settings(deadline=None)
@given(
    data=st.data(),
    quote=st.sampled_from("'\""),
    digest=st.sampled_from([None, D1]),
    wanted=st.sampled_from([None, D2]),
    block=st.booleans(),
)
def test_only_the_entry_changes_however_it_is_written(
    data: st.DataObject, quote: str, digest: str | None, wanted: str | None, block: bool
) -> None:
    fields = data.draw(
        st.permutations(
            [
                ("version", f"{quote}v1{quote}"),
                ("replicas", "2"),
                *([("digest", f'"{digest}"')] if digest else []),
            ]
        )
    )
    if block:
        body = "".join(
            f"\n      {key}: {data.draw(SPACE)}{value}{data.draw(st.sampled_from(['', '  # c', ' ']))}"
            for key, value in fields
        )
    else:
        body = (
            "{"
            + ",".join(
                f"{data.draw(SPACE)}{key}: {data.draw(SPACE)}{value}{data.draw(SPACE)}"
                for key, value in fields
            )
            + "}"
        )
    before, after = f'{HEAD}    a: {{version: "v0"}}\n    b: ', '\n    # c\n    c: {version: "v0"}\n'
    edited = with_release(
        before + body + after, "f", "b", Deployed(version="v2", digest=wanted, replicas=None)
    )
    assert edited.startswith(before.rstrip())
    assert edited.endswith(after)
    assert entries(edited, "f")["b"] == {
        "version": "v2",
        "replicas": 2,
        **({"digest": wanted} if wanted else {}),
    }
