"""A run's own model, base and adapter in float32, as the judge of what a file made from it says."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import torch
from transformers import PreTrainedModel

from koki.model.base import load_base
from koki.model.device import detect_device
from koki.model.lora import load_adapter
from koki.runs.finished import FinishedRun, base_of


class Reference:
    """The model of a run in float32, the adapter beside its base as peft computes it: not as an export merges it.

    Args:
        head: the ids that every prompt begins with; they are read once.
    """

    def __init__(self, model: PreTrainedModel, head: Sequence[int]) -> None:
        self._model: Any = model.eval()
        self._head = list(head)
        with torch.inference_mode():
            self._read = self._model(self._ids(self._head), use_cache=True, logits_to_keep=1).past_key_values

    @classmethod
    def load(cls, run: FinishedRun, head: Sequence[int]) -> Self:
        """Load base and adapter; of a quantised base what it was before.

        Raises:
            RunError: the base is not what the run was trained on.
            ModelError: the base cannot be loaded.
            CheckpointError: the adapter is damaged or belongs to another base.
        """
        config = run.model_config().model_copy(update={"quantization": None})
        device = replace(detect_device("auto"), dtype=torch.float32)
        model: Any = load_adapter(load_base(base_of(run), config, device), run.folder, trainable=False)
        return cls(model, head)

    def logits(self, prompt: Sequence[int], answer: Sequence[int]) -> torch.Tensor:
        """What it thinks at each place of an answer, given the prompt and what stands before.

        Returns:
            (tokens of the answer, vocabulary), float32, on the CPU.
        """
        assert list(prompt[: len(self._head)]) == self._head
        with torch.inference_mode():
            output = self._model(
                self._ids([*prompt[len(self._head) :], *answer]),
                past_key_values=copy.deepcopy(self._read),
                logits_to_keep=len(answer) + 1,
            )
        # the last one is about what would follow the answer
        return torch.as_tensor(output.logits[0, :-1]).float().cpu()

    def _ids(self, ids: Sequence[int]) -> torch.Tensor:
        return torch.tensor([list(ids)], device=self._model.device)
