"""A run's own model, base and adapter in float32, as the judge of what a file made from it says."""

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
    """The model of a run in float32, the adapter beside its base as peft computes it: not as an export merges it."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._model: Any = model.eval()

    @classmethod
    def load(cls, run: FinishedRun) -> Self:
        """Load base and adapter; of a quantised base what it was before.

        Raises:
            RunError: the base is not what the run was trained on.
            ModelError: the base cannot be loaded.
            CheckpointError: the adapter is damaged or belongs to another base.
        """
        config = run.model_config().model_copy(update={"quantization": None})
        device = replace(detect_device("auto"), dtype=torch.float32)
        model: Any = load_adapter(load_base(base_of(run), config, device), run.folder, trainable=False)
        return cls(model)

    def logits(self, prompt: Sequence[int], answer: Sequence[int]) -> torch.Tensor:
        """What it thinks at each place of an answer, given the prompt and what stands before.

        Returns:
            (tokens of the answer, vocabulary), float32, on the CPU.
        """
        ids = torch.tensor([[*prompt, *answer]], device=self._model.device)
        with torch.inference_mode():
            # the last one is about what would follow the answer
            output = self._model(ids, logits_to_keep=len(answer) + 1).logits[0, :-1]
        return torch.as_tensor(output).float().cpu()
