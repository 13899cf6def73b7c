"""The models that are compared: shapes of public decoders, random weights.

A prompt is a beginning, visual tokens and a question. The visual features are rows of the token embedding, so that a peer which
takes nothing but token ids runs the same prompt, and the same weights give the same answer.
"""

from dataclasses import dataclass

import numpy as np

SEED = 20261130


@dataclass(frozen=True)
class Shape:
    """A decoder of transformers: its class and the numbers of its config."""

    kind: str
    numbers: dict

    def config(self):
        import transformers

        made = {"qwen2": transformers.Qwen2Config, "llama": transformers.LlamaConfig}[self.kind]
        return made(**self.numbers, max_position_embeddings=8192, tie_word_embeddings=True, rms_norm_eps=1e-5,
                    bos_token_id=0, eos_token_id=self.numbers["vocab_size"] - 1, pad_token_id=0, dtype="float32")

    def build(self):
        """The model in float32, its weights drawn so that activations stay in range and answers vary."""
        import torch
        import transformers

        model = transformers.AutoModelForCausalLM.from_config(self.config(), dtype=torch.float32)
        generator = torch.Generator().manual_seed(SEED)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                noise = torch.randn(parameter.shape, generator=generator)
                if parameter.dim() == 1:
                    parameter.copy_((1.0 if "norm" in name else 0.0) + 0.02 * noise)
                elif "embed" in name:
                    parameter.copy_(0.2 * noise * parameter.shape[1] ** -0.5)
                else:
                    parameter.copy_(1.6 * noise * parameter.shape[1] ** -0.5)
        return model.eval()


SHAPES = {
    "smolvlm-256m": Shape("llama", dict(
        vocab_size=49280, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
        num_key_value_heads=3)),
    "qwen2-0.5b": Shape("qwen2", dict(
        vocab_size=151936, hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14,
        num_key_value_heads=2)),
    "trial": Shape("qwen2", dict(
        vocab_size=2048, hidden_size=128, intermediate_size=256, num_hidden_layers=6, num_attention_heads=4,
        num_key_value_heads=2)),
}

# Visual tokens of a prompt: how many images, and the side of each one's grid.
PROMPTS = {144: (1, 12), 576: (1, 24), 729: (1, 27), 1296: (1, 36), 2048: (2, 32), 2304: (1, 48), 4096: (1, 64)}
BEFORE, AFTER = "user: ", "\nwhat is in the image? assistant:"


def visual_ids(shape, count):
    """Token ids [count] whose embeddings are the visual features of one image of so many tokens."""
    return np.random.default_rng(count).integers(1000, shape.numbers["vocab_size"] - 1000, count)


def prompt_ids(shape, tokenizer, tokens):
    """The whole prompt as token ids; tokenizer is tokenizers.Tokenizer."""
    images, side = PROMPTS[tokens]
    visual = visual_ids(shape, side * side).tolist() * images
    return [*tokenizer.encode(BEFORE).ids, *visual, *tokenizer.encode(AFTER).ids]
