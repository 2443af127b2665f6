"""An answer that is heard while it is generated, in a loop or in an event loop; who leaves the loop stops it.

It is generated in another thread. What that is told to stop by is set when the loop is left, which Python notices by
the iterator that nobody holds any more; so nothing need be closed.
"""

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from queue import SimpleQueue
from threading import Event
from typing import Protocol, Self

from koki.inference.answer import Answer

_Told = str | Answer | Exception
"""The next piece, or the end: all of the answer, or why there is none."""


class Ask(Protocol):
    """Asks a chef, in a thread."""

    def __call__(self, *, on_text: Callable[[str], object], is_cancelled: Callable[[], bool]) -> Answer:
        """The answer; what it hears is what `koki.Chef.ask` tells."""
        ...


class _Stream:
    """What both streams have: the end, once it has come, and how it is brought about early."""

    def __init__(self) -> None:
        self._end: Answer | Exception | None = None
        self._is_unwanted = Event()
        weakref.finalize(self, self._is_unwanted.set)

    @property
    def is_over(self) -> bool:
        """Whether all was heard."""
        return self._end is not None

    def close(self) -> None:
        """Stop the generation at its next token; what was said until then can still be heard."""
        self._is_unwanted.set()

    def _heard(self, told: _Told) -> str | None:
        """The next piece; None at the end.

        Raises:
            Exception: what the chef raised.
        """
        if isinstance(told, str):
            return told
        self._end = told
        if isinstance(told, Exception):
            raise told
        return None

    def _answer(self) -> Answer:
        if isinstance(self._end, Exception):
            raise self._end
        assert self._end is not None
        return self._end


class AnswerStream(_Stream, Iterator[str]):
    """The pieces of an answer, a word or so each, as they come; then the `answer`.

    Args:
        ask: called in one of the threads, when one is free.
    """

    def __init__(self, ask: Ask, threads: Executor) -> None:
        super().__init__()
        self._told: SimpleQueue[_Told] = SimpleQueue()
        threads.submit(_ask, ask, self._told.put, self._is_unwanted)

    def __next__(self) -> str:
        """The next piece.

        Raises:
            KokiError: as `koki.Chef.ask`.
        """
        if self._end is None:
            try:
                told = self._told.get()
            except BaseException:  # Ctrl+C while one waits
                self.close()
                raise
            if (piece := self._heard(told)) is not None:
                return piece
        raise StopIteration

    @property
    def answer(self) -> Answer:
        """All of it, with what it was read from; waited for, if it is not there yet.

        Raises:
            KokiError: as `koki.Chef.ask`.
        """
        for _ in self:
            pass
        return self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncAnswerStream(_Stream, AsyncIterator[str]):
    """As `AnswerStream`, in an event loop.

    Attributes:
        thread: is done when nothing more is generated.
    """

    def __init__(self, ask: Ask, threads: Executor) -> None:
        super().__init__()
        loop, queue, is_unwanted = asyncio.get_running_loop(), asyncio.Queue[_Told](), self._is_unwanted

        def tell(told: _Told) -> None:
            try:
                loop.call_soon_threadsafe(queue.put_nowait, told)
            except RuntimeError:  # the loop is closed, and with it whoever listened
                is_unwanted.set()

        self._told = queue
        self.thread = loop.run_in_executor(threads, _ask, ask, tell, is_unwanted)

    async def __anext__(self) -> str:
        """The next piece.

        Raises:
            KokiError: as `koki.Chef.ask`.
        """
        if self._end is None:
            try:
                told = await self._told.get()
            except BaseException:  # who waits was cancelled
                self.close()
                raise
            if (piece := self._heard(told)) is not None:
                return piece
        raise StopAsyncIteration

    async def answer(self) -> Answer:
        """All of it, with what it was read from; waited for, if it is not there yet.

        Raises:
            KokiError: as `koki.Chef.ask`.
        """
        async for _ in self:
            pass
        return self._answer()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


def _ask(ask: Ask, tell: Callable[[_Told], object], is_unwanted: Event) -> None:
    """Have an answer generated, and tell of it."""
    try:
        tell(ask(on_text=tell, is_cancelled=is_unwanted.is_set))
    except Exception as error:  # for who asked
        tell(error)
