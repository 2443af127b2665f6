"""A GGUF file as llama.cpp itself reads it: its tokeniser, its Jinja and its answers, nothing of Koki's between."""

import json
import secrets
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Self

import torch
import xllamacpp

from koki.inference.llama_cpp_engine import server_settings, start_server

OPENED_WITH: Final = f"xllamacpp {xllamacpp.__version__}"

_AT_ONCE: Final = 8
_CONTEXT: Final = 1024  # tokens of one prompt and its answer
_LONGEST_WAIT: Final = 600  # seconds; a template or a text takes a thousandth of one
# Added to the logit of the token that llama.cpp is to say. The probabilities that it tells are those before.
_FORCED: Final = 1e6


class OpenedFile:
    """A GGUF file that llama.cpp has opened; use it in a ``with`` statement.

    Keys and values are held in float32 and flash attention is off, so that nothing is rounded but what the file rounds.

    Raises:
        ModelError: llama.cpp cannot open the file.
    """

    def __init__(self, path: Path) -> None:
        self._key = secrets.token_urlsafe(32)  # the server listens on this machine, where others may work too
        settings = server_settings(path, exact=True)
        settings.n_parallel = _AT_ONCE
        settings.n_ctx = _AT_ONCE * _CONTEXT
        settings.cpuparams.n_threads = torch.get_num_threads()
        settings.cpuparams.poll = 0  # threads that wait sleep
        settings.api_keys = [self._key]
        self._server: Any = start_server(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        del self._server

    def rendered(self, messages: Sequence[dict[str, str]]) -> str:
        """What its chat template makes of a conversation, up to where the answer starts."""
        return str(self._post("/apply-template", {"messages": list(messages)})["prompt"])

    def tokenize(self, text: str, *, control_tokens: bool) -> list[int]:
        """The ids of a text, in which control tokens are such or text."""
        tokens: list[int] = self._post("/tokenize", {"content": text, "parse_special": control_tokens})["tokens"]
        return tokens

    def answers(self, prompts: Sequence[Sequence[int]], most: int) -> list[list[int]]:
        """What it answers to prompts, greedily and up to the token that ends the answer.

        Args:
            most: tokens after which an answer is cut off.
        """
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            said = threads.map(lambda prompt: self._complete(prompt, max_tokens=most), prompts)
            return [[token["id"] for token in answer] for answer in said]

    def log_probabilities(
        self, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]
    ) -> list[list[float]]:
        """Those of the tokens of given answers, each after its prompt and the tokens before it."""
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return list(threads.map(self._log_probabilities, prompts, answers))

    def _log_probabilities(self, prompt: Sequence[int], answer: Sequence[int]) -> list[float]:
        """llama.cpp scores what it says itself, so it is made to say the answer, token by token."""
        said = [
            self._complete([*prompt, *answer[:place]], max_tokens=1, logit_bias=[[token, _FORCED]])
            for place, token in enumerate(answer)
        ]
        return [float(token["logprob"]) for (token,) in said]

    def _complete(self, prompt: Sequence[int], **request: Any) -> list[dict[str, Any]]:
        """The tokens that it says, each with the logarithm of its probability."""
        request |= {"prompt": [int(token) for token in prompt], "temperature": 0, "logprobs": 1, "cache_prompt": True}
        answer = self._server.handle_completions(request)["choices"][0]
        tokens: list[dict[str, Any]] = answer["logprobs"]["content"]
        return tokens

    def _post(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        request = urllib.request.Request(self._server.listening_address + path, json.dumps(content).encode(), headers)
        with urllib.request.urlopen(request, timeout=_LONGEST_WAIT) as answer:
            found: dict[str, Any] = json.load(answer)
        return found
