"""As many are answered at a time as may be, the others in turn, and not too many of them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.serving.waiting_line import LineFull, Place, WaitingLine


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await asyncio.wait_for(test(), 5)

    asyncio.run(whole())


async def soon() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_as_many_are_answered_as_may_be_and_the_others_when_one_leaves() -> None:
    async def test() -> None:
        line = WaitingLine(at_once=2, most_waiting=8)
        first, _ = await line.enter("a"), await line.enter("b")
        third = asyncio.create_task(line.enter("c"))
        await soon()
        assert (line.answered, line.waiting, third.done()) == (2, 1, False)
        line.leave(first)
        await third
        assert (line.answered, line.waiting) == (2, 0)

    run(test)


def test_one_who_asks_for_much_does_not_keep_others_waiting() -> None:
    async def test() -> None:
        line, served = WaitingLine(at_once=1, most_waiting=20), list[str]()

        async def ask(client: str) -> None:
            place = await line.enter(client)
            served.append(client)
            line.leave(place)

        place = await line.enter("x")
        tasks = [asyncio.create_task(ask(client)) for client in "aaaabbc"]
        await soon()
        line.leave(place)
        await asyncio.gather(*tasks)
        assert served == [*"abcabaa"]

    run(test)


def test_beyond_the_line_one_is_told_when_to_come_again() -> None:
    async def test() -> None:
        line = WaitingLine(at_once=1, most_waiting=4)
        await line.enter("x")
        waiting = [asyncio.create_task(line.enter(client)) for client in "abcd"]
        await soon()
        with pytest.raises(LineFull) as full:
            await line.enter("e")
        assert full.value.retry_after >= 1
        for task in waiting:
            task.cancel()

    run(test)


def test_one_client_takes_half_of_the_line_at_most() -> None:
    async def test() -> None:
        line = WaitingLine(at_once=1, most_waiting=4)
        await line.enter("a")
        waiting = [asyncio.create_task(line.enter("a")) for _ in range(2)]
        await soon()
        with pytest.raises(LineFull):
            await line.enter("a")
        waiting.append(asyncio.create_task(line.enter("b")))
        await soon()
        assert line.waiting == 3
        for task in waiting:
            task.cancel()

    run(test)


def test_a_line_that_is_closed_sends_away_those_who_wait_and_those_who_come() -> None:
    async def test() -> None:
        line = WaitingLine(at_once=1, most_waiting=4)
        place = await line.enter("a")
        waiting = asyncio.create_task(line.enter("b"))
        await soon()
        line.close()
        with pytest.raises(LineFull):
            await waiting
        line.leave(place)
        with pytest.raises(LineFull):
            await line.enter("c")

    run(test)


def test_who_goes_away_in_the_moment_of_being_called_gives_the_place_on() -> None:
    async def test() -> None:
        line = WaitingLine(at_once=1, most_waiting=4)
        place = await line.enter("a")
        gone, next_one = asyncio.create_task(line.enter("b")), asyncio.create_task(line.enter("c"))
        await soon()
        line.leave(place)  # called, and in the same breath
        gone.cancel()
        await next_one
        assert (line.answered, line.waiting) == (1, 0)

    run(test)


@given(st.lists(st.tuples(st.sampled_from(["enter", "leave", "cancel"]), st.sampled_from("abc")), max_size=60))
def test_whatever_comes_and_goes_nobody_is_lost_and_no_more_are_answered_than_may_be(
    steps: list[tuple[str, str]],
) -> None:
    async def test() -> None:
        line, tasks, places = WaitingLine(at_once=2, most_waiting=6), list[asyncio.Task[Place]](), list[Place]()
        for what, client in steps:
            if what == "enter":
                tasks.append(asyncio.create_task(line.enter(client)))
            elif what == "leave" and places:
                line.leave(places.pop())
            elif what == "cancel" and tasks:
                tasks.pop(0).cancel()
            await soon()
            done = [task for task in tasks if task.done()]
            tasks = [task for task in tasks if not task.done()]
            places += [task.result() for task in done if not task.cancelled() and task.exception() is None]
            assert line.answered == len(places) <= 2
            assert line.waiting == len(tasks)
            assert not tasks or len(places) == 2
        for task in tasks:
            task.cancel()

    run(test)
