"""Writes a model of a shape for OpenVINO GenAI: FOLDER/openvino.

    python exports_openvino.py SHAPE PRECISION FOLDER

Its CDPruner prunes Qwen2-VL and its successors only, so the decoder of the shape is put behind a Qwen2-VL tower of one layer. The
weights are random too, but not those of the other contenders, and the prompt has Qwen's marks around an image.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

import shapes

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")


def tokenizer(vocabulary):
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {letter: number for number, letter in enumerate(letters)}
    words |= {name: len(letters) + number for number, name in enumerate(SPECIAL)}
    words |= {f"<{number}>": number for number in range(len(words), vocabulary)}
    made = Tokenizer(models.BPE(words, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL])
    return transformers.Qwen2TokenizerFast(
        tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=TEMPLATE)


def checkpoint(shape, folder):
    words = tokenizer(shape.numbers["vocab_size"])
    ids = {name: words.convert_tokens_to_ids(name) for name in SPECIAL}
    config = transformers.Qwen2VLConfig(
        text_config={
            **shape.numbers, "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "bos_token_id": ids["<|endoftext|>"],
            "eos_token_id": ids["<|im_end|>"], "pad_token_id": ids["<|endoftext|>"],
            "rope_scaling": {"type": "mrope", "mrope_section": sections(shape)}},
        vision_config={"depth": 1, "embed_dim": 64, "hidden_size": shape.numbers["hidden_size"], "num_heads": 2, "mlp_ratio": 1},
        image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"], tie_word_embeddings=True)
    torch.manual_seed(shapes.SEED)
    transformers.Qwen2VLForConditionalGeneration(config).float().save_pretrained(folder)
    sizes = {"shortest_edge": 28 * 28, "longest_edge": 1024 * 28 * 28}
    transformers.Qwen2VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(size=sizes), tokenizer=words,
        video_processor=transformers.Qwen2VLVideoProcessor(size=sizes), chat_template=TEMPLATE).save_pretrained(folder)


def sections(shape):
    """A quarter of the rotary frequencies tells the frame, the rest row and column."""
    half = shape.numbers["hidden_size"] // shape.numbers["num_attention_heads"] // 2
    return [half // 4, half * 3 // 8, half * 3 // 8]


def main(name, precision, folder):
    out = Path(folder) / "openvino"
    shutil.rmtree(out, ignore_errors=True)
    with tempfile.TemporaryDirectory() as room:
        checkpoint(shapes.SHAPES[name], Path(room))
        format = ["fp32"] if precision == "fp32" else ["int4", "--sym", "--group-size", "32", "--ratio", "1.0"]
        subprocess.run(
            [Path(sys.executable).parent / "optimum-cli", "export", "openvino", "--model", room, "--task", "image-text-to-text",
             "--weight-format", *format, out], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
