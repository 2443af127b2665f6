"""An answer made in a thread and heard in the event loop, piece by piece, until who asked goes away."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from threading import Event
from typing import Protocol

from koki.inference.chef import Answer
from koki.serving.metrics import Metrics
from koki.serving.served_run import ServedRun


class Ask(Protocol):
    """Asks a chef, in a thread."""

    def __call__(self, *, on_text: Callable[[str], object], is_cancelled: Callable[[], bool]) -> Answer:
        """The answer; what it hears is what `koki.Chef.ask` tells."""
        ...


async def generate(
    run: ServedRun, client: str, ask: Ask, threads: Executor, metrics: Metrics
) -> AsyncGenerator[str | Answer, None]:
    """Yield the pieces of an answer, then the answer. Closing the generator stops the generation at its next token.

    Args:
        client: whose turn it is to wait for.
        threads: as many as there may be answers at a time.

    Raises:
        LineFull: too many wait already; nothing was yielded then.
        Exception: what the chef raises.
    """
    loop, gone = asyncio.get_running_loop(), Event()
    told: asyncio.Queue[str | Answer | Exception] = asyncio.Queue()
    asked_at, heard = time.monotonic(), False

    def tell(what: str | Answer | Exception) -> None:
        loop.call_soon_threadsafe(told.put_nowait, what)

    def answer() -> None:
        try:
            said = ask(on_text=tell, is_cancelled=gone.is_set)
            metrics.answered(run.name, said)
            tell(said)
        except Exception as error:  # for who asked
            tell(error)

    place = await run.line.enter(client)
    thread = loop.run_in_executor(threads, answer)
    # not before the thread has ended: until then the engine is at work
    thread.add_done_callback(lambda _: run.line.leave(place))
    try:
        while True:
            what = await told.get()
            if isinstance(what, Exception):
                raise what
            if not heard:
                heard = True
                metrics.heard(run.name, time.monotonic() - asked_at)
            yield what
            if isinstance(what, Answer):
                return
    finally:
        gone.set()
