"""The text of an answer as it is passed on: up to a stop text, without blanks at its ends."""

from collections.abc import Sequence


class ShownText:
    """Takes the pieces of an answer and gives what of them is shown; all that it gives, joined, is the text.

    Args:
        stops: where one of these would begin, the text ends.

    Attributes:
        is_over: a stop text has come; nothing more is shown.
    """

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self.is_over = False
        self._stops = tuple(stops)
        self._held = ""  # blanks at the end, or what may be the beginning of a stop text
        self._has_begun = False

    def put(self, piece: str) -> str:
        """What can be shown once a piece has come."""
        if self.is_over:
            return ""
        self._held += piece
        found = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if found:
            self.is_over = True
            return self._show(self._held[: min(found)].rstrip())
        until = len(self._held.rstrip())
        for stop in self._stops:
            until = min(until, len(self._held) - _overlap(self._held, stop))
        shown, self._held = self._held[:until], self._held[until:]
        blanks = len(shown) - len(shown.rstrip())  # before the beginning of a stop text
        return self._show(shown.rstrip(), shown[len(shown) - blanks :] + self._held)

    def end(self) -> str:
        """What is left to be shown once nothing more comes."""
        return "" if self.is_over else self._show(self._held.rstrip())

    def _show(self, text: str, held: str = "") -> str:
        self._held = held
        if not self._has_begun:
            text = text.lstrip()
            self._has_begun = bool(text)
        return text


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of a text may be the beginning of a stop text."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
