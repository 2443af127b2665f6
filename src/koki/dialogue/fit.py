"""Makes a conversation fit: leaves out courtesy, then extras; never an ingredient, a step or the stop token."""

from collections.abc import Iterator

from koki.dialogue.compose import Segment

_LEFT_OUT = ((), ("courtesy",), ("courtesy", "extra"))


def shorter_and_shorter(answer: tuple[Segment, ...]) -> Iterator[str]:
    """The answer whole, then without courtesy, then without extras either; each text that differs, once.

    The first text that fits is the one to train on; when none does, the conversation is left out.
    """
    seen: set[str] = set()
    for roles in _LEFT_OUT:
        text = "\n\n".join(segment.text for segment in answer if segment.role not in roles)
        if text not in seen:
            seen.add(text)
            yield text
