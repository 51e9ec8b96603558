import json
import re
from pathlib import Path

from server_process import EXAMPLE, run_python

REVIEWS = EXAMPLE / "data" / "reviews.tsv"


def test_training_twice_gives_the_same_model(model_path: Path, tmp_path: Path) -> None:
    again = run_python("train.py", "--output", str(tmp_path))
    assert again.returncode == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert json.loads(again.stdout) == metrics
    assert metrics == json.loads((model_path.parent / "metrics.json").read_text())
    assert metrics["f1"] >= 0.8


def test_training_as_the_image_does_gives_the_same_bytes(tmp_path: Path) -> None:
    """Neither a time nor an address in memory is in the file, and no processor's choice: an image has one digest."""
    _, _, text = (EXAMPLE / "Dockerfile").read_text().partition("RUN OPENBLAS_CORETYPE")
    line = f"RUN OPENBLAS_CORETYPE{text.partition('/venv')[0]}"
    variables = {name: value.strip('"') for name, value in re.findall(r'([A-Z_]+)=("[^"]*"|\S+)', line)}
    assert len(variables) == 5
    for name in ("one", "other"):
        assert run_python("train.py", "--output", str(tmp_path / name), **variables).returncode == 0
    assert (tmp_path / "one" / "model.skops").read_bytes() == (
        tmp_path / "other" / "model.skops"
    ).read_bytes()


def test_a_share_of_the_sentences_makes_another_model(model_path: Path, tmp_path: Path) -> None:
    assert run_python("train.py", "--share", "0.7", "--output", str(tmp_path)).returncode == 0
    assert (tmp_path / "model.skops").read_bytes() != model_path.read_bytes()
    assert json.loads((tmp_path / "metrics.json").read_text())["train"] == 252


def test_no_model_is_written_when_it_learned_nothing(tmp_path: Path) -> None:
    header, *rows = REVIEWS.read_text().splitlines()
    # Each label on as many texts of the other kind as of its own: there is nothing to learn.
    labels = ["positive", "negative"] * (len(rows) // 2)
    split = [row.split("\t") for row in rows]
    mixed = [f"{pair}\t{labels[number // 2]}\t{text}" for number, (pair, _, text) in enumerate(split)]
    data = tmp_path / "mixed.tsv"
    data.write_text("\n".join([header, *mixed]) + "\n")
    ended = run_python("train.py", "--data", str(data), "--output", str(tmp_path / "model"))
    assert ended.returncode == 1
    assert "below 0.8: no model written" in ended.stderr
    assert not (tmp_path / "model").exists()


def test_a_wrong_row_is_named(tmp_path: Path) -> None:
    data = tmp_path / "wrong.tsv"
    data.write_text("pair\tlabel\ttext\nfood-01\tgood\tTasty.\n")
    ended = run_python("train.py", "--data", str(data), "--output", str(tmp_path / "model"))
    assert ended.returncode == 1
    assert "food-01" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_the_data_is_balanced_and_says_nothing_twice() -> None:
    rows = [row.split("\t") for row in REVIEWS.read_text().splitlines()[1:]]
    labels = [label for _, label, _ in rows]
    assert len(rows) >= 240
    assert labels.count("positive") == labels.count("negative")
    assert len({text for *_, text in rows}) == len(rows)
