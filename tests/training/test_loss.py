"""The loss equals the plain computation: padded, full logits, transformers' own label smoother."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedModel, Qwen2Config, Qwen2ForCausalLM
from transformers.trainer_pt_utils import LabelSmoother

from koki.tokens.dataset import IGNORED
from koki.training.loss import supervised_loss


@pytest.fixture(scope="module")
def model() -> PreTrainedModel:
    torch.manual_seed(0)
    shape: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }
    return Qwen2ForCausalLM(Qwen2Config(vocab_size=97, num_key_value_heads=2, tie_word_embeddings=True, **shape))


def batch_of(lengths: list[int], prompts: list[int]) -> dict[str, torch.Tensor]:
    longest = max(lengths)
    generator = torch.Generator().manual_seed(sum(lengths))
    input_ids = torch.randint(1, 97, (len(lengths), longest), generator=generator)
    attention_mask = torch.tensor([[1] * n + [0] * (longest - n) for n in lengths])
    labels = input_ids.masked_fill(attention_mask == 0, IGNORED)
    for row, (length, prompt) in enumerate(zip(lengths, prompts, strict=True)):
        labels[row, : min(prompt, length - 1)] = IGNORED
    return {"input_ids": input_ids * attention_mask, "attention_mask": attention_mask, "labels": labels}


def plain(model: PreTrainedModel, batch: dict[str, torch.Tensor], smoothing: float) -> Any:
    outputs = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
    return LabelSmoother(epsilon=smoothing)({"logits": outputs.logits}, batch["labels"], shift_labels=True)


def gradients(model: PreTrainedModel, loss: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, [p for p in model.parameters() if p.requires_grad]))


@settings(max_examples=30, deadline=None)
@given(
    shape=st.lists(st.tuples(st.integers(2, 40), st.integers(0, 30)), min_size=1, max_size=4),
    smoothing=st.sampled_from([0.0, 0.1]),
)
def test_loss_and_gradients_are_those_of_full_logits(
    model: PreTrainedModel, shape: list[tuple[int, int]], smoothing: float
) -> None:
    batch = batch_of([length for length, _ in shape], [prompt for _, prompt in shape])
    expected = plain(model, batch, smoothing)
    actual, _ = supervised_loss(model, batch, label_smoothing=smoothing)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)
    # relative to the whole gradient: that of a bias of the keys is 0 in exact arithmetic
    theirs = gradients(model, expected)
    size = torch.stack([gradient.norm() for gradient in theirs]).norm()
    for ours, gradient in zip(gradients(model, actual), theirs, strict=True):
        assert (ours - gradient).norm() <= 1e-5 * size


def test_the_logits_of_unsupervised_positions_are_never_built(model: PreTrainedModel) -> None:
    _, outputs = supervised_loss(model, batch_of([30], [25]), label_smoothing=0.1)
    assert outputs.logits.shape == (1, 5, 97)


def test_micro_batches_divided_by_the_tokens_of_the_step_add_up_to_the_whole_batch(model: PreTrainedModel) -> None:
    lengths, prompts = [40, 9, 22, 5], [10, 2, 20, 1]
    tokens = int((batch_of(lengths, prompts)["labels"][:, 1:] != IGNORED).sum())
    whole, _ = supervised_loss(model, batch_of(lengths, prompts), label_smoothing=0.1)
    batch = batch_of(lengths, prompts)
    parts = [
        supervised_loss(
            model,
            {name: tensor[row : row + 1] for name, tensor in batch.items()},
            label_smoothing=0.1,
            supervised_tokens=tokens,
        )[0]
        for row in range(4)
    ]
    torch.testing.assert_close(torch.stack(parts).sum(), whole)
