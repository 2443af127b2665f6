"""How tests ask a server: an engine that says what it heard, requests, clients, and a server that really listens."""

import math
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Any

import uvicorn
from starlette.testclient import TestClient

from koki.inference.engine import GREEDY, Ending, Generated, Sampling
from koki.serving.app import make_app
from koki.serving.server import make_server, open_socket
from koki.serving.service import Service
from koki.tokens.template import ChatTemplate


class Leave:
    """Leave to say words: so many, or all."""

    def __init__(self) -> None:
        self._words: float = math.inf
        self._changed = threading.Condition()

    def clear(self, words: int = 0) -> None:
        """No more than these."""
        with self._changed:
            self._words = words

    def release(self) -> None:
        """One more."""
        with self._changed:
            self._words += 1
            self._changed.notify()

    def set(self) -> None:
        """All."""
        with self._changed:
            self._words = math.inf
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until one more may be said."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._words > 0, 20)
            self._words -= 1


class Parrot:
    """An engine that says its prompt again, word by word, and counts what it does.

    Attributes:
        may_speak: it waits for this before each word.
        prompts: that it was asked.
        cancelled: how many answers somebody wanted no more of.
        samplings: how it was asked.
    """

    name = "parrot"
    context = 1024

    def __init__(self, template: ChatTemplate, at_once: int = 2) -> None:
        self.at_once = at_once
        self.may_speak = Leave()
        self.prompts: list[str] = []
        self.samplings: list[Sampling] = []
        self.answering = 0
        self.most_at_once = 0
        self.cancelled = 0
        self._decode = template.decode_question

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        sampling: Sampling = GREEDY,
        on_text: Callable[[int, str], object] | None = None,
        is_cancelled: Callable[[int], bool] | None = None,
    ) -> Generator[tuple[int, Generated], None, None]:
        for number, prompt in enumerate(prompts):
            heard = self._decode(list(prompt))
            self.prompts.append(heard)
            self.samplings.append(sampling)
            self.answering += 1
            self.most_at_once = max(self.most_at_once, self.answering)
            said: list[str] = []
            ended_by: Ending = "stop_token"
            for word in heard.split():
                self.may_speak.wait()
                said.append(f"{word} ")
                if on_text:
                    on_text(number, said[-1])
                if len(said) == max_new_tokens:
                    ended_by = "max_new_tokens"
                elif is_cancelled and is_cancelled(number):
                    ended_by = "cancelled"
                    self.cancelled += 1
                if ended_by != "stop_token":
                    break
            self.answering -= 1
            yield number, Generated("".join(said), ended_by, len(said), 0.0)


def client_of(service: Service, **guarded: Any) -> TestClient:
    """A client of a service, on this machine."""
    app = make_app(service, **guarded)
    return TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False)


def asking(*said: str, **more: Any) -> dict[str, Any]:
    """A request: what is said in turn, the first and the last by the user."""
    roles = ("user", "assistant")
    messages = [{"role": roles[number % 2], "content": text} for number, text in enumerate(said)]
    return {"model": "warung", "messages": messages, **more}


@contextmanager
def listening(service: Service, **guarded: Any) -> Iterator[tuple[uvicorn.Server, str]]:
    """A server that listens on this machine, and its address."""
    socket = open_socket("127.0.0.1", 0)
    socket.listen()  # who asks before the server has begun waits
    server = make_server(make_app(service, **guarded), service)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, for 10 s at most."""
    tick = Event()
    for _ in range(1000):
        if holds():
            return
        tick.wait(0.01)
    raise AssertionError("it does not come true")
