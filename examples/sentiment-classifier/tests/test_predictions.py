import json

import pytest
from server_process import ServerProcess

# None of these sentences is in the training data.
POSITIVE = [
    "The cake was delicious and the waiter was kind.",
    "I loved this camera, it is excellent.",
    "This is a wonderful book.",
    "The guesthouse was not bad and the owners were friendly.",
    "I have no complaints, everything was perfect.",
    "It is not boring at all, I enjoyed it.",
]
NEGATIVE = [
    "The cake was awful and the waiter was rude.",
    "Not worth the money, it broke at once.",
    "This is a terrible book.",
    "I would not recommend this hotel.",
    "I am not happy with the service.",
    "I did not enjoy the meal.",
]


def test_the_answer_names_the_model_and_judges_each_text_in_order(server: ServerProcess) -> None:
    answer = server.predict(POSITIVE[0], NEGATIVE[0])
    assert answer.code == 200
    assert (answer.json["model"], answer.json["version"]) == ("sentiment-classifier", "v1.2.0")
    assert [prediction["label"] for prediction in answer.json["predictions"]] == ["positive", "negative"]
    assert all(0.5 <= prediction["score"] <= 1 for prediction in answer.json["predictions"])


@pytest.mark.parametrize(("label", "texts"), [("positive", POSITIVE), ("negative", NEGATIVE)])
def test_sentences_the_model_has_never_seen_are_judged_right(
    server: ServerProcess, label: str, texts: list[str]
) -> None:
    predictions = server.predict(*texts).json["predictions"]
    assert [(text, prediction["label"]) for text, prediction in zip(texts, predictions, strict=True)] == [
        (text, label) for text in texts
    ]


def test_a_negation_turns_the_judgement_around(server: ServerProcess) -> None:
    predictions = server.predict("The soup was good.", "The soup was not good.").json["predictions"]
    assert [prediction["label"] for prediction in predictions] == ["positive", "negative"]


def test_the_largest_request_is_answered(server: ServerProcess) -> None:
    # Escaped characters outside the basic plane: the longest JSON that 64 texts can have.
    answer = server.post(json.dumps({"texts": ["\U0001f600" * 10_000] * 64}).encode())
    assert answer.code == 200
    assert len(answer.json["predictions"]) == 64


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"texts": []}, "texts: List should have at least 1 item"),
        ({"texts": ["good"] * 65}, "texts: List should have at most 64 items"),
        ({"texts": ["good", "x" * 10_001]}, "texts[1]: String should have at most 10000 characters"),
        ({"texts": ["good", 3]}, "texts[1]: Input should be a valid string"),
        ({"texts": "good"}, "texts: Input should be a valid array"),
        ({"text": ["good"]}, "texts: Field required; text: Extra inputs are not permitted"),
        ({"texts": [1] * 8}, "and 3 more"),
        (b"texts=good", "Invalid JSON"),
        (b"", "Invalid JSON"),
        (b'{"texts": ["\xff"]}', "Invalid JSON"),
        (b" " * 8_000_000, "the body is longer than"),
    ],
)
def test_bad_input_is_refused_with_the_reason(server: ServerProcess, body: object, reason: str) -> None:
    answer = server.post(body)
    assert answer.code == 422
    assert reason in answer.json["reason"]


def test_unknown_paths_and_methods_are_refused_in_json(server: ServerProcess) -> None:
    assert server.get("/predict").code == 405
    assert server.get("/predictions").code == 404
    assert server.get("/predictions").json == {"reason": "Not Found"}
