"""Who may ask, from where, and how much."""

import socket
from typing import Any

import pytest
from serving_helpers import asking, client_of, listening
from starlette.testclient import TestClient

from koki.errors import ConfigError
from koki.serving.guard import MOST_BYTES, own_names, require_origins
from koki.serving.service import Service

URL = "/v1/chat/completions"
KEY = "rahasia"
SITE = "https://resep.example.com"


@pytest.fixture
def guarded(service: Service) -> TestClient:
    return client_of(service, key=KEY, origins=[SITE], hosts=["dapur"])


def code_of(client: TestClient, path: str = "/v1/models", **headers: str) -> str | None:
    answer = client.get(path, headers=headers)
    return None if answer.status_code == 200 else str(answer.json()["error"]["code"])


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "192.168.1.7", "LOCALHOST.", own_names()[0]]
)
def test_this_machine_is_asked_by_its_addresses_and_its_names(client: TestClient, host: str) -> None:
    assert code_of(client, host=host) is None


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[", "a@b:1"])
def test_a_name_that_somebody_has_point_here_is_refused(client: TestClient, host: str) -> None:
    assert code_of(client, host=host) == "unknown_host"


def test_a_name_may_be_allowed_by_itself_or_as_that_of_a_site(guarded: TestClient) -> None:
    for host in ("dapur:8000", "resep.example.com"):
        assert code_of(guarded, host=host, authorization=f"Bearer {KEY}") is None


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8000"])
def test_pages_of_other_sites_may_not_ask(client: TestClient, origin: str) -> None:
    assert code_of(client, origin=origin) == "unknown_origin"
    assert client.post(URL, json=asking("Telur?"), headers={"origin": origin}).status_code == 403


def test_the_servers_own_page_may_ask(client: TestClient) -> None:
    assert code_of(client, origin="http://127.0.0.1:8000") is None


def test_pages_of_a_site_that_was_named_may_ask_and_read_the_answer(guarded: TestClient) -> None:
    asks_first = {
        "origin": SITE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    allowed = guarded.options(URL, headers=asks_first)
    assert allowed.headers["access-control-allow-origin"] == SITE
    headers = {"origin": SITE, "authorization": f"Bearer {KEY}"}
    answer = guarded.post(URL, json=asking("Telur?"), headers=headers)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, SITE)
    refused = guarded.post(URL, json=asking("Telur?"), headers={"origin": SITE})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, SITE)


def test_without_a_named_site_no_page_elsewhere_may_read_anything(client: TestClient) -> None:
    answer = client.options(URL, headers={"origin": SITE, "access-control-request-method": "POST"})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/v1/models", "/metrics", "/api/settings", "/openapi.json", "/nowhere", "/page"])
@pytest.mark.parametrize("given", ["", "Bearer", "Bearer falsch", f"Basic {KEY}", f"Bearer {KEY}x", "Bearer \xff"])
def test_who_does_not_know_the_key_gets_nothing(guarded: TestClient, path: str, given: str) -> None:
    answer = guarded.get(path, headers=[(b"authorization", given.encode("latin-1"))])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "invalid_api_key"


def test_the_page_itself_and_whether_the_server_lives_need_no_key(guarded: TestClient) -> None:
    assert guarded.get("/health").json() == {"status": "ok"}
    for path in ("/", "/page/..%2f..%2fapp.py", "/page/nothing"):
        assert guarded.get(path).status_code in (200, 404)


@pytest.mark.parametrize("length_is_told", [True, False])
def test_a_body_that_is_too_long_is_refused(client: TestClient, length_is_told: bool) -> None:
    body = b" " * (MOST_BYTES + 1)
    content: Any = body if length_is_told else iter([body[:500_000], body[500_000:]])
    answer = client.post(URL, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "request_too_large"


def test_a_body_that_never_comes_is_not_waited_for(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("koki.serving.guard._LONGEST_WAIT", 0.05)
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with listening(service) as (_, address):
        place = address.removeprefix("http://").split(":")
        with socket.create_connection((place[0], int(place[1])), timeout=10) as client:
            client.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
            assert client.recv(100).startswith(b"HTTP/1.1 408")


def test_too_many_messages_or_too_long_ones_are_refused(client: TestClient) -> None:
    many = client.post(URL, json=asking(*["a"] * 257))
    long = client.post(URL, json=asking("a" * 70_000))
    assert [answer.json()["error"]["code"] for answer in (many, long)] == ["context_length_exceeded"] * 2


def test_all_answers_bring_headers_that_keep_browsers_safe(client: TestClient) -> None:
    for path in ("/health", "/nowhere", "/v1/chat/completions"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


def test_the_log_has_who_and_when_but_not_what_was_asked(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    client = client_of(service)
    with caplog.at_level("INFO", "koki.serving"):
        client.post(URL, json=asking("Resep rahasia?"))
        client.get("/api/ingredients?q=rahasia")
        client.get("/a%1b[31m")
    assert "POST /v1/chat/completions 200" in caplog.text
    assert "rahasia" not in caplog.text
    assert "\x1b" not in caplog.text
    service.logs_questions = True
    with caplog.at_level("INFO", "koki.serving"):
        client.post(URL, json=asking("Resep rahasia?\x1b"))
    assert "Resep rahasia?" in caplog.text
    assert "\x1b" not in caplog.text


@pytest.mark.parametrize("origin", ["*", "resep.example.com", "https://a/b", "ftp://a", "https://", "https://a?b"])
def test_what_is_no_site_is_not_allowed_to_ask(origin: str) -> None:
    with pytest.raises(ConfigError, match="no site"):
        require_origins([origin])
