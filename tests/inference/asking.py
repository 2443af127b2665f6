"""How tests ask an engine."""

from collections.abc import Sequence
from typing import Any

from koki.inference.engine import Engine, Generated


def said(answers: Sequence[Generated]) -> list[tuple[str, str, int]]:
    """All of answers but how long they took."""
    return [(one.text, one.ended_by, one.tokens) for one in answers]


def in_order(engine: Engine, prompts: list[list[int]], **options: Any) -> list[Generated]:
    """The answers in the order of their prompts."""
    answers = dict(engine.generate(prompts, **options))
    return [answers[number] for number in range(len(prompts))]
