"""What is counted, in Prometheus' text."""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from koki.inference.answer import Answer
from koki.serving.served_run import ServedRun

_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)


class Metrics:
    """Counts of one server."""

    def __init__(self, runs: Mapping[str, ServedRun]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "koki_requests", "Requests for an answer, by the status that they got.", ["status"], registry=self._registry
        )
        self._tokens = Counter("koki_tokens", "Tokens read and said.", ["model", "kind"], registry=self._registry)
        self._first = Histogram(
            "koki_first_piece_seconds",
            "From the request, waiting included, to the first piece of the answer.",
            ["model"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._registry.register(_Lines(runs))

    def requested(self, status: int) -> None:
        """A request for an answer is over."""
        self._requests.labels(str(status)).inc()

    def heard(self, model: str, seconds: float) -> None:
        """The first piece of an answer has come."""
        self._first.labels(model).observe(seconds)

    def answered(self, model: str, answer: Answer) -> None:
        """An answer is complete."""
        self._tokens.labels(model, "prompt").inc(answer.prompt_tokens)
        self._tokens.labels(model, "answer").inc(answer.tokens)

    def text(self) -> bytes:
        """All counts."""
        return generate_latest(self._registry)


class _Lines(Collector):
    """Those who wait and those who are answered, looked up when it is asked for."""

    def __init__(self, runs: Mapping[str, ServedRun]) -> None:
        self._runs = runs

    def collect(self) -> Iterator[GaugeMetricFamily]:
        waiting = GaugeMetricFamily("koki_waiting", "Requests that wait for their turn.", labels=["model"])
        answered = GaugeMetricFamily("koki_answering", "Requests that are being answered.", labels=["model"])
        for run in self._runs.values():
            waiting.add_metric([run.name], run.line.waiting)
            answered.add_metric([run.name], run.line.answered)
        yield waiting
        yield answered
