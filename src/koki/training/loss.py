"""Label-smoothed cross-entropy at the supervised positions only, in chunks, in one forward."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import torch
from torch import nn

from koki.tokens.dataset import IGNORED

# Logits in memory at a time: 64 MiB in float32. More is no faster, less makes the matrix products too narrow.
LOGITS_AT_ONCE: Final = 2**24

Batch = dict[str, Any]


class SupervisedLoss:
    """The loss of a causal language model over the supervised tokens of a batch.

    The model's head computes it from the hidden states at the positions that predict a supervised token; logits exist
    for a chunk of them at a time, and only within `smoothed_cross_entropy`.

    Args:
        head: the model's output embeddings, without a bias, as Qwen2's and Qwen3's are.
        label_smoothing: 0 is plain cross-entropy.
    """

    def __init__(self, head: nn.Module, label_smoothing: float) -> None:
        self._head = cast(nn.Linear, head)
        self._label_smoothing = label_smoothing

    def __call__(self, model: nn.Module, batch: Batch) -> torch.Tensor:
        """The summed loss, a float32 scalar.

        Args:
            model: called with everything in ``batch`` but the labels; it may be wrapped (LoRA, DDP, FSDP).
            batch: ``input_ids`` and unshifted ``labels``, each of shape (1, tokens), and what the model needs.
        """
        inputs = {name: value for name, value in batch.items() if name != "labels"}
        labels = batch["labels"][0, 1:]  # the token at position t is predicted from position t - 1
        positions = (labels != IGNORED).nonzero().squeeze(1)
        with _instead_of_logits(self._head, lambda hidden: self._of(hidden[0], labels[positions])):
            loss: torch.Tensor = model(**inputs, logits_to_keep=positions, use_cache=False).logits
        return loss

    def _of(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        weight = self._head.weight
        return smoothed_cross_entropy(
            hidden.to(weight.device), weight, targets.to(weight.device), self._label_smoothing
        )


def supervised_tokens(batch: Batch) -> torch.Tensor:
    """How many tokens of a batch are predicted and supervised, a scalar."""
    labels: torch.Tensor = batch["labels"]
    return (labels[:, 1:] != IGNORED).sum()


def smoothed_cross_entropy(
    hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor, label_smoothing: float
) -> torch.Tensor:
    """Summed cross-entropy of ``hidden @ weight.T`` against smoothed targets.

    The target puts ``1 - label_smoothing`` on the label and spreads the rest evenly over the vocabulary (Szegedy et
    al. 2016, section 7), as transformers' LabelSmoother and torch's cross_entropy do.

    Args:
        hidden: (tokens, width), in any floating type; logits are reduced in float32.
        weight: (vocabulary, width).
        targets: (tokens,).

    Returns:
        A float32 scalar.
    """
    loss: torch.Tensor = cast(Any, _SmoothedCrossEntropy).apply(hidden, weight, targets, label_smoothing)
    return loss


class _SmoothedCrossEntropy(torch.autograd.Function):
    """Loss and gradients, chunk by chunk, in the forward pass: logits never outlive their chunk.

    With p the softmax and q the smoothed target, a token's loss is -sum(q log p), its gradient for the logits p - q.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor, label_smoothing: float
    ) -> torch.Tensor:
        wants_hidden, wants_weight, *_ = ctx.needs_input_grad
        vocabulary = weight.shape[0]
        loss = torch.zeros((), dtype=torch.float32, device=hidden.device)
        hidden_gradient = torch.empty_like(hidden, dtype=torch.float32) if wants_hidden else None
        weight_gradient = torch.zeros_like(weight, dtype=torch.float32) if wants_weight else None
        for start in range(0, len(hidden), max(1, LOGITS_AT_ONCE // vocabulary)):
            rows = slice(start, start + max(1, LOGITS_AT_ONCE // vocabulary))
            labels = targets[rows, None]
            log_probabilities = torch.log_softmax(hidden[rows] @ weight.T, dim=-1, dtype=torch.float32)
            loss -= (1 - label_smoothing) * log_probabilities.gather(1, labels).sum()
            if label_smoothing:
                loss -= label_smoothing / vocabulary * log_probabilities.sum()
            if hidden_gradient is None and weight_gradient is None:
                continue
            gradient = log_probabilities.exp_()
            if label_smoothing:
                gradient -= label_smoothing / vocabulary
            gradient.scatter_add_(1, labels, torch.full_like(labels, label_smoothing - 1, dtype=torch.float32))
            gradient = gradient.to(weight.dtype)
            if hidden_gradient is not None:
                hidden_gradient[rows] = gradient @ weight
            if weight_gradient is not None:
                weight_gradient += gradient.T @ hidden[rows]
        ctx.save_for_backward(hidden_gradient, weight_gradient)
        ctx.types = hidden.dtype, weight.dtype
        return loss

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None, None, None]:
        hidden_gradient, weight_gradient = (
            None if gradient is None else (gradient * grad_output).to(dtype)
            for gradient, dtype in zip(ctx.saved_tensors, ctx.types, strict=True)
        )
        return hidden_gradient, weight_gradient, None, None


@contextmanager
def _instead_of_logits(head: nn.Module, loss: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[None]:
    """While entered, the head makes a loss of the hidden states that it is given.

    So the loss comes out of the model's own forward, through whatever wraps it, in place of the logits, and the head's
    weight is read where a wrapper that spreads weights over processes has it in one piece.
    """
    forward = head.__dict__.get("forward")
    head.forward = loss
    try:
        yield
    finally:
        del head.forward
        if forward is not None:  # accelerate's hooks stand there when a model is spread over several GPUs
            head.forward = forward
