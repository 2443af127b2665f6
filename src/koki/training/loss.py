"""Label-smoothed cross-entropy at the supervised positions only."""

from typing import Any

import torch
from torch.nn import functional

from koki.tokens.dataset import IGNORED


def supervised_loss(
    model: torch.nn.Module,
    batch: dict[str, torch.Tensor],
    *,
    label_smoothing: float,
    supervised_tokens: torch.Tensor | int | None = None,
) -> tuple[torch.Tensor, Any]:
    """The mean loss over supervised tokens, from logits at their positions alone.

    The smoothed target puts ``1 - label_smoothing`` on the label and spreads the rest evenly over the vocabulary
    (Szegedy et al. 2016, section 7), as transformers' LabelSmoother does. The full logits, tokens x vocabulary,
    are never built: the model is asked for the columns in which some row has a label.

    Args:
        model: a causal language model whose forward takes ``logits_to_keep``.
        batch: ``input_ids``, ``attention_mask`` and unshifted ``labels``, each of shape (examples, length).
        label_smoothing: 0 is plain cross-entropy.
        supervised_tokens: of the whole optimizer step, by which the summed loss is divided; by default those of
            this batch.

    Returns:
        The loss, a float32 scalar, and the model's outputs.
    """
    labels = batch["labels"]
    supervised = labels != IGNORED
    # the token at position t is predicted from position t - 1
    columns = supervised[:, 1:].any(dim=0).nonzero().squeeze(1)
    outputs = model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], logits_to_keep=columns, use_cache=False
    )
    targets = labels[:, columns + 1]
    summed = functional.cross_entropy(
        outputs.logits.flatten(0, 1).float(),
        targets.flatten(),
        ignore_index=IGNORED,
        label_smoothing=label_smoothing,
        reduction="sum",
    )
    if supervised_tokens is None:
        supervised_tokens = supervised[:, 1:].sum()
    return summed / supervised_tokens, outputs
