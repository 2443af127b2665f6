"""Chat completions, whole and streamed, as OpenAI's clients know them."""

import json
from typing import Any

import pytest
from serving_helpers import Parrot, asking
from starlette.testclient import TestClient

from koki.inference.engine import Sampling
from koki.serving.service import Service

URL = "/v1/chat/completions"
ECHO = "system Kamu Koki. user Telur? assistant"


def streamed(client: TestClient, request: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of a stream, which ends as it should."""
    answer = client.post(URL, json=request | {"stream": True})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    *events, last = answer.text.removesuffix("\n\n").split("\n\n")
    assert last == "data: [DONE]"
    return [json.loads(event.removeprefix("data: ")) for event in events]


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(choice["delta"].get("content", "") for event in events for choice in event["choices"])


def test_an_answer_comes_whole(client: TestClient) -> None:
    answer = client.post(URL, json=asking("Telur?")).json()
    assert (answer["object"], answer["model"]) == ("chat.completion", "warung")
    (choice,) = answer["choices"]
    assert choice["message"] == {"role": "assistant", "content": ECHO, "refusal": None}
    assert choice["finish_reason"] == "stop"
    usage = answer["usage"]
    assert usage["completion_tokens"] == len(ECHO.split())
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens"] > usage["completion_tokens"]


def test_an_answer_comes_in_pieces_which_joined_are_the_whole(client: TestClient) -> None:
    events = streamed(client, asking("Telur?"))
    assert text_of(events) == ECHO
    assert len(events) > len(ECHO.split())
    assert events[0]["choices"][0]["delta"]["role"] == "assistant"
    assert [event["choices"][0]["finish_reason"] for event in events] == [None] * (len(events) - 1) + ["stop"]
    assert len({event["id"] for event in events}) == 1


def test_kokis_own_facts_are_in_the_answer_and_in_the_last_piece(client: TestClient) -> None:
    request = asking("Resep soto ayam dong!", book=True)
    whole = client.post(URL, json=request).json()["koki"]
    *_, last = streamed(client, request)
    assert last["koki"] == whole
    assert whole["wanted"] == "recipe"
    assert whole["recipes"][0]["name"].startswith("Soto Ayam")
    assert whole["sources"][0] == whole["recipes"][0]["source"]
    assert whole["sources"][0]["file"] == "resep.csv"
    assert whole["strict"]
    assert whole["check"]["is_right"]


def test_the_lists_are_the_books_own_unless_it_is_asked_otherwise(client: TestClient) -> None:
    strict = client.post(URL, json=asking("Resep soto ayam dong!", book=True)).json()
    free = client.post(URL, json=asking("Resep soto ayam dong!", book=True, strict=False)).json()
    assert "- 2 batang serai, memarkan" in strict["choices"][0]["message"]["content"]
    assert (strict["koki"]["strict"], free["koki"]["strict"]) == (True, False)


def test_what_harms_is_said_by_program_with_a_warning(client: TestClient, parrot: Parrot) -> None:
    answer = client.post(URL, json=asking("aku alergi udang, masak apa?")).json()
    assert answer["koki"]["wanted"] == "harm"
    assert not parrot.prompts


def test_a_stream_says_how_many_tokens_there_were_if_it_is_asked_to(client: TestClient) -> None:
    *_, last, usage = streamed(client, asking("Telur?", stream_options={"include_usage": True}))
    assert (usage["choices"], usage["usage"]["completion_tokens"]) == ([], len(ECHO.split()))
    assert "koki" in last


def test_earlier_turns_and_a_system_message_are_read(client: TestClient, parrot: Parrot) -> None:
    request = asking("Telur?", "Kocok.", "Lalu?")
    request["messages"].insert(0, {"role": "system", "content": "Jawab pendek."})
    client.post(URL, json=request)
    said = "system Kamu Koki. Jawab pendek. user Telur? assistant Kocok. user Lalu? assistant"
    assert " ".join(parrot.prompts[-1].split()) == said


def test_how_tokens_are_chosen_is_passed_on(client: TestClient, parrot: Parrot) -> None:
    client.post(URL, json=asking("Telur?", temperature=0.5, top_p=0.9, seed=7))
    client.post(URL, json=asking("Telur?"))
    assert parrot.samplings == [Sampling(0.5, 0.9, 7), Sampling()]


def test_an_answer_that_was_cut_off_says_so(client: TestClient) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        (choice,) = client.post(URL, json=asking("Telur?", **{name: 2})).json()["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == ("system Kamu", "length")


def test_a_stop_text_ends_the_answer_and_its_generation(client: TestClient, parrot: Parrot) -> None:
    (choice,) = client.post(URL, json=asking("Telur?", stop="user")).json()["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("system Kamu Koki.", "stop")
    assert text_of(streamed(client, asking("Telur?", stop=["x", "user"]))) == "system Kamu Koki."
    assert parrot.cancelled == 2


def test_control_tokens_in_any_role_are_text(client: TestClient, parrot: Parrot) -> None:
    request = asking("a<|im_end|>b", "c<|im_start|>d", "e<|endoftext|>f")
    request["messages"].insert(0, {"role": "system", "content": "g<|im_end|>h"})
    client.post(URL, json=request)
    for text in ("a<|im_end|>b", "c<|im_start|>d", "e<|endoftext|>f", "g<|im_end|>h"):
        assert text in parrot.prompts[-1]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("request_", "status", "code", "param"),
    [
        (asking("Telur?") | {"model": "lain"}, 404, "model_not_found", "model"),
        (asking(""), 400, "empty_question", "messages"),
        (asking("telur " * 2000), 400, "context_length_exceeded", "messages"),
        (asking("Telur?", max_tokens=5000), 400, "invalid_value", "max_tokens"),
        (asking("Telur?", tools=[{}]), 400, "unsupported_parameter", "tools"),
        (asking("Telur?", top_k=1), 400, "unknown_parameter", "top_k"),
        (asking("Telur?", temperature=9), 400, "invalid_value", "temperature"),
        (asking(), 400, "invalid_value", "messages"),
    ],
)
def test_what_cannot_be_answered_is_told_in_openais_form(
    client: TestClient, request_: dict[str, Any], status: int, code: str, param: str, stream: bool
) -> None:
    answer = client.post(URL, json=request_ | {"stream": stream})
    assert answer.status_code == status
    error = answer.json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
    assert error["message"]


def test_an_error_of_the_server_shows_no_path_and_no_trace(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("/rahasia/book.sqlite is gone")

    monkeypatch.setattr(service.runs["warung"].chef._engine, "generate", fail)
    answer = client.post(URL, json=asking("Telur?"))
    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "server_error"
    assert "rahasia" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_after_a_failure_the_next_one_is_answered(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(service.runs["warung"].chef._engine, "generate", lambda *_, **__: 1 / 0)
        for _ in range(5):  # more than are answered at once
            assert client.post(URL, json=asking("Telur?")).status_code == 500
    assert client.post(URL, json=asking("Telur?")).status_code == 200


def test_the_models_are_the_runs(client: TestClient) -> None:
    (model,) = client.get("/v1/models").json()["data"]
    assert model == client.get("/v1/models/warung").json()
    assert (model["id"], model["object"], model["owned_by"]) == ("warung", "model", "koki")
    assert client.get("/v1/models/lain").json()["error"]["code"] == "model_not_found"


def test_what_is_counted_is_told_to_prometheus(client: TestClient) -> None:
    client.post(URL, json=asking("Telur?"))
    client.post(URL, json=asking(""))
    counted = client.get("/metrics").text
    assert 'koki_requests_total{status="200"} 1.0' in counted
    assert 'koki_requests_total{status="400"} 1.0' in counted
    assert f'koki_tokens_total{{kind="answer",model="warung"}} {len(ECHO.split())}.0' in counted
    assert 'koki_first_piece_seconds_count{model="warung"} 1.0' in counted
    assert 'koki_waiting{model="warung"} 0.0' in counted


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b"null", b'"x"', b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}"])
def test_a_body_that_is_no_request_is_told_so(client: TestClient, body: bytes) -> None:
    answer = client.post(URL, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_what_is_not_there_is_told_in_the_same_form(client: TestClient) -> None:
    assert client.get("/v1/embeddings").json()["error"]["code"] == "not_found"
    assert client.get(URL).json()["error"]["code"] == "method_not_allowed"
