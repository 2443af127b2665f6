"""An answer in OpenAI's form, whole or in pieces."""

import json
import time
import uuid
from typing import Any, Final

from koki.inference.answer import Answer

_FINISHED: Final = {"max_new_tokens": "length", "context": "length"}


class ChatAnswer:
    """One answer.

    Args:
        model: the name by which it was asked.
    """

    def __init__(self, model: str) -> None:
        self._about = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}

    def whole(self, text: str, answer: Answer, facts: dict[str, Any]) -> dict[str, Any]:
        """The answer at once.

        Args:
            text: what of it is shown.
            facts: Koki's own.
        """
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish_reason(answer)}
        return self._about | {
            "object": "chat.completion",
            "choices": [choice],
            "usage": _usage(answer),
            "koki": facts,
        }

    def begin(self) -> bytes:
        """The first event of a stream."""
        return self._chunk({"role": "assistant", "content": ""})

    def piece(self, text: str) -> bytes:
        """An event with the next piece."""
        return self._chunk({"content": text})

    def end(self, answer: Answer, facts: dict[str, Any], *, usage: bool) -> bytes:
        """The last events of a stream."""
        events = self._chunk({}, _finish_reason(answer), koki=facts)
        if usage:
            events += event_of(self._about | {"object": _CHUNK, "choices": [], "usage": _usage(answer)})
        return events + b"data: [DONE]\n\n"

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return event_of(self._about | {"object": _CHUNK, "choices": [choice]} | more)


_CHUNK: Final = "chat.completion.chunk"


def event_of(content: dict[str, Any]) -> bytes:
    """A server-sent event."""
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n".encode("utf-8", "replace")


def _finish_reason(answer: Answer) -> str:
    return _FINISHED.get(answer.ended_by, "stop")


def _usage(answer: Answer) -> dict[str, int]:
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.tokens,
        "total_tokens": answer.prompt_tokens + answer.tokens,
    }
