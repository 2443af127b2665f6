"""Messages become a question, what was said before, and instructions; what Koki does not do is an error."""

from typing import Any

import pytest
from pydantic import ValidationError
from serving_helpers import asking

from koki.serving.chat_request import ChatRequest, conversation_of
from koki.serving.errors import ApiError


def request(*messages: tuple[str, Any], **more: Any) -> ChatRequest:
    said = [{"role": role, "content": content} for role, content in messages]
    return ChatRequest.model_validate({"model": "warung", "messages": said, **more})


def test_a_conversation_is_its_turns_and_a_question() -> None:
    asked = request(("system", "Singkat."), ("user", "Soto?"), ("assistant", "Ini."), ("user", "Tanpa santan?"))
    assert conversation_of(asked.messages) == ("Singkat.", [("Soto?", "Ini.")], "Tanpa santan?")


def test_what_one_says_in_several_messages_is_said_at_once() -> None:
    asked = request(("user", "Ada telur."), ("system", "A"), ("user", "Masak apa?"), ("developer", "B"))
    assert conversation_of(asked.messages) == ("A\n\nB", [], "Ada telur.\n\nMasak apa?")


def test_a_greeting_of_the_assistant_is_an_answer_to_nothing() -> None:
    asked = request(("assistant", "Halo!"), ("user", "Soto?"))
    assert conversation_of(asked.messages) == ("", [("", "Halo!")], "Soto?")


@pytest.mark.parametrize("messages", [[("system", "A")], [("user", "Soto?"), ("assistant", "Ini.")]])
def test_the_last_word_is_the_users(messages: list[tuple[str, str]]) -> None:
    with pytest.raises(ApiError, match="last message"):
        conversation_of(request(*messages).messages)


def test_a_message_may_be_in_parts_of_text_but_not_of_pictures() -> None:
    asked = request(("user", [{"type": "text", "text": "Resep"}, {"type": "text", "text": "soto"}]))
    assert asked.messages[0].text == "Resep\nsoto"
    with pytest.raises(ValidationError):
        request(("user", [{"type": "image_url", "image_url": {"url": "http://x"}}]))


@pytest.mark.parametrize(
    "more",
    [{"n": 1, "tools": [], "presence_penalty": 0, "logprobs": False, "store": None}, {"user": "a", "stop": None}],
)
def test_what_asks_for_nothing_may_be_named(more: dict[str, Any]) -> None:
    assert request(("user", "Soto?"), **more).n in (1, None)


@pytest.mark.parametrize(
    "more", [{"n": 2}, {"tools": [{"type": "function"}]}, {"logprobs": True}, {"presence_penalty": 0.5}, {"top_k": 3},
             {"temperature": 3}, {"temperature": float("nan")}, {"max_tokens": 0}, {"stop": ["a"] * 5}, {"stop": ""},
             {"response_format": {"type": "json_object"}}]
)  # fmt: skip
def test_what_koki_does_not_do_is_an_error(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChatRequest.model_validate(asking("Soto?", **more))
