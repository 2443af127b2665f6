"""Many ask at once: in turn, each gets its own answer, nobody is lost, and who goes away is not answered further."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from helpers import QUESTIONS
from serving_helpers import Parrot, asking, listening, wait_until
from uvicorn import Server

from koki.gguf.of_run import gguf_of_run
from koki.inference.chef import Chef
from koki.pipeline import TrainResult
from koki.runs.finished import read_run
from koki.serving.served_run import ServedRun
from koki.serving.service import Service

URL = "/v1/chat/completions"


@pytest.fixture
def served(service: Service) -> Iterator[tuple[Server, httpx2.Client]]:
    with listening(service) as (server, address), httpx2.Client(base_url=address, timeout=20) as client:
        yield server, client


@pytest.fixture
def client(served: tuple[Server, httpx2.Client]) -> httpx2.Client:
    return served[1]


def answer_to(client: httpx2.Client, question: str) -> str:
    return str(client.post(URL, json=asking(question)).json()["choices"][0]["message"]["content"])


def test_each_gets_its_own_answer_and_no_more_are_made_at_a_time_than_may_be(
    client: httpx2.Client, parrot: Parrot
) -> None:
    questions = [f"Resep {number}?" for number in range(24)]
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda question: answer_to(client, question), questions))
    assert answers == [f"system Kamu Koki. user {question} assistant" for question in questions]
    assert parrot.most_at_once <= parrot.at_once


def test_pieces_come_while_the_answer_is_made(client: httpx2.Client, parrot: Parrot) -> None:
    parrot.may_speak.clear(words=1)
    heard = []
    with client.stream("POST", URL, json=asking("Telur?", stream=True)) as stream:
        for line in stream.iter_lines():
            if '"content": "' in line and '"content": ""' not in line:
                heard.append(line)
                parrot.may_speak.release()  # the next word is not said before this one is heard
    assert len(heard) == 6


@pytest.mark.parametrize("stream", [True, False])
def test_the_answer_to_who_goes_away_is_made_no_further(
    client: httpx2.Client, parrot: Parrot, service: Service, stream: bool
) -> None:
    parrot.may_speak.clear()
    with pytest.raises(httpx2.ReadTimeout):
        client.post(URL, json=asking("Telur? " * 100, stream=stream), timeout=0.2)
    line = service.runs["warung"].line
    assert line.answered == 1  # it is at its first word still
    wait_until(lambda: "499" in client.get("/metrics").text)
    parrot.may_speak.set()
    wait_until(lambda: line.answered == 0)
    assert parrot.cancelled == 1


def test_who_goes_away_in_the_middle_of_a_stream_is_told_no_more(
    client: httpx2.Client, parrot: Parrot, service: Service
) -> None:
    parrot.may_speak.clear(words=2)
    with client.stream("POST", URL, json=asking("Telur? " * 100, stream=True)) as stream:
        next(stream.iter_lines())
    wait_until(lambda: "499" in client.get("/metrics").text or 'status="200"' in client.get("/metrics").text)
    parrot.may_speak.set()
    wait_until(lambda: service.runs["warung"].line.answered == 0)
    assert parrot.cancelled == 1
    assert answer_to(client, "Soto?") == "system Kamu Koki. user Soto? assistant"


def test_who_goes_away_while_waiting_leaves_the_line(client: httpx2.Client, parrot: Parrot, service: Service) -> None:
    parrot.may_speak.clear()
    line = service.runs["warung"].line
    with ThreadPoolExecutor(2) as threads:
        first = [threads.submit(answer_to, client, "Telur?") for _ in range(parrot.at_once)]
        wait_until(lambda: parrot.answering == parrot.at_once)
        with pytest.raises(httpx2.ReadTimeout):
            client.post(URL, json=asking("Rawon?"), timeout=0.2)
        wait_until(lambda: line.waiting == 0)
        parrot.may_speak.set()
        assert [one.result() for one in first] == ["system Kamu Koki. user Telur? assistant"] * 2
    assert not any("Rawon" in prompt for prompt in parrot.prompts)


def test_beyond_the_line_there_is_a_503_that_says_when_to_come_again(
    client: httpx2.Client, parrot: Parrot, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.runs["warung"].line, "_most_waiting", 2)
    parrot.may_speak.clear()
    with ThreadPoolExecutor(3) as threads:
        asked = [threads.submit(answer_to, client, "Telur?") for _ in range(3)]  # one of them waits
        wait_until(lambda: service.runs["warung"].line.waiting == 1)
        refused = client.post(URL, json=asking("Soto?", stream=True))
        parrot.may_speak.set()
        assert all(one.result() for one in asked)
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["error"]["code"] == "server_overloaded"


def test_a_server_that_is_told_to_stop_lets_a_running_answer_come_to_its_end_and_sends_away_who_waits(
    served: tuple[Server, httpx2.Client], parrot: Parrot, service: Service
) -> None:
    server, client = served
    parrot.may_speak.clear()
    with ThreadPoolExecutor(3) as threads:
        running = [threads.submit(client.post, URL, json=asking("Telur?")) for _ in range(parrot.at_once)]
        wait_until(lambda: parrot.answering == parrot.at_once)
        waiting = threads.submit(client.post, URL, json=asking("Soto?"))
        wait_until(lambda: service.runs["warung"].line.waiting == 1)
        server.should_exit = True
        assert waiting.result().status_code == 503
        parrot.may_speak.set()
        assert [one.result().status_code for one in running] == [200, 200]


@pytest.mark.slow
def test_a_real_chef_gives_many_at_once_the_answers_that_it_gives_one_alone(
    finished_run: TrainResult, served_folder: Path
) -> None:
    """Of a file in float32; where weights are rounded, a near tie may turn with what is beside it."""
    chef = Chef.load(gguf_of_run(read_run(finished_run.folder), "f32", folder=served_folder / "gguf"))
    service = Service({"warung": ServedRun("warung", served_folder, chef)}, book=False)
    questions = QUESTIONS * 4
    with listening(service) as (_, address), httpx2.Client(base_url=address, timeout=120) as client:

        def ask(question: str) -> str:
            request = asking(question, max_tokens=40)
            return str(client.post(URL, json=request).json()["choices"][0]["message"]["content"])

        alone = {question: ask(question) for question in QUESTIONS}
        with ThreadPoolExecutor(len(questions)) as threads:
            together = list(threads.map(ask, questions))
    assert together == [alone[question] for question in questions]
