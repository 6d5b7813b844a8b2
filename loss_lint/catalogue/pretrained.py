"""transformers' models that compute a loss themselves, and the collators that make labels for them."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Models whose loss is the mean cross entropy over the tokens whose label is not -100, by how they are made.
_TOKEN_MODELS = re.compile(
    r"^transformers\.(\w+\.)*(\w+For(CausalLM|Seq2SeqLM|ConditionalGeneration|MaskedLM|TokenClassification"
    r"|SpeechSeq2Seq|Vision2Seq|ImageTextToText)|\w+LMHeadModel|\w*EncoderDecoderModel)"
    r"(\.from_(\w+_)*(pretrained|config))?$"
)

# What wraps such a model, its first argument, and computes the same loss.
ADAPTERS = frozenset({"peft.get_peft_model", "peft.PeftModel.from_pretrained"})


@dataclass(frozen=True, slots=True)
class Collator:
    """A collator of token labels.

    It pads labels by its parameter `padding` (-100 unless given), or, if `draws` (a parameter that is true unless
    given) is true, puts -100 wherever it draws none.
    """

    padding: str = ""
    draws: str = ""


COLLATORS: dict[str, Collator] = {
    "DataCollatorForSeq2Seq": Collator(padding="label_pad_token_id"),
    "DataCollatorForTokenClassification": Collator(padding="label_pad_token_id"),
    "DataCollatorForLanguageModeling": Collator(draws="mlm"),
    "DataCollatorForWholeWordMask": Collator(draws="mlm"),
}


def is_token_model(name: str) -> bool:
    """Whether what makes an object, or its class, is that of a model whose loss is a mean over labelled tokens."""
    return _TOKEN_MODELS.match(name) is not None


def collator(name: str) -> Collator | None:
    package, _, cls = name.rpartition(".")
    return COLLATORS.get(cls) if package.partition(".")[0] == "transformers" else None
