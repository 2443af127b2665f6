"""llama.cpp itself, without Koki: what other programs make of a GGUF file."""

import json
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import pytest

KEY = "rahasia"


class LlamaCpp:
    """A GGUF file opened by llama.cpp, whose own tokeniser, templates and answers are to be had.

    Use it in a ``with`` statement. A test is skipped where the wheel is missing.

    Args:
        lora: an adapter that is put on it.
    """

    def __init__(self, path: Path, lora: Path | None = None) -> None:
        xllamacpp = pytest.importorskip("xllamacpp", reason="llama.cpp's wheel (xllamacpp) is not installed")
        settings = xllamacpp.CommonParams()
        settings.model.path = str(path)
        if lora:
            adapter = xllamacpp.CommonAdapterLoraInfo()
            adapter.path, adapter.scale = str(lora), 1.0
            settings.lora_adapters = [adapter]
        settings.n_ctx = 1024
        settings.cache_type_k = settings.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        settings.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        settings.cpuparams.n_threads = 1
        settings.verbosity = 0
        settings.warmup = False
        settings.api_keys = [KEY]
        self._server: Any = xllamacpp.Server(settings)
        self.complete([0], 1)  # one that is closed before its loop has begun waits for it for ever

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        del self._server

    def complete(self, prompt: Sequence[int], tokens: int) -> str:
        """What it says after a prompt, greedily."""
        request = {"prompt": [int(number) for number in prompt], "max_tokens": tokens, "temperature": 0}
        answer: str = self._server.handle_completions(request)["choices"][0]["text"]
        return answer

    def rendered(self, messages: Sequence[dict[str, str]]) -> str:
        """Its own chat template's text of a conversation, up to the answer."""
        return str(self._post("/apply-template", {"messages": list(messages)})["prompt"])

    def tokenize(self, text: str) -> list[int]:
        """Its own tokens of a text, control tokens included."""
        tokens: list[int] = self._post("/tokenize", {"content": text, "parse_special": True})["tokens"]
        return tokens

    def _post(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
        body = json.dumps(content).encode()
        request = urllib.request.Request(self._server.listening_address + path, body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found
