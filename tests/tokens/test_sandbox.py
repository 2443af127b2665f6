"""A chat template is rendered within limits, which hold no longer than it takes."""

import resource
import sys
from contextlib import suppress

import pytest
from transformers import PreTrainedTokenizerBase

from koki.config import ModelConfig
from koki.errors import ModelError
from koki.model.source import find_base, load_tokenizer
from koki.tokens.sandbox import render

MESSAGES = [{"role": "system", "content": "Kamu Koki."}, {"role": "user", "content": "Resep soto?"}]


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerBase:
    return load_tokenizer(find_base(ModelConfig(name="mini")).location)


def test_a_template_is_rendered_as_apply_chat_template_renders_it(tokenizer: PreTrainedTokenizerBase) -> None:
    assert render(tokenizer, MESSAGES) == tokenizer.apply_chat_template(MESSAGES, tokenize=False)


@pytest.mark.parametrize("template", ["{{ messages[0].content }}", "{{ 1/0 }}"])
def test_after_a_template_the_process_is_watched_and_limited_as_before(
    tokenizer: PreTrainedTokenizerBase, template: str
) -> None:
    tokenizer.chat_template = template
    before = sys.gettrace(), resource.getrlimit(resource.RLIMIT_AS)
    with suppress(ModelError):
        render(tokenizer, MESSAGES)
    assert (sys.gettrace(), resource.getrlimit(resource.RLIMIT_AS)) == before


@pytest.mark.parametrize("template", ["{{ 2 ** 3 }}", "{% if false %}{{ 2 ** 3 }}{% endif %}"])
def test_a_template_with_a_power_is_refused_before_it_runs(tokenizer: PreTrainedTokenizerBase, template: str) -> None:
    tokenizer.chat_template = template
    with pytest.raises(ModelError, match="cannot be used: it raises a number to a power"):
        render(tokenizer, MESSAGES)


def test_two_stars_in_a_text_are_no_power(tokenizer: PreTrainedTokenizerBase) -> None:
    tokenizer.chat_template = "**{{ messages[0].content ~ '**' }}"
    assert render(tokenizer, MESSAGES) == "**Kamu Koki.**"
