"""Where a base model comes from (an alias, a folder or a hub id), and its tokenizer; ``base.py`` loads its weights."""

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from huggingface_hub import ModelCard
from transformers import AutoConfig, AutoTokenizer, PretrainedConfig, PreTrainedTokenizerBase
from yaml import YAMLError

from koki import files
from koki.config import ModelConfig
from koki.errors import ModelError
from koki.language import _
from koki.model.hub import HubBase, find_on_hub
from koki.user_cache import sha256_of

ALIASES: Final = {
    "0.5b": "Qwen/Qwen2.5-0.5B-Instruct",
    "1.5b": "Qwen/Qwen2.5-1.5B-Instruct",
    "3b": "Qwen/Qwen2.5-3B-Instruct",
    "0.6b": "Qwen/Qwen3-0.6B",
    "1.7b": "Qwen/Qwen3-1.7B",
    "sailor2-1b": "sail/Sailor2-1B-Chat",
}
"""The instruct models that Koki knows by name: ``docs/bases.md`` says what each is."""
_MINI: Final = Path(str(resources.files("koki.model"))) / "mini"  # the base that ships
_FAMILIES: Final = ("qwen2", "qwen3")
# Qwen's own spare tokens, in the order in which they may stand for padding; the last two are in every Qwen2.
_PAD_CANDIDATES: Final = ("<|endoftext|>", "<|fim_pad|>", "<|object_ref_start|>")
_BYTES: Final = 256  # a byte-level vocabulary has an entry for each
_BESIDE_WEIGHTS: Final = ("config.json", "model.safetensors.index.json")
_LONGEST_CARD: Final = 10_000_000  # bytes
_FINGERPRINT_DIGITS: Final = 32  # hexadecimal; a commit of the hub has 40


@dataclass(frozen=True, slots=True)
class BaseSource:
    """Where a base model comes from.

    Attributes:
        name: as the user wrote it.
        folder: where its configuration and its tokenizer lie.
        hub: the commit on the hub that it is; None for a folder of this machine, as the base that ships is.
        revision: hub commit, or a fingerprint of a local folder's weights.
        config: the model's own configuration.
    """

    name: str
    folder: Path
    hub: HubBase | None
    revision: str
    config: PretrainedConfig

    @property
    def is_folder(self) -> bool:
        """Whether it lies on this machine, as the base that ships does, rather than on the hub."""
        return self.hub is None

    @property
    def location(self) -> str:
        """A folder or a hub id, as transformers and peft take it; of a hub id with `revision`."""
        return self.hub.id if self.hub else str(self.folder)

    @property
    def public_name(self) -> str:
        """The name to publish: a hub id, or the name of a folder without its path, which is nobody's business.

        A folder that merely has the name of a base that Koki knows is written as ``./mini``, to tell the two apart.
        """
        if not self.is_folder:
            return self.location
        folder = self.folder.resolve()
        is_mistakable = folder.name.lower() in ("mini", *ALIASES) and folder != _MINI.resolve()
        return f"./{folder.name}" if is_mistakable else folder.name


def find_base(config: ModelConfig) -> BaseSource:
    """Resolve a model name and read the model's configuration, not yet its weights.

    Raises:
        ModelError: unknown name, hub out of reach, or a family other than Qwen2 and Qwen3.
    """
    location = _locate(config.name)
    hub = None if isinstance(location, Path) else find_on_hub(location, config.revision)
    folder = hub.folder() if hub else Path(location)
    _require_no_pipes(folder)
    try:
        model_config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # in a damaged or tampered folder, the libraries raise whatever they run into
        raise not_loadable(folder, error) from error
    if model_config.model_type not in _FAMILIES:
        raise ModelError(
            _(
                "{name} is a {kind} model; Koki trains the Qwen2 and Qwen3 families.",
                name=config.name,
                kind=model_config.model_type,
            ),
            _("Use one of {names}.", names=", ".join(["mini", *ALIASES])),
        )
    return BaseSource(config.name, folder, hub, hub.commit if hub else _fingerprint(folder), model_config)


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerBase:
    """The tokenizer in the folder of a base, a checkpoint or a run.

    Raises:
        ModelError: it cannot be read, or has no vocabulary.
    """
    _require_no_pipes(Path(folder))
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # in a damaged or tampered folder, the libraries raise whatever they run into
        raise not_loadable(folder, error) from error
    if tokenizer.vocab_size < _BYTES:  # where the files are missing, transformers makes one that knows no text
        raise ModelError(
            _("The tokenizer in {folder} has no vocabulary.", folder=folder), _("Its folder needs a tokenizer.json.")
        )
    return tokenizer


