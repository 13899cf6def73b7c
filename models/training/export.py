"""Exports a trained run to the hub layout and indexes the files: the tower with torch.onnx.export (TorchScript), the decoder
with onnxruntime-genai's model builder.

    python export.py --run runs/tiny --out ../tiny/src/main/resources/squint-tiny

With `--check PATH` (easy-VQA) it then compares ONNX Runtime with PyTorch: logits, and greedy answers on 1,000 questions.
"""

import argparse
import copy
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM, LlavaForConditionalGeneration

import data
import easyvqa
import model
import scenes

OPSET = 14


class Vision(torch.nn.Module):
    """Tower up to the feature layer, [CLS] dropped, projector."""

    def __init__(self, llava):
        super().__init__()
        tower = copy.deepcopy(llava.model.vision_tower)
        del tower.encoder.layers[llava.config.vision_feature_layer + 1:]
        self.embeddings, self.pre_norm, self.encoder = tower.embeddings, tower.pre_layrnorm, tower.encoder
        self.projector = llava.model.multi_modal_projector

    def forward(self, pixel_values):
        hidden = self.pre_norm(self.embeddings(pixel_values))
        return self.projector(self.encoder(inputs_embeds=hidden).last_hidden_state[:, 1:])


def to_onnx(module, arguments, path, inputs, outputs, axes):
    torch.onnx.export(module, arguments, str(path), input_names=inputs, output_names=outputs, dynamic_axes=axes,
                      opset_version=OPSET, dynamo=False)


@torch.no_grad()
def graphs(llava, tokenizer, folder):
    folder.mkdir(parents=True)
    decoder(llava, tokenizer, folder / "decoder_model_merged.onnx")
    to_onnx(llava.get_input_embeddings(), (torch.ones(1, 3, dtype=torch.long),), folder / "embed_tokens.onnx",
            ["input_ids"], ["inputs_embeds"], {"input_ids": {0: "batch_size", 1: "sequence_length"}})
    side = scenes.SIDE
    to_onnx(Vision(llava), (torch.randn(1, 3, side, side),), folder / "vision_encoder.onnx",
            ["pixel_values"], ["image_features"], {"pixel_values": {0: "batch_size"}})
    take_any_size(folder / "vision_encoder.onnx")


