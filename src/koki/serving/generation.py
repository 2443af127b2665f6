"""An answer to one of those who ask a server, in its turn; who goes away stops it."""

import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor

from koki.inference.answer import Answer
from koki.inference.streaming import Ask, AsyncAnswerStream
from koki.serving.metrics import Metrics
from koki.serving.served_run import ServedRun


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

    def counted(*, on_text: Callable[[str], object], is_cancelled: Callable[[], bool]) -> Answer:
        answer = ask(on_text=on_text, is_cancelled=is_cancelled)
        metrics.answered(run.name, answer)
        return answer

    asked_at, heard = time.monotonic(), False
    place = await run.line.enter(client)
    async with AsyncAnswerStream(counted, threads) as stream:
        # not before the thread has ended: until then the engine is at work
        stream.thread.add_done_callback(lambda _: run.line.leave(place))
        async for piece in stream:
            if not heard:
                heard = True
                metrics.heard(run.name, time.monotonic() - asked_at)
            yield piece
        yield await stream.answer()