def licence_of(source: BaseSource) -> str | None:
    """The licence that a base's card names, such as ``apache-2.0``; None where there is no card, or it names none."""
    card = source.folder / "README.md"
    try:
        data = ModelCard(files.read_bytes(card, _LONGEST_CARD).decode("utf-8")).data
    except (OSError, ValueError, YAMLError):
        return None
    licence = data.get("license_name") if data.get("license") == "other" else data.get("license")
    return licence if isinstance(licence, str) else None


def set_pad_token(tokenizer: PreTrainedTokenizerBase, stop_id: int) -> None:
    """Give the tokenizer a pad token that is not the token it stops at.

    Were they one, masking the padding would mask the stop token as well and the model would never learn to stop.

    Raises:
        ModelError: as `pad_id`.
    """
    tokenizer.pad_token = str(tokenizer.convert_ids_to_tokens(pad_id(tokenizer, stop_id)))


def set_stop_token(tokenizer: PreTrainedTokenizerBase, stop_id: int) -> str | None:
    """Have the tokenizer name the token that ends an answer as its end, as those who load it by itself expect.

    Returns:
        The token that it named before, if that was another: its base was not trained to stop where its chat template
        says, and is no instruct model.
    """
    before, stop = tokenizer.eos_token, str(tokenizer.convert_ids_to_tokens(stop_id))
    tokenizer.eos_token = stop
    return None if before == stop else str(before)


def pad_id(tokenizer: PreTrainedTokenizerBase, stop_id: int) -> int:
    """The tokenizer's pad token, or where it has none other than the token it stops at, one that may stand for it.

    Raises:
        ModelError: the vocabulary has no token to spare.
    """
    if tokenizer.pad_token_id is not None and tokenizer.pad_token_id != stop_id:
        return int(tokenizer.pad_token_id)
    vocabulary = tokenizer.get_vocab()
    for candidate in _PAD_CANDIDATES:
        if vocabulary.get(candidate, stop_id) != stop_id:
            return int(vocabulary[candidate])
    raise ModelError(
        _("The tokenizer has no pad token other than its stop token."), _("Use a Qwen2 or Qwen3 tokenizer.")
    )


def _locate(name: str) -> Path | str:
    """What a model's name stands for: a folder of this machine, or a hub id.

    Raises:
        ModelError: neither.
    """
    if name == "mini":
        return _MINI
    if is_folder(name):
        return Path(name).expanduser().absolute()  # what is written of it is then true in any other folder
    if name.lower() in ALIASES:
        return ALIASES[name.lower()]
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise ModelError(
            _("There is no model {name!r}: neither a name Koki knows, nor a folder, nor a hub id.", name=name),
            _(
                "Names: {names}; a hub id looks like Qwen/Qwen2.5-0.5B-Instruct.",
                names=", ".join(["mini", *ALIASES]),
            ),
        )
    return name


def is_folder(name: str) -> bool:
    """Whether a model's name stands for a folder that is there, as the base that ships is."""
    return name == "mini" or (name.lower() not in ALIASES and Path(name).expanduser().is_dir())


def not_loadable(folder: str | Path, error: Exception) -> ModelError:
    """The error for a model or tokenizer that transformers could not load."""
    return ModelError(
        _("The model in {folder} cannot be loaded: {reason}", folder=folder, reason=_first_line(error)),
        _("Is the folder complete?"),
    )


def _require_no_pipes(folder: Path) -> None:
    """Refuse a folder with a pipe, for which the libraries would wait for ever, or a device, which has no end."""
    for entry in folder.glob("*"):
        if entry.exists() and not (entry.is_file() or entry.is_dir()):
            raise ModelError(
                _("{path} is a pipe or a device, not a file.", path=entry), _("Is the folder what it should be?")
            )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _fingerprint(folder: Path) -> str:
    """A digest of every byte of the weights and of what says how they are used: it tells two bases apart."""
    names = sorted({*folder.glob("*.safetensors"), *(folder / name for name in _BESIDE_WEIGHTS)})
    there = [file for file in names if file.is_file()]
    content = [f"{file.name}:{digest}\n" for file, digest in zip(there, sha256_of(there), strict=True)]
    return hashlib.sha256("".join(content).encode()).hexdigest()[:_FINGERPRINT_DIGITS]
