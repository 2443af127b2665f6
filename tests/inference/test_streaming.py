"""An answer is heard while it is generated, in a loop or an event loop; who leaves the loop stops it."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from koki.errors import EmptyQuestion
from koki.inference.answer import Answer
from koki.inference.chef import Chef
from koki.pipeline import TrainResult

QUESTION = "Resep soto ayam dong!"


@pytest.fixture(scope="module")
def chef(finished_run: TrainResult) -> Chef:
    return Chef.load(finished_run.folder)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> "Asked":
    """What became of the answers that were asked for in other threads."""
    return Asked(monkeypatch)


class Asked:
    """Listens to `Chef.ask`.

    Attributes:
        answers: in the order in which they ended.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[Answer] = []
        self._ended = threading.Semaphore(0)
        ask: Callable[..., Answer] = Chef.ask

        def listening(*asked: object, **options: object) -> Answer:
            answer = ask(*asked, **options)
            self.answers.append(answer)
            self._ended.release()
            return answer

        monkeypatch.setattr(Chef, "ask", listening)

    def wait(self) -> Answer:
        """The next one that ends."""
        assert self._ended.acquire(timeout=60)
        return self.answers[-1]


def test_the_pieces_are_the_answer_which_can_be_had_after_them(chef: Chef) -> None:
    stream = chef.stream(QUESTION, max_new_tokens=30)
    pieces = list(stream)
    assert len(pieces) > 5
    assert stream.is_over
    assert "".join(pieces).strip() == stream.answer.answer == chef.ask(QUESTION, max_new_tokens=30).answer
    assert list(stream) == []


def test_who_wants_the_whole_answer_need_not_loop(chef: Chef) -> None:
    assert chef.stream(QUESTION, max_new_tokens=5).answer.tokens == 5


def test_who_leaves_the_loop_stops_the_generation(chef: Chef, asked: Asked) -> None:
    for _ in chef.stream(QUESTION, max_new_tokens=900):
        break
    assert asked.wait().ended_by == "cancelled"


def test_who_leaves_the_context_stops_the_generation_and_can_have_what_was_said(chef: Chef) -> None:
    with chef.stream(QUESTION, max_new_tokens=900) as stream:
        first = next(stream)
    assert stream.answer.ended_by == "cancelled"
    assert stream.answer.answer.startswith(first.strip())


def test_what_the_chef_raises_is_raised_in_the_loop_and_each_time_the_answer_is_asked_for(chef: Chef) -> None:
    stream = chef.stream(" ")
    with pytest.raises(EmptyQuestion):
        next(stream)
    with pytest.raises(EmptyQuestion):
        stream.answer  # noqa: B018
    assert list(stream) == []


def test_in_an_event_loop_the_pieces_are_the_answer_too(chef: Chef) -> None:
    async def talk() -> tuple[list[str], Answer]:
        stream = chef.astream(QUESTION, max_new_tokens=30)
        return [piece async for piece in stream], await stream.answer()

    pieces, answer = asyncio.run(talk())
    assert "".join(pieces).strip() == answer.answer == chef.ask(QUESTION, max_new_tokens=30).answer


def test_who_leaves_an_asynchronous_loop_stops_the_generation(chef: Chef, asked: Asked) -> None:
    async def leave() -> None:
        async for _ in chef.astream(QUESTION, max_new_tokens=900):
            break

    asyncio.run(leave())
    assert asked.wait().ended_by == "cancelled"


def test_a_task_that_is_cancelled_stops_the_generation(chef: Chef, asked: Asked) -> None:
    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(chef.aask(QUESTION, max_new_tokens=900), timeout=0.05)

    asyncio.run(give_up())
    assert asked.wait().ended_by == "cancelled"


def test_an_event_loop_goes_on_while_several_are_asked(chef: Chef) -> None:
    async def ask_all() -> list[Answer]:
        return await asyncio.gather(*(chef.aask(question, max_new_tokens=5) for question in (QUESTION, "Telur?")))

    assert [answer.question for answer in asyncio.run(ask_all())] == [QUESTION, "Telur?"]