def decoder(llava, tokenizer, path):
    """The decoder as onnxruntime-genai's model builder writes it: twelve nodes a layer, attention in one."""
    with tempfile.TemporaryDirectory() as room:
        source, built = Path(room) / "checkpoint", Path(room) / "built"
        text = LlamaForCausalLM(llava.config.text_config)
        text.model.load_state_dict(llava.model.language_model.state_dict())
        text.lm_head.load_state_dict(llava.lm_head.state_dict())
        text.save_pretrained(source)
        tokenizer.save(str(source / "tokenizer.json"))
        write_json(source / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"})
        subprocess.run(
            [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", source, "-o", built, "-p", "fp32", "-e", "cpu",
             "-c", Path(room) / "cache", "--extra_options", "exclude_embeds=true"],
            check=True, stdout=subprocess.DEVNULL)
        onnx.save(onnx.load(built / "model.onnx"), path)


def take_any_size(path):
    """Lets the encoder take any height and width that are multiples of a patch: position embeddings are stretched over
    the grid bicubically, as transformers' `interpolate_pos_encoding` does. On the native grid they stay as they are."""
    onnx_model = onnx.load(path)
    graph = onnx_model.graph
    table = next(t for t in graph.initializer if t.name == "embeddings.position_embedding.weight")
    gather = next(n for n in graph.node if n.op_type == "Gather" and n.input[0] == table.name)
    patches = next(n for n in graph.node if n.op_type == "Conv").output[0]
    rows = onnx.numpy_helper.to_array(table)
    side = int((len(rows) - 1) ** 0.5)
    grid = rows[1:].reshape(1, side, side, -1).transpose(0, 3, 1, 2)
    prefix = "/embeddings/position_embedding/"
    constants = {"cls": rows[None, :1], "grid": np.ascontiguousarray(grid), "two": np.array([2]), "four": np.array([4]),
                 "outer": np.array([1, rows.shape[1]]), "flat": np.array([0, 0, -1])}
    names = {key: prefix + key for key in constants}
    steps = [
        ("Shape", [patches], "shape", {}),
        ("Slice", [prefix + "shape", names["two"], names["four"]], "inner", {}),
        ("Concat", [names["outer"], prefix + "inner"], "sizes", {"axis": 0}),
        ("Resize", [names["grid"], "", "", prefix + "sizes"], "stretched",
         {"mode": "cubic", "cubic_coeff_a": -0.75, "coordinate_transformation_mode": "pytorch_half_pixel"}),
        ("Reshape", [prefix + "stretched", names["flat"]], "columns", {}),
        ("Transpose", [prefix + "columns"], "patches", {"perm": [0, 2, 1]}),
        ("Concat", [names["cls"], prefix + "patches"], None, {"axis": 1})]
    nodes = [onnx.helper.make_node(op, inputs, [prefix + out if out else gather.output[0]],
                                   name=prefix + (out or "all"), **attributes)
             for op, inputs, out, attributes in steps]
    place = list(graph.node).index(gather)
    kept = [n for n in graph.node if n is not gather and n.output[0] not in gather.input]
    behind = list(graph.node)[place + 1:]
    first_behind = next(i for i, n in enumerate(kept) if any(n is b for b in behind))
    del graph.node[:]
    graph.node.extend(kept[:first_behind] + nodes + kept[first_behind:])
    graph.initializer.remove(table)
    graph.initializer.extend(onnx.numpy_helper.from_array(value, names[key]) for key, value in constants.items())
    for dimension, name in ((2, "height"), (3, "width")):
        graph.input[0].type.tensor_type.shape.dim[dimension].dim_param = name
    onnx.checker.check_model(onnx_model)
    onnx.save(onnx_model, path)


def settings(llava, tokenizer, out):
    llava.config.save_pretrained(out)
    tokenizer.save(str(out / "tokenizer.json"))
    side = scenes.SIDE
    write_json(out / "generation_config.json", {
        "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "do_sample": False, "max_new_tokens": 64})
    write_json(out / "preprocessor_config.json", {
        "image_processor_type": "CLIPImageProcessor", "do_resize": True, "size": {"shortest_edge": side},
        "resample": 2, "do_center_crop": True, "crop_size": {"height": side, "width": side}, "do_rescale": True,
        "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
        "do_convert_rgb": True})
    write_json(out / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": model.BOS, "eos_token": model.EOS,
        "pad_token": model.PAD, "model_max_length": llava.config.text_config.max_position_embeddings})
    write_json(out / "special_tokens_map.json", {
        "bos_token": model.BOS, "eos_token": model.EOS, "pad_token": model.PAD,
        "additional_special_tokens": [model.IMAGE]})
    (out / "chat_template.jinja").write_text(model.CHAT_TEMPLATE)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


def index(out):
    write_json(out / "files.json", [
        {"path": path.relative_to(out).as_posix(), "bytes": path.stat().st_size,
         "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in sorted(out.rglob("*")) if path.is_file() and path.name != "files.json"])


def export(llava, tokenizer, out):
    """Writes beside `out` and moves, so that a failed export leaves the old one whole."""
    made = out.with_name(out.name + ".part")
    shutil.rmtree(made, ignore_errors=True)
    graphs(llava, tokenizer, made / "onnx")
    settings(llava, tokenizer, made)
    index(made)
    shutil.rmtree(out, ignore_errors=True)
    os.replace(made, out)


class OnnxRun:
    """The exported files run as they are, unsplit: an oracle for the check below."""

    def __init__(self, out, shape):
        def session(name):
            return onnxruntime.InferenceSession(str(out / "onnx" / name), providers=["CPUExecutionProvider"])

        self.vision, self.embed = session("vision_encoder.onnx"), session("embed_tokens.onnx")
        self.decoder = session("decoder_model_merged.onnx")
        nothing = np.zeros((1, shape.num_key_value_heads, 0, shape.head_dim), np.float32)
        self.past = {i.name: nothing for i in self.decoder.get_inputs() if i.name.startswith("past")}

    def features(self, pixels):
        return self.vision.run(None, {"pixel_values": pixels})[0][0]

    def answer(self, features, ids, image, eos, limit=8):
        """(first logits [V], generated ids)"""
        tokens = np.array([ids])
        embeds = self.embed.run(None, {"input_ids": tokens})[0]
        embeds[tokens == image] = features
        past, length, made, first = self.past, 0, [], None
        while len(made) < limit:
            length += embeds.shape[1]
            logits, *present = self.decoder.run(None, {
                "inputs_embeds": embeds, "attention_mask": np.ones((1, length), np.int64), **past})
            first = logits[0, -1] if first is None else first
            best = int(logits[0, -1].argmax())
            if best == eos:
                break
            made.append(best)
            past = dict(zip(self.past, present))
            embeds = self.embed.run(None, {"input_ids": np.array([[best]])})[0]
        return first, made


@torch.no_grad()
def check(llava, tokenizer, out, easy_root, count=1000):
    """Half easy-VQA test, half scenes test."""
    run, encoder = OnnxRun(out, llava.config.text_config), data.Encoder(tokenizer)
    image, eos = tokenizer.token_to_id(model.IMAGE), encoder.eos
    easy, asked = easyvqa.images(easy_root, "test"), []
    for text, _, number in easyvqa.questions(easy_root, "test")[:count // 2]:
        asked.append((easy[number], text))
    for number in range(count // 10):
        sc, made = scenes.question_set("test", number, 5)
        pixels = scenes.render(sc)[0]
        asked += [(pixels, text) for _, text, _ in made]
    worst, same = 0.0, 0
    for pixels, text in asked[:count]:
        ids = encoder.prefix + encoder.ids(encoder.tail.format(question=text))
        values = data.normalise(pixels[None])
        first, tokens = run.answer(run.features(values.numpy()), ids, image, eos)
        prompt = torch.tensor([ids])
        want = llava.generate(input_ids=prompt, pixel_values=values, attention_mask=torch.ones_like(prompt),
                              max_new_tokens=8, do_sample=False, output_logits=True, return_dict_in_generate=True)
        expected = [t for t in want.sequences[0, len(ids):].tolist() if t != eos]
        worst = max(worst, float(np.abs(want.logits[0][0].numpy() - first).max()))
        same += tokens == expected
    return {"same greedy answers": [same, min(count, len(asked))], "largest logit difference": worst}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--check", type=Path, help="easy-VQA folder; compares with PyTorch after the export")
    parser.add_argument("--checkpoint", type=Path, help="a training checkpoint instead of the finished model")
    arguments = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(arguments.run / "tokenizer.json"))
    if arguments.checkpoint:
        llava = model.build(tokenizer)
        llava.load_state_dict(torch.load(arguments.checkpoint, weights_only=True)["model"])
    else:
        llava = LlavaForConditionalGeneration.from_pretrained(arguments.run / "model")
    llava.eval().set_attn_implementation("eager")
    export(llava, tokenizer, arguments.out)
    print("exported", sum(p.stat().st_size for p in arguments.out.rglob("*") if p.is_file()), "bytes")
    if arguments.check:
        print(json.dumps(check(llava, tokenizer, arguments.out, arguments.check)))


if __name__ == "__main__":
    main()
