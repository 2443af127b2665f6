"""A tokenizer as its files have it, read without transformers, which takes seconds to import; and text as its ids come.

It has what `koki.tokens.template.ChatTemplate` asks of a tokenizer, under transformers' names.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import DecodeStream

from koki import files
from koki.errors import ModelError
from koki.language import _

_VOCABULARY: Final = "tokenizer.json"
_SETTINGS: Final = "tokenizer_config.json"
_TEMPLATE: Final = "chat_template.jinja"
FILES_OF_A_TOKENIZER: Final = (_VOCABULARY, _SETTINGS, _TEMPLATE)
_LONGEST: Final = 200_000_000  # bytes; Qwen's vocabularies have 7 to 11 million
_BYTES: Final = 256  # a byte-level vocabulary has an entry for each
# The settings that name a token each, as a chat template may use them.
_NAMED: Final = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


class FileTokenizer:
    """The tokenizer of a run, as transformers saved it.

    A base has more forms, of which transformers knows all: `koki.model.source.load_tokenizer`.

    Attributes:
        backend_tokenizer: makes ids of texts, and texts of ids.
        chat_template: a Jinja template; None if there is none.
        special_tokens_map: the name of a setting, as ``eos_token`` -> the text of a token.
    """

    def __init__(self, backend: Tokenizer, settings: Mapping[str, Any], chat_template: str | None) -> None:
        self.backend_tokenizer = backend
        self.chat_template = chat_template
        self.special_tokens_map = {name: _text(settings[name]) for name in _NAMED if settings.get(name)}
        extra = settings.get("extra_special_tokens") or settings.get("additional_special_tokens") or []
        extra = extra.values() if isinstance(extra, Mapping) else extra
        special = [*self.special_tokens_map.values(), *map(_text, extra)]
        backend.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in special])

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """The tokens beside those that texts are made of: id -> token."""
        return self.backend_tokenizer.get_added_tokens_decoder()

    def get_chat_template(self) -> str:
        """The chat template.

        Raises:
            ValueError: there is none.
        """
        if self.chat_template is None:
            raise ValueError(_("there is none"))
        return self.chat_template


def read_tokenizer(folder: Path) -> FileTokenizer:
    """The tokenizer in the folder of a run.

    Raises:
        ModelError: a file is missing, damaged or no file at all, or there is no vocabulary.
    """
    try:
        backend = Tokenizer.from_buffer(files.read_bytes(folder / _VOCABULARY, _LONGEST))
        settings = json.loads(files.read_bytes(folder / _SETTINGS, _LONGEST))
        tokenizer = FileTokenizer(backend, settings, _chat_template(folder, settings))
    except Exception as error:  # of what is damaged or tampered with, the library raises whatever it runs into
        raise ModelError(
            _("The tokenizer in {folder} cannot be loaded: {error}", folder=folder, error=error),
            _("Is the folder complete?"),
        ) from error
    if backend.get_vocab_size(with_added_tokens=False) < _BYTES:
        raise ModelError(
            _("The tokenizer in {folder} has no vocabulary.", folder=folder),
            _("Its folder needs a {vocabulary}.", vocabulary=_VOCABULARY),
        )
    return tokenizer


def _chat_template(folder: Path, settings: Mapping[str, Any]) -> str | None:
    """That of its own file, else that of the settings, which may hold several by name."""
    if (folder / _TEMPLATE).exists():
        return files.read_bytes(folder / _TEMPLATE, _LONGEST).decode("utf-8")
    found = settings.get("chat_template")
    if isinstance(found, list):
        return {it["name"]: str(it["template"]) for it in found}["default"]
    return found if found is None else str(found)


def _text(token: Any) -> str:
    """The text of a token, which older settings describe with its properties."""
    return str(token["content"] if isinstance(token, Mapping) else token)


class TextStream:
    """The text of an answer as its ids come: whole words, without control tokens, and never a part of a character.

    All pieces joined are the text of all ids.

    Args:
        tokenizer: the `backend_tokenizer` of the model's tokenizer.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._stream = DecodeStream(skip_special_tokens=True)
        self._ids: list[int] = []
        self._held = ""  # the start of a word
        self._passed = 0  # characters

    def put(self, token: int) -> str:
        """The words that are complete with this token, which may be none."""
        self._ids.append(token)
        self._held += self._stream.step(self._tokenizer, token) or ""
        end = 1 + max(self._held.rfind(" "), self._held.rfind("\n"))
        words, self._held = self._held[:end], self._held[end:]
        self._passed += len(words)
        return words

    def end(self) -> str:
        """What is left once no token follows."""
        return str(self._tokenizer.decode(self._ids, skip_special_tokens=True))[self._passed :]
