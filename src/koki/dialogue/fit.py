"""The versions of an answer to try until one fits: none lacks an ingredient or a step of a recipe that it gives."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from koki.dialogue.conversation import Conversation

# The roles of the segments that are left out, one after the other.
_LEFT_OUT: Final = ((), ("courtesy",), ("courtesy", "extra"))


class Version(NamedTuple):
    """A text of the answer; a brief one offers the recipe instead of giving it."""

    text: str
    is_brief: bool


def shorter_and_shorter(conversation: Conversation) -> Iterator[Version]:
    """The answer whole, without courtesy, without extras, in terse words, and brief; each text that differs, once.

    The first that fits is the one to train on; when none does, the conversation is left out.
    """
    seen = {""}
    for answer in (conversation.answer, conversation.terse, conversation.brief):
        for roles in _LEFT_OUT:
            text = "\n\n".join(segment.text for segment in answer if segment.role not in roles)
            if text not in seen:
                seen.add(text)
                yield Version(text, is_brief=answer is conversation.brief)
