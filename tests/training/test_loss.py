"""The loss equals the plain computation: padded, full logits, transformers' own label smoother."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from bases import NAMES, draw, published
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from torch_helpers import on_device
from transformers import PreTrainedModel, Qwen2Config, Qwen2ForCausalLM
from transformers.trainer_pt_utils import LabelSmoother

from koki.model.attention import use_segmented_attention
from koki.model.lora_linear import fuse_lora
from koki.tokens.batches import StepCollator
from koki.tokens.dataset import IGNORED, Example
from koki.training import loss as loss_module
from koki.training.loss import SupervisedLoss, smoothed_cross_entropy, supervised_tokens

VOCABULARY = 97

ON_CUDA = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]


@pytest.fixture(scope="module", params=["cpu", pytest.param("cuda", marks=ON_CUDA)])
def model(request: pytest.FixtureRequest) -> Any:
    """A small Qwen2."""
    torch.manual_seed(0)
    shape = Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    )
    base = Qwen2ForCausalLM(shape)
    return adapted(base).to(request.param)


def adapted(base: PreTrainedModel) -> Any:
    """With LoRA on every projection, trained far enough that no gradient is zero."""
    use_segmented_attention(base)
    model = get_peft_model(base, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def examples_of(shape: Sequence[tuple[int, int]], vocabulary: int = VOCABULARY) -> list[Example]:
    """Examples of (tokens, tokens of the prompt); a prompt of none supervises all tokens."""
    generator = np.random.default_rng(sum(length for length, _ in shape))
    examples = []
    for length, prompt in shape:
        input_ids = generator.integers(1, vocabulary, length)
        labels = input_ids.copy()
        labels[: min(prompt, length - 1)] = IGNORED
        examples.append({"input_ids": input_ids, "labels": labels})
    return examples


def plain(model: PreTrainedModel, examples: list[Example], smoothing: float) -> torch.Tensor:
    """As transformers does it: padded to the longest, all logits, the mean over supervised tokens."""
    longest = max(len(example["input_ids"]) for example in examples)

    def padded(name: str, filler: int) -> torch.Tensor:
        rows = [np.pad(e[name], (0, longest - len(e[name])), constant_values=filler) for e in examples]
        return torch.from_numpy(np.stack(rows)).to(model.device)

    mask = (torch.arange(longest)[None] < torch.tensor([[len(e["input_ids"])] for e in examples])).long()
    mask = mask.to(model.device)
    logits = model(input_ids=padded("input_ids", 0), attention_mask=mask).logits
    loss: torch.Tensor = LabelSmoother(epsilon=smoothing)(
        {"logits": logits}, padded("labels", IGNORED), shift_labels=True
    )
    return loss


def koki(model: Any, examples: list[Example], smoothing: float, most: int) -> torch.Tensor:
    """As Koki does it: micro-batches without padding, each divided by the tokens of the step."""
    rows = [on_device(row, model.device) for row in StepCollator(most)(examples)["micro_batches"]]
    loss = SupervisedLoss(model.get_output_embeddings(), smoothing)
    return torch.stack([loss(model, row) for row in rows]).sum() / sum(supervised_tokens(row) for row in rows)


def gradients(model: Any, loss: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, [p for p in model.parameters() if p.requires_grad]))


def assert_close(ours: Sequence[torch.Tensor], theirs: Sequence[torch.Tensor]) -> None:
    # relative to the whole gradient: that of the keys is near zero where an example has two tokens
    size = torch.stack([gradient.norm() for gradient in theirs]).norm()
    for mine, gradient in zip(ours, theirs, strict=True):
        assert (mine - gradient).norm() <= 1e-5 * size


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    shape=st.lists(st.tuples(st.integers(2, 40), st.integers(0, 30)), min_size=1, max_size=6),
    smoothing=st.sampled_from([0.0, 0.1]),
    most=st.sampled_from([1, 30, 64, 1000]),
)
def test_loss_and_every_gradient_are_those_of_padded_examples_and_full_logits(
    model: Any, shape: list[tuple[int, int]], smoothing: float, most: int
) -> None:
    examples = examples_of(shape)
    expected, actual = plain(model, examples, smoothing), koki(model, examples, smoothing, most)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)
    assert_close(gradients(model, actual), gradients(model, expected))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_so_are_those_of_the_bases_by_name_in_their_published_shapes(name: str) -> None:
    # one of their layers; widths, heads, positions, vocabulary and head are the whole base's
    torch.manual_seed(0)
    model = adapted(draw(published(name, num_hidden_layers=1)))
    examples = examples_of([(5, 2), (3, 0)], model.config.vocab_size)
    expected = plain(model, examples, 0.1)
    theirs = gradients(model, expected)
    fuse_lora(model)
    actual = koki(model, examples, 0.1, most=6)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)
    assert_close(gradients(model, actual), theirs)


@given(
    tokens=st.integers(1, 9),
    smoothing=st.sampled_from([0.0, 0.1, 0.9]),
    at_once=st.sampled_from([1, 2 * VOCABULARY, 2**24]),
)
@settings(deadline=None)
def test_a_trained_head_has_its_gradient_too(tokens: int, smoothing: float, at_once: int) -> None:
    torch.manual_seed(tokens)
    hidden = torch.randn(tokens, 8, requires_grad=True)
    weight = torch.randn(VOCABULARY, 8, requires_grad=True)
    targets = torch.randint(VOCABULARY, (tokens,))
    expected = torch.nn.functional.cross_entropy(hidden @ weight.T, targets, label_smoothing=smoothing, reduction="sum")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loss_module, "LOGITS_AT_ONCE", at_once)
        actual = smoothed_cross_entropy(hidden, weight, targets, smoothing)
    torch.testing.assert_close(actual, expected)
    assert_close(torch.autograd.grad(actual * 3, [hidden, weight]), torch.autograd.grad(expected * 3, [hidden, weight]))


def test_the_head_gives_logits_again_after_the_loss(model: Any) -> None:
    examples = examples_of([(9, 3)])
    before = plain(model, examples, 0.1)
    koki(model, examples, 0.1, most=100)
    assert torch.equal(plain(model, examples, 0.1), before)


def test_without_gradients_the_loss_is_the_same(model: Any) -> None:
    examples = examples_of([(12, 3), (20, 5)])
    with torch.no_grad():
        evaluated = koki(model, examples, 0.1, most=100)
    assert torch.equal(evaluated, koki(model, examples, 0.1, most=100))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_stays_near_float32_on_a_gpu(dtype: torch.dtype) -> None:
    hidden, weight = torch.randn(64, 32, device="cuda"), torch.randn(512, 32, device="cuda")
    targets = torch.randint(512, (64,), device="cuda")
    half = smoothed_cross_entropy(hidden.to(dtype), weight.to(dtype), targets, 0.1)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, smoothed_cross_entropy(hidden, weight, targets, 0.1), rtol=1e-2, atol=0)
