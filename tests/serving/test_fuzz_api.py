"""Whatever is asked, within the API's own description of itself and beside it, the server does not fail."""

import json
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from serving_helpers import asking, client_of
from starlette.testclient import TestClient

from koki.serving.service import Service

URL = "/v1/chat/completions"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p",
     "seed", "stop", "n", "tools", "response_format", "book", "strict", "user", "koki", "\ud800", "logit_bias"]
)  # fmt: skip
LIKELY = st.sampled_from([True, False, None, 0, 1, -1, 2**31, 2**63, 1e308, "", "a", [], ["a"], {}, {"type": "text"}])
asks = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def require_told(client: TestClient, method: str, path: str, **more: Any) -> None:
    """The answer is one that the API has, and an error is in OpenAI's form."""
    answer = client.request(method, path, **more)
    assert answer.status_code < 500 or answer.status_code == 503
    if answer.status_code >= 400:
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
        assert "Traceback" not in answer.text
        assert "/src/" not in answer.text


@asks
@given(st.dictionaries(FIELDS, JSON | LIKELY, max_size=4), st.text(alphabet=st.characters(), max_size=20))
def test_any_request_for_an_answer_is_answered_or_told_what_is_wrong(
    client: TestClient, changed: dict[str, Any], question: str
) -> None:
    request = asking(question, max_tokens=4) | changed
    body = json.dumps(request).encode()
    require_told(client, "POST", URL, content=body, headers={"content-type": "application/json"})


@asks
@given(
    st.lists(
        st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant", "tool", ""]), "content": JSON})
    )
)
def test_any_messages_are_answered_or_told_what_is_wrong(client: TestClient, messages: list[dict[str, Any]]) -> None:
    request = {"model": "warung", "max_tokens": 4, "messages": messages}
    body = json.dumps(request).encode()
    require_told(client, "POST", URL, content=body, headers={"content-type": "application/json"})


@asks
@given(st.binary(max_size=200), st.sampled_from(["application/json", "text/plain", "", "multipart/form-data"]))
def test_any_bytes_are_answered_or_told_what_is_wrong(client: TestClient, body: bytes, kind: str) -> None:
    for path in (URL, "/api/feedback"):
        require_told(client, "POST", path, content=body, headers={"content-type": kind})


@asks
@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_any_path_is_answered_or_told_what_is_wrong(client: TestClient, method: str, path: str) -> None:
    for before in ("/", "/v1/models/", "/api/recipes/", "/page/"):
        answer = client.request(method, before + quote(path))
        assert answer.status_code < 500


@pytest.mark.slow
def test_what_the_api_says_of_itself_is_so(service: Service) -> None:
    """Schemathesis makes requests of the OpenAPI description, and looks at the answers."""
    client = client_of(service)
    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)

        @settings(max_examples=15, suppress_health_check=list(HealthCheck), database=None)
        @given(found.ok().as_strategy())
        def asks_it(case: Any) -> None:
            asked = case.as_transport_kwargs(base_url="http://127.0.0.1:8000")
            answer = client.request(
                asked.pop("method"), asked.pop("url"), **{name: it for name, it in asked.items() if name != "cookies"}
            )
            assert answer.status_code < 500

        asks_it()
