"""Who is answered next: as many at a time as an engine generates side by side, the others in a bounded, fair line."""

import asyncio
import math
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final

# Of the mean time of an answer, what the newest one counts.
_NEWEST: Final = 0.2
_MOST_TOLD: Final = 60  # seconds


class LineFull(Exception):
    """So many wait already that one more is sent away.

    Attributes:
        retry_after: seconds after which there is likely to be room.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"try again in {retry_after} s")
        self.retry_after = retry_after


@dataclass(slots=True)
class Place:
    """One that is being answered; who has it gives it back with `WaitingLine.leave`."""

    since: float


class WaitingLine:
    """Use it in one event loop.

    Those who wait are served in turn, a client after the other, so that one who asks for much does not keep the rest
    waiting; and one client may take half of the places in the line, no more.

    Args:
        at_once: how many are answered at a time.
        most_waiting: how many wait at most.
    """

    def __init__(self, at_once: int, most_waiting: int) -> None:
        self._free = at_once
        self._at_once = at_once
        self._most_waiting = most_waiting
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._mean_seconds = 1.0
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    @property
    def answered(self) -> int:
        """How many are being answered."""
        return self._at_once - self._free

    async def enter(self, client: str) -> Place:
        """Wait for one's turn; who is cancelled meanwhile has left the line.

        Raises:
            LineFull: too many wait already, or nobody is let in any more.
        """
        if self._is_closed or not (self._free or self._has_room(client)):
            raise LineFull(self._retry_after())
        if self._free:
            self._free -= 1
        else:
            await self._turn(client)
        return Place(time.monotonic())

    def leave(self, place: Place) -> None:
        """Give a place back: the next one's turn has come."""
        self._mean_seconds += _NEWEST * (time.monotonic() - place.since - self._mean_seconds)
        self._give_on()

    def close(self) -> None:
        """Let nobody in any more, and send away those who wait."""
        self._is_closed = True
        for turns in self._waiting.values():
            for turn in turns:
                if not turn.done():
                    turn.set_exception(LineFull(self._retry_after()))
        self._waiting.clear()

    def _has_room(self, client: str) -> bool:
        own = len(self._waiting.get(client, ()))
        return self.waiting < self._most_waiting and own < max(1, self._most_waiting // 2)

    async def _turn(self, client: str) -> None:
        """Wait until a place is given to this one."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was given the place as it went away
                self._give_on()
            else:
                self._drop(client, turn)
            raise

    def _give_on(self) -> None:
        """Give a place to the next one in the line, or keep it free."""
        if not self._waiting:
            self._free += 1
            return
        client, turns = self._waiting.popitem(last=False)
        turn = turns.popleft()
        if turns:
            self._waiting[client] = turns  # behind the other clients
        if turn.cancelled():
            self._give_on()
        else:
            turn.set_result(None)

    def _drop(self, client: str, turn: asyncio.Future[None]) -> None:
        turns = self._waiting.get(client)
        if turns and turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[client]

    def _retry_after(self) -> int:
        ahead = 1 + self.waiting / self._at_once
        return max(1, min(_MOST_TOLD, math.ceil(ahead * self._mean_seconds)))
