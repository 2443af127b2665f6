"""OpenAI's own client, and what other programs build on it, ask a server that really listens."""

from collections.abc import Iterator

import openai
import pytest
from langchain_openai import ChatOpenAI
from pydantic import SecretStr
from serving_helpers import listening

from koki.serving.service import Service

KEY = "rahasia"
ECHO = "system Kamu Koki. user Telur? assistant"


@pytest.fixture
def openai_client(service: Service) -> Iterator[openai.OpenAI]:
    with (
        listening(service, key=KEY) as (_, address),
        openai.OpenAI(base_url=f"{address}/v1", api_key=KEY, max_retries=0) as client,
    ):
        yield client


def test_it_gets_an_answer_and_kokis_facts(openai_client: openai.OpenAI) -> None:
    answer = openai_client.chat.completions.create(
        model="warung", messages=[{"role": "user", "content": "Telur?"}], temperature=0, max_tokens=100, n=1
    )
    assert answer.choices[0].message.content == ECHO
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == len(ECHO.split())
    assert answer.model_extra is not None
    assert answer.model_extra["koki"]["sources"] == []


def test_it_gets_a_stream(openai_client: openai.OpenAI) -> None:
    stream = openai_client.chat.completions.create(
        model="warung",
        messages=[{"role": "user", "content": "Telur?"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == ECHO
    assert chunks[-1].usage is not None
    assert chunks[-2].model_extra is not None
    assert chunks[-2].model_extra["koki"]["wanted"] is None


def test_it_goes_on_talking_with_the_message_that_it_got(openai_client: openai.OpenAI) -> None:
    first = openai_client.chat.completions.create(model="warung", messages=[{"role": "user", "content": "Telur?"}])
    said = first.choices[0].message.model_dump()
    second = openai_client.chat.completions.create(
        model="warung",
        messages=[{"role": "user", "content": "Telur?"}, said, {"role": "user", "content": "Lalu?"}],  # type: ignore[list-item]
    )
    assert f"assistant {ECHO} user Lalu?" in (second.choices[0].message.content or "")


def test_it_understands_what_is_wrong(openai_client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        openai_client.chat.completions.create(model="lain", messages=[{"role": "user", "content": "Telur?"}])
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as unsupported:
        openai_client.chat.completions.create(model="warung", messages=[{"role": "user", "content": "Telur?"}], n=2)
    assert unsupported.value.param == "n"
    with pytest.raises(openai.AuthenticationError):
        openai_client.with_options(api_key="lain").models.list()


def test_it_lists_the_models(openai_client: openai.OpenAI) -> None:
    assert [model.id for model in openai_client.models.list()] == ["warung"]


def test_langchain_asks_too(openai_client: openai.OpenAI) -> None:
    chat = ChatOpenAI(model="warung", base_url=str(openai_client.base_url), api_key=SecretStr(KEY))
    assert chat.invoke("Telur?").text == ECHO
    assert "".join(chunk.text for chunk in chat.stream("Telur?")) == ECHO
