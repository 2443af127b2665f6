"""How many clients a server answers, how soon, and in how much memory; and whether it stays so.

    python benchmarks/serve.py runs/demo                            # 1, 8, 32 and 64 clients
    python benchmarks/serve.py runs/demo --clients 16 --minutes 10  # with random disconnects

`koki serve` runs in a process of its own, and each client, a thread here, asks a question after the other, streamed,
until all are asked or the minutes are over. With --minutes a fifth of the answers are broken off after some pieces.
Each answer is compared with the one to the same question asked alone: "others" counts those that differ, "lost" those
that never came. Of a GGUF file in float32 none should differ; where weights are rounded, near ties may turn.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx2
import psutil

from answers import drawn
from measuring import measured, report

COLUMNS: Final = (
    "clients",
    "answers",
    "tokens/s",
    "first piece s, p50",
    "p95",
    "503",
    "lost",
    "others",
    "MB, most",
    "first minute",
    "last minute",
)
_BROKEN_OFF: Final = 0.2
_LONGEST_WAIT: Final = 600  # seconds


@dataclass
class Heard:
    """What all clients heard.

    Attributes:
        first: seconds to the first piece of each answer.
        memory: bytes of the server, each second.
    """

    answers: int = 0
    tokens: int = 0
    sent_away: int = 0
    lost: int = 0
    others: int = 0
    first: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Streamed:
    """One answer."""

    text: str
    tokens: int
    first: float


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32, 64])
    parser.add_argument("--questions", type=int, default=64, help="that are asked, however many the clients")
    parser.add_argument("--minutes", type=float, default=0, help="ask for so long instead, breaking some answers off")
    parser.add_argument("--max-tokens", type=int, default=200)
    options = parser.parse_args()
    questions = measured(drawn, options.questions)
    rows = []
    with served(options.run) as (process, url):
        with httpx2.Client(base_url=url, timeout=_LONGEST_WAIT) as client:
            model = client.get("/v1/models").json()["data"][0]["id"]
            alone = {it: whole(client, model, it, options.max_tokens) for it in dict.fromkeys(questions)}
        for count in options.clients:
            heard, seconds = asked_by(
                count, url, model, questions, alone, options.max_tokens, options.minutes * 60, process
            )
            rows.append(row(count, heard, seconds))
    report(f"serve-{model}", f"{options.run}, {options.questions} questions", COLUMNS, rows, rows)


@contextmanager
def served(run: str) -> Iterator[tuple[psutil.Process, str]]:
    """A server, and where it is asked."""
    command = [sys.executable, "-m", "koki", "serve", run, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            url = next(found[1] for line in lines if (found := re.search(r"API: +(http://\S+)/v1", line)))
            yield psutil.Process(process.pid), url
        finally:
            process.terminate()


def asked_by(
    count: int,
    url: str,
    model: str,
    questions: list[str],
    alone: dict[str, str],
    max_tokens: int,
    seconds: float,
    process: psutil.Process,
) -> tuple[Heard, float]:
    """Have so many clients ask; what they heard, and how long it took."""
    heard, started, is_over = Heard(), time.perf_counter(), threading.Event()
    left = iter(questions)

    def more() -> Iterator[str]:
        draw = random.Random(threading.get_ident())
        while seconds and time.perf_counter() - started < seconds:
            yield draw.choice(questions)
        while not seconds:
            with heard.lock:
                question = next(left, None)
            if question is None:
                return
            yield question

    def client(number: int) -> None:
        draw = random.Random(number)
        with httpx2.Client(base_url=url, timeout=_LONGEST_WAIT) as asks:
            for question in more():
                after = draw.randint(1, 20) if seconds and draw.random() < _BROKEN_OFF else None
                ask(asks, model, question, alone[question], max_tokens, after, heard)

    def watch() -> None:
        while not is_over.wait(1):
            heard.memory.append(process.memory_info().rss)

    watching = threading.Thread(target=watch)
    watching.start()
    with ThreadPoolExecutor(count) as threads:
        list(threads.map(client, range(count)))
    took = time.perf_counter() - started
    heard.memory.append(process.memory_info().rss)
    is_over.set()
    watching.join()
    return heard, took


def ask(
    client: httpx2.Client, model: str, question: str, alone: str, max_tokens: int, after: int | None, heard: Heard
) -> None:
    """Ask a question, and count what comes; where there is an ``after``, go away after so many pieces."""
    try:
        answer = streamed(client, model, question, max_tokens, after)
    except httpx2.HTTPStatusError as error:
        with heard.lock:
            heard.sent_away += error.response.status_code == 503
            heard.lost += error.response.status_code != 503
        time.sleep(float(error.response.headers.get("retry-after", 1)))
        return
    except httpx2.HTTPError:
        with heard.lock:
            heard.lost += 1
        return
    if answer is None:
        return
    with heard.lock:
        heard.answers += 1
        heard.tokens += answer.tokens
        heard.first.append(answer.first)
        heard.others += answer.text != alone


def whole(client: httpx2.Client, model: str, question: str, max_tokens: int) -> str:
    """The answer to a question that is asked alone."""
    answer = streamed(client, model, question, max_tokens)
    assert answer is not None
    return answer.text


def streamed(
    client: httpx2.Client, model: str, question: str, max_tokens: int, after: int | None = None
) -> Streamed | None:
    """An answer; None where it was broken off.

    Raises:
        httpx2.HTTPError: it does not come, or not to its end.
    """
    request = {
        "model": model,
        "messages": [{"role": "user", "content": question}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "strict": False,
        "max_tokens": max_tokens,
    }
    asked, first, text, tokens = time.perf_counter(), 0.0, "", 0
    with client.stream("POST", "/v1/chat/completions", json=request) as stream:
        stream.raise_for_status()
        for number, line in enumerate(line for line in stream.iter_lines() if line):
            if line == "data: [DONE]":
                return Streamed(text, tokens, first)
            if number == after:
                return None
            event = json.loads(line.removeprefix("data: "))
            for choice in event["choices"]:
                text += choice["delta"].get("content", "")
            first = first or (text and time.perf_counter() - asked) or 0.0
            tokens = event.get("usage", {}).get("completion_tokens", tokens)
    raise httpx2.RemoteProtocolError("the stream has no end")


def row(count: int, heard: Heard, seconds: float) -> list[str]:
    """As `COLUMNS`."""
    first = sorted(heard.first) or [0.0]
    return [
        str(count),
        str(heard.answers),
        f"{heard.tokens / seconds:,.0f}",
        f"{first[len(first) // 2]:.2f}",
        f"{first[min(len(first) - 1, int(0.95 * len(first)))]:.2f}",
        str(heard.sent_away),
        str(heard.lost),
        str(heard.others),
        *(f"{max(taken) / 1e6:,.0f}" for taken in (heard.memory, heard.memory[:60], heard.memory[-60:])),
    ]


if __name__ == "__main__":
    main()
