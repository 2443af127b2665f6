"""The weights of a base with an adapter merged into them, one tensor at a time.

A projection W with the adapter's A and B is merged into W + B A lora_alpha / r (Hu et al. 2021, section 4.1), in
float32 whatever the base is stored as.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM

from koki import files
from koki.errors import CheckpointError, ModelError
from koki.language import _
from koki.model.lora import Shapes, read_settings, require_same
from koki.model.names import SETTINGS, WEIGHTS
from koki.model.source import BaseSource, not_loadable

_ONE_FILE: Final = "model.safetensors"
_INDEX: Final = "model.safetensors.index.json"
_LONGEST_INDEX: Final = 100_000_000  # bytes; that of a model of 400 layers has about 100,000
_PREFIX: Final = "base_model.model."  # peft's, before the base's own names
_A: Final = ".lora_A.weight"
_B: Final = ".lora_B.weight"
_BIAS: Final = ".base_layer.bias"


class MergedWeights:
    """The tensors of a base, with an adapter merged in or without, read from disk as they are asked for.

    It holds files open: use it in a ``with`` statement.

    Args:
        adapter: the folder that the adapter lies in; None is the base alone.

    Attributes:
        shapes: the name of each tensor of the model, as transformers has it, and its shape; a head that is the
            embedding has no tensor of its own.

    Raises:
        ModelError: the base is quantised, or its files are damaged or incomplete.
        CheckpointError: the adapter is damaged or belongs to another base.
    """

    def __init__(self, source: BaseSource, adapter: Path | None = None) -> None:
        _require_whole_numbers_of_bits(source)
        self._source = source
        self.shapes = _shapes_of(source)
        self._open = ExitStack()
        try:
            self._base = self._open_base()
            self._adapter, self._scale = self._open_adapter(adapter) if adapter else ({}, 0.0)
        except BaseException:
            self._open.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def __iter__(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Each name with its tensor."""
        for name in self.shapes:
            yield name, self.tensor(name)

    def tensor(self, name: str) -> torch.Tensor:
        """The merged tensor, in float32."""
        module, _, kind = name.rpartition(".")
        prefix = _PREFIX + module
        if kind == "bias" and prefix + _BIAS in self._adapter:
            return self._trained(prefix + _BIAS)
        tensor: torch.Tensor = self._base[name].get_tensor(name).float()
        if kind == "weight" and prefix + _A in self._adapter:
            # a new tensor: what is read from a base in float32 is the file's own memory
            return tensor + (self._trained(prefix + _B) @ self._trained(prefix + _A)) * self._scale
        return tensor

    def pairs(self) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
        """The adapter alone: the name of each weight that it changes, A (rank, columns) and B (rows, rank), in float32.

        Raises:
            ModelError: the adapter changes biases too, which no pair can say.
        """
        if any(name.endswith(_BIAS) for name in self._adapter):
            raise ModelError(
                _("This adapter was trained with lora.bias, and a LoRA file for llama.cpp holds no biases."),
                _("Export the whole model: leave --adapter out."),
            )
        for name in sorted(self._adapter):
            if name.endswith(_A):
                module = name.removesuffix(_A)
                weight = f"{module.removeprefix(_PREFIX)}.weight"
                yield weight, self._trained(name), self._trained(module + _B)

    def _trained(self, name: str) -> torch.Tensor:
        trained: torch.Tensor = self._adapter[name].get_tensor(name).float()
        return trained

    def _open_base(self) -> dict[str, Any]:
        """The file that each tensor of the base is in.

        Raises:
            ModelError: a file or a tensor is missing or damaged.
        """
        source = self._source
        folder = source.hub.folder(weights=True) if source.hub else source.folder
        try:
            there = self._tensors_in(*_weight_files(folder))
        except Exception as error:  # in a damaged or tampered folder, the libraries raise whatever they run into
            raise not_loadable(folder, error) from error
        for name, shape in self.shapes.items():
            found = tuple(there[name].get_slice(name).get_shape()) if name in there else None
            if found != shape:
                raise ModelError(
                    _(
                        "In the weights in {folder} {name} is {found}; its config.json has {shape}.",
                        folder=folder,
                        name=name,
                        found=found or _("missing"),
                        shape=shape,
                    ),
                    _("Is the folder complete?"),
                )
        return there

    def _open_adapter(self, folder: Path) -> tuple[dict[str, Any], float]:
        """The file that each tensor of the adapter is in, and what their product is multiplied by.

        Raises:
            CheckpointError: as the class.
        """
        try:
            config = read_settings(folder / SETTINGS)
            there = self._tensors_in(folder / WEIGHTS)
            found = {name: tuple(file.get_slice(name).get_shape()) for name, file in there.items()}
            self._require_fit(found, config.r)
        except Exception as error:  # in a damaged or tampered folder, the libraries raise whatever they run into
            raise CheckpointError(
                _("The adapter in {folder} does not fit the base model: {why}", folder=folder, why=error),
                _("Is the folder complete, as it was saved?"),
            ) from error
        return there, config.lora_alpha / config.r

    def _require_fit(self, found: Shapes, rank: int) -> None:
        """Check that an adapter consists of whole pairs and biases, each with its place in the base.

        Raises:
            ValueError: it does not.
        """
        expected: Shapes = {}
        for name in found:
            module = name.removeprefix(_PREFIX).partition(".lora_")[0].removesuffix(_BIAS)
            if name.endswith(_BIAS) and f"{module}.bias" in self.shapes:
                expected[name] = self.shapes[f"{module}.bias"]
            elif f"{module}.weight" in self.shapes:
                rows, columns = self.shapes[f"{module}.weight"]
                expected |= {_PREFIX + module + _A: (rank, columns), _PREFIX + module + _B: (rows, rank)}
        require_same(found, expected)

    def _tensors_in(self, *paths: Path) -> dict[str, Any]:
        opened = [self._open.enter_context(safe_open(path, "pt")) for path in paths]
        return {name: file for file in opened for name in file.keys()}  # noqa: SIM118


def require_float16(name: str, tensor: torch.Tensor, otherwise: str) -> None:
    """Check that a tensor can be rounded to float16.

    Args:
        otherwise: what to do where it cannot.

    Raises:
        ModelError: a value is too large.
    """
    if float(tensor.abs().max()) > torch.finfo(torch.float16).max:
        raise ModelError(_("{name} has a value that float16 cannot hold.", name=name), _(otherwise))


def _weight_files(folder: Path) -> list[Path]:
    """The files with a model's weights: one, or those that its index names.

    Raises:
        OSError, ValueError, KeyError, AttributeError: there is none, or the index is damaged.
    """
    if not (folder / _INDEX).is_file():
        return [folder / _ONE_FILE]
    index = json.loads(files.read_bytes(folder / _INDEX, _LONGEST_INDEX))
    return [folder / files.file_name(name) for name in sorted(set(index["weight_map"].values()))]


def _shapes_of(source: BaseSource) -> Shapes:
    """What a model of this configuration consists of; no memory is taken for it."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(source.config)
    tied = {"lm_head.weight"} if source.config.tie_word_embeddings else set()
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items() if name not in tied}


def _require_whole_numbers_of_bits(source: BaseSource) -> None:
    """Refuse a base that was saved quantised: what an adapter adds to it is lost when its weights are rounded again."""
    if getattr(source.config, "quantization_config", None):
        raise ModelError(
            _(
                "The base {public_name} was saved quantised, so no adapter can be merged into its weights.",
                public_name=source.public_name,
            ),
            _("Train on the same model as it was before, such as Qwen/Qwen2.5-0.5B-Instruct for its 4-bit form."),
        )
