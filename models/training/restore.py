"""Reads the weights of an exported squint-tiny back into PyTorch, so that references and further training need no checkpoint.

TorchScript's exporter transposes the weights of MatMul nodes and names them anew, but names the nodes after their modules,
and replaces equal tensors by Identity nodes. Position embeddings lie in the file as a grid (`export.take_any_size`). The model
builder joins the projections of queries, keys and values in one matrix. The last vision layer and the post-norm are not in the
file (the feature layer is -2): they stay as initialised.
"""

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer

import model

PREFIXES = {
    "vision_encoder": {"embeddings.": "model.vision_tower.embeddings.", "pre_norm.": "model.vision_tower.pre_layrnorm.",
                       "encoder.": "model.vision_tower.encoder.", "projector.": "model.multi_modal_projector."},
    "embed_tokens": {"weight": "model.language_model.embed_tokens.weight"},
    "decoder_model_merged": {"model.": "model.language_model.", "lm_head.": "lm_head.",
                             "decoder.": "model.language_model.", "head.": "lm_head."},
}
POSITIONS = "model.vision_tower.embeddings.position_embedding.weight"
FINAL_NORM = f"layers.{model.LAYERS}.final_norm_layernorm.weight"
NOT_EXPORTED = ("model.vision_tower.encoder.layers.5.", "model.vision_tower.post_layernorm.")


def tensors(path):
    """{parameter name in the exported module: tensor}"""
    graph = onnx.load(path).graph
    stored = {one.name: torch.tensor(numpy_helper.to_array(one)) for one in graph.initializer}
    found = dict(stored)
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in stored:
            found[node.output[0]] = stored[node.input[0]]
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in found:
            owner = node.name.strip("/").removesuffix("/MatMul").replace("/", ".")
            found[owner + ".weight"] = found[node.input[1]].T
    for name in [name for name in found if name.endswith(".MatMul.weight")]:
        found |= built(name, found[name].T)
    grid = found.get("/embeddings/position_embedding/grid")
    if grid is not None:
        found["embeddings.position_embedding.weight"] = torch.cat(
            [found["/embeddings/position_embedding/cls"][0], grid[0].flatten(1).T])
    return found


def built(name, matrix):
    """{parameter name: tensor} of a matrix of the model builder."""
    owner = name.removesuffix(".MatMul.weight")
    if not owner.endswith("qkv_proj"):
        return {owner.replace(".attn.", ".self_attn.") + ".weight": matrix}
    width = matrix.shape[1]
    parts = matrix.split([width, (matrix.shape[0] - width) // 2, (matrix.shape[0] - width) // 2])
    return {owner.replace("attn.qkv_proj", f"self_attn.{letter}_proj") + ".weight": part for letter, part in zip("qkv", parts)}


def stretched(table, patches):
    """Position embeddings [1 + n, W] of a grid, brought to a grid of another size bicubically; [CLS] stays."""
    if len(table) == patches + 1:
        return table
    old, new = round((len(table) - 1) ** 0.5), round(patches ** 0.5)
    grid = table[1:].T.reshape(1, -1, old, old)
    grid = torch.nn.functional.interpolate(grid, size=(new, new), mode="bicubic", align_corners=False)
    return torch.cat([table[:1], grid[0].flatten(1).T])


def load(folder, attention="eager"):
    """(LlavaForConditionalGeneration in eval mode, Tokenizer) of a folder in hub layout."""
    folder = Path(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    llava = model.build(tokenizer, attention)
    state = {}
    for name, prefixes in PREFIXES.items():
        for key, value in tensors(folder / "onnx" / f"{name}.onnx").items():
            for old, new in prefixes.items():
                if key.startswith(old):
                    state[new + key[len(old):].replace(FINAL_NORM, "norm.weight")] = value
    state[POSITIONS] = stretched(state[POSITIONS], llava.model.vision_tower.embeddings.num_patches)
    wanted = {key for key in llava.state_dict() if not key.startswith(NOT_EXPORTED)}
    lost = sorted(wanted - state.keys())
    if lost:
        raise SystemExit(f"{folder} lacks {len(lost)} parameters, such as {lost[0]}")
    llava.load_state_dict({key: state[key] for key in wanted}, strict=False)
    return llava.eval(), tokenizer
