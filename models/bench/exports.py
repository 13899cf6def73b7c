"""Writes one model for every contender, from the same random weights.

    python exports.py SHAPE PRECISION FOLDER

FOLDER/checkpoint       safetensors, config, tokenizer: PyTorch and the model builder
FOLDER/genai            builder's export that takes token ids: onnxruntime-genai
FOLDER/squint-TOKENS    builder's export that takes embeddings, in hub layout, with a vision encoder of constant features:
                        Squint and ONNX Runtime's Python session
FOLDER/model.gguf       llama.cpp
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

import shapes

IMAGE = "<image>"
GGML = {"fp32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
        "int4": (gguf.GGMLQuantizationType.Q4_0, gguf.LlamaFileType.MOSTLY_Q4_0)}


def tokenizer(vocabulary):
    """256 bytes, the image token, and a word for every other id, so that any answer can be written down and read back."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {letter: number for number, letter in enumerate(letters)}
    words |= {f"<{number}>": number for number in range(len(words) + 1, vocabulary)}
    made = Tokenizer(models.BPE({**words, IMAGE: len(letters)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([IMAGE])
    return made


def checkpoint(shape, folder):
    model = shape.build()
    model.save_pretrained(folder)
    made = tokenizer(shape.numbers["vocab_size"])
    made.save(str(folder / "tokenizer.json"))
    write(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": made.id_to_token(shape.numbers["vocab_size"] - 1)})
    return model, made


def write(path, value):
    path.write_text(json.dumps(value, indent=1) + "\n")


def build(source, precision, out, *options):
    """onnxruntime-genai's own export of a checkpoint."""
    subprocess.run(
        [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", source, "-o", out, "-p", precision, "-e", "cpu",
         "-c", out / ".cache", *(["--extra_options", *options] if options else [])],
        check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(out / ".cache", ignore_errors=True)


def constant_encoder(features, path):
    """pixel_values [B,3,h,w] -> image_features [B,n,E], the same for every image."""
    nodes = [
        helper.make_node("Shape", ["pixel_values"], ["shape"]),
        helper.make_node("Slice", ["shape", "zero", "one"], ["batch"]),
        helper.make_node("Concat", ["batch", "rest"], ["whole"], axis=0),
        helper.make_node("Expand", ["features", "whole"], ["image_features"])]
    graph = helper.make_graph(
        nodes, "vision_encoder",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 3, "height", "width"])],
        [helper.make_tensor_value_info("image_features", TensorProto.FLOAT, ["batch", *features.shape])],
        [numpy_helper.from_array(features[None], "features"), numpy_helper.from_array(np.array([0]), "zero"),
         numpy_helper.from_array(np.array([1]), "one"),
         numpy_helper.from_array(np.array(features.shape, np.int64), "rest")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def embedding(table, path):
    sequence = ["batch_size", "sequence_length"]
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["inputs_embeds"])], "embed_tokens",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, sequence)],
        [helper.make_tensor_value_info("inputs_embeds", TensorProto.FLOAT, [*sequence, table.shape[1]])],
        [numpy_helper.from_array(table, "table")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path,
              save_as_external_data=True, location=path.name + "_data", size_threshold=1024)


def squint(shape, table, built, embed, source, tokens, out):
    """A LLaVA in hub layout around the builder's decoder and a graph that embeds text."""
    _, side = shapes.PROMPTS[tokens]
    (out / "onnx").mkdir(parents=True)
    for file in (*built.glob("model.onnx*"), *embed.glob("*")):
        (out / "onnx" / file.name).hardlink_to(file)
    (out / "onnx/model.onnx").rename(out / "onnx/decoder_model_merged.onnx")
    constant_encoder(table[shapes.visual_ids(shape, side * side)], out / "onnx/vision_encoder.onnx")
    shutil.copy(source / "tokenizer.json", out)
    shutil.copy(source / "tokenizer_config.json", out)
    text = json.loads((source / "config.json").read_text())
    write(out / "config.json", {
        "model_type": "llava", "architectures": ["LlavaForConditionalGeneration"], "text_config": text,
        "image_token_index": 256, "image_seq_length": side * side, "vision_feature_layer": -1,
        "vision_feature_select_strategy": "full",
        "vision_config": {
            "model_type": "siglip_vision_model", "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1,
            "num_attention_heads": 1, "image_size": side, "patch_size": 1}})
    write(out / "preprocessor_config.json", {
        "image_processor_type": "SiglipImageProcessor", "size": {"height": side, "width": side}, "resample": 3,
        "do_resize": True, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3})
    write(out / "generation_config.json", {"do_sample": False, "eos_token_id": text["eos_token_id"]})
    (out / "chat_template.jinja").write_text(
        "{% for message in messages %}{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}" + IMAGE + "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endfor %}")


GGUF_NAMES = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}


def to_gguf(shape, model, source, precision, path):
    config, (quantized, file_type) = model.config, GGML[precision]
    made = gguf.GGUFWriter(path, shape.kind)
    head = config.hidden_size // config.num_attention_heads
    made.add_context_length(config.max_position_embeddings)
    made.add_embedding_length(config.hidden_size)
    made.add_block_count(config.num_hidden_layers)
    made.add_feed_forward_length(config.intermediate_size)
    made.add_head_count(config.num_attention_heads)
    made.add_head_count_kv(config.num_key_value_heads)
    made.add_layer_norm_rms_eps(config.rms_norm_eps)
    made.add_rope_freq_base(config.rope_parameters["rope_theta"])
    made.add_rope_dimension_count(head)
    made.add_vocab_size(config.vocab_size)
    made.add_file_type(file_type)
    words = Tokenizer.from_file(str(source / "tokenizer.json"))
    made.add_tokenizer_model("gpt2")
    made.add_tokenizer_pre("gpt-2")
    made.add_token_list([words.id_to_token(number) for number in range(config.vocab_size)])
    made.add_token_types([gguf.TokenType.NORMAL] * config.vocab_size)
    made.add_token_merges(["a b"])
    made.add_eos_token_id(config.eos_token_id)
    for name, value in model.state_dict().items():
        array = value.numpy()
        key, kind = name.removeprefix("model.").rsplit(".", 1)
        if key.startswith("layers."):
            _, layer, part = key.split(".", 2)
            if shape.kind == "llama" and part in ("self_attn.q_proj", "self_attn.k_proj"):
                array = interleaved(array, head)
            key = f"blk.{layer}.{GGUF_NAMES[part]}"
        else:
            key = {"embed_tokens": "token_embd", "norm": "output_norm"}.get(key)
        if key is None:
            continue  # the head is the embedding
        if array.ndim == 2 and precision != "fp32":
            packed = gguf.quants.quantize(array, quantized)
            made.add_tensor(f"{key}.{kind}", packed, raw_dtype=quantized)
        else:
            made.add_tensor(f"{key}.{kind}", array)
    made.write_header_to_file()
    made.write_kv_data_to_file()
    made.write_tensors_to_file()
    made.close()


def interleaved(matrix, head):
    """Rows of a head as llama.cpp rotates them in models of kind llama: pairs side by side instead of halves."""
    rows, width = matrix.shape
    return matrix.reshape(rows // head, 2, head // 2, width).swapaxes(1, 2).reshape(rows, width)


def main(name, precision, folder):
    shape, folder = shapes.SHAPES[name], Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "checkpoint"
    model, _ = checkpoint(shape, source)
    build(source, precision, folder / "genai")
    build(source, precision, folder / "decoder", "exclude_embeds=true")
    table = model.get_input_embeddings().weight.detach().numpy()
    (folder / "embed").mkdir()
    embedding(table, folder / "embed/embed_tokens.onnx")
    for tokens in shapes.PROMPTS:
        squint(shape, table, folder / "decoder", folder / "embed", source, tokens, folder / f"squint-{tokens}")
    to_gguf(shape, model, source, precision, folder / "model.gguf")


if __name__ == "__main__":
    main(*sys.argv[1:])
