"""Runs one contender in a process of its own and prints one line of JSON.

    python contender.py NAME SHAPE FOLDER TOKENS NEW ROUNDS THREADS [KEEP]

`first` are seconds from the prompt's ids to the first new token, `whole` those to the last of NEW, one per round after a round that
is not counted; `peak` is the most resident memory of the process in bytes, `text` the answer.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

import shapes


class GenAi:
    """onnxruntime-genai, unpruned."""

    def __init__(self, folder, threads):
        import onnxruntime_genai as genai

        self.genai = genai
        config = genai.Config(str(folder / "genai"))
        config.overlay(json.dumps({"model": {"decoder": {"session_options": {"intra_op_num_threads": threads}}}}))
        self.model = genai.Model(config)

    def answer(self, ids, count):
        options = self.genai.GeneratorParams(self.model)
        options.set_search_options(max_length=len(ids) + count, min_length=len(ids) + count, do_sample=False)
        generator = self.genai.Generator(self.model, options)
        generator.append_tokens(np.array([ids], np.int32))
        for _ in range(count):
            generator.generate_next_token()
            yield int(generator.get_next_tokens()[0])


class Session:
    """ONNX Runtime's Python session of the unsplit export, its cache bound from step to step."""

    def __init__(self, folder, threads):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        source = next(folder.glob("squint-*"))

        def session(name):
            return onnxruntime.InferenceSession(str(source / "onnx" / name), options, providers=["CPUExecutionProvider"])

        self.runtime, self.embed, self.decoder = onnxruntime, session("embed_tokens.onnx"), session("decoder_model_merged.onnx")
        self.past = [one for one in self.decoder.get_inputs() if one.name.startswith("past")]
        config = json.loads((source / "config.json").read_text())["text_config"]
        self.head = config["hidden_size"] // config["num_attention_heads"]

    def answer(self, ids, count):
        value = self.runtime.OrtValue.ortvalue_from_numpy
        past = {one.name: value(np.zeros((1, one.shape[1], 0, self.head), np.float32)) for one in self.past}
        given, length = ids, 0
        for _ in range(count):
            length += len(given)
            binding = self.decoder.io_binding()
            binding.bind_cpu_input("inputs_embeds", self.embed.run(None, {"input_ids": np.array([given])})[0])
            binding.bind_cpu_input("attention_mask", np.ones((1, length), np.int64))
            for name, cached in past.items():
                binding.bind_ortvalue_input(name, cached)
            for out in self.decoder.get_outputs():
                binding.bind_output(out.name)
            self.decoder.run_with_iobinding(binding)
            logits, *present = binding.get_outputs()
            past = dict(zip(past, present))
            given = [int(logits.numpy()[0, -1].argmax())]
            yield given[0]


class Torch:
    """transformers; with `keep` as FastV's authors run it: the attention of one layer ranks the visual tokens, and the layers behind
    it see those that stay, with the positions they had."""

    LAYER = 2

    def __init__(self, folder, threads, attention, keep=None):
        import torch
        import transformers

        torch.set_num_threads(threads)
        self.torch, self.keep, self.attention = torch, keep, attention
        self.model = transformers.AutoModelForCausalLM.from_pretrained(
            folder / "checkpoint", dtype=torch.float32, attn_implementation=attention).eval()
        self.cache = transformers.DynamicCache

    def answer(self, ids, count):
        with self.torch.no_grad():
            yield from self.pruned(ids, count) if self.keep else self.whole(ids, count)

    def whole(self, ids, count):
        cache, given = self.cache(config=self.model.config), self.torch.tensor([ids])
        for _ in range(count):
            out = self.model(input_ids=given, past_key_values=cache, use_cache=True, logits_to_keep=1)
            given = out.logits[:, -1].argmax(-1, keepdim=True)
            yield int(given)

    def pruned(self, ids, count):
        torch, body = self.torch, self.model.model
        cache, hidden = self.cache(config=self.model.config), body.embed_tokens(torch.tensor([ids]))
        positions = torch.arange(len(ids))[None]
        for number, layer in enumerate(body.layers):
            if number == self.LAYER:
                kept = self.rows(weights, ids)
                hidden, positions = hidden[:, kept], positions[:, kept]
            hidden, weights = self.run(layer, hidden, positions, cache, number == self.LAYER - 1)
        for step in range(count):
            token = self.model.lm_head(body.norm(hidden[:, -1:])).argmax(-1)
            yield int(token)
            hidden, positions = body.embed_tokens(token), torch.tensor([[len(ids) + step]])
            for layer in body.layers:
                hidden, _ = self.run(layer, hidden, positions, cache, False)

    def run(self, layer, hidden, positions, cache, seen):
        """A layer; `seen` asks for its attention, which only the eager form computes."""
        torch, config = self.torch, self.model.config
        config._attn_implementation = "eager" if seen else self.attention
        length, mask, found = hidden.shape[1], None, []
        if length > 1 and (seen or self.attention == "eager"):
            mask = torch.full((length, length), torch.finfo(torch.float32).min).triu(1)[None, None]
        hook = layer.self_attn.register_forward_hook(lambda module, given, out: found.append(out[1]))
        out = layer(hidden, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True,
                    position_embeddings=self.model.model.rotary_emb(hidden, positions))
        hook.remove()
        return (out[0] if isinstance(out, tuple) else out), found[0]

    def rows(self, weights, ids):
        start = len(shapes.BEFORE.encode())
        end = len(ids) - len(shapes.AFTER.encode())
        scores = weights[0, :, -1, start:end].mean(0)
        best = scores.topk(round(self.keep * (end - start))).indices.sort().values + start
        return self.torch.cat([self.torch.arange(start), best, self.torch.arange(end, len(ids))])


class LlamaCpp:
    """llama.cpp's server inside this process, unpruned; it times itself and answers in text."""

    def __init__(self, folder, threads):
        import xllamacpp

        options = xllamacpp.CommonParams()
        options.model.path, options.verbosity = str(folder / "model.gguf"), -1
        options.n_ctx, options.n_batch, options.n_parallel = 4096, 4096, 1
        options.cache_type_k = options.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        options.cpuparams.n_threads = options.cpuparams_batch.n_threads = threads
        self.server = xllamacpp.Server(options)

    def timed(self, ids, count):
        """(seconds to the first token, to the last, the answer)"""
        made = self.server.handle_completions({
            "prompt": ids, "n_predict": count, "temperature": 0, "ignore_eos": True, "cache_prompt": False})
        times = made["timings"]
        first = times["prompt_ms"] / 1000
        return first, first + times["predicted_ms"] / 1000, made["choices"][0]["text"]


class OpenVino:
    """OpenVINO GenAI; with `keep` its CDPruner. It takes images of its own and times itself, preprocessing and tower included. It would
    keep the prompt of the last answer, which is turned off, and its KV cache in eight bits, which is too."""

    def __init__(self, folder, threads, keep, tokens):
        import openvino
        import openvino_genai

        count, side = shapes.PROMPTS[tokens]
        pixels = np.random.default_rng(0).integers(0, 255, (1, side * 28, side * 28, 3), dtype=np.uint8)
        self.images = [openvino.Tensor(pixels)] * count
        scheduler = openvino_genai.SchedulerConfig()
        scheduler.enable_prefix_caching = False
        self.pipeline = openvino_genai.VLMPipeline(
            str(folder / "openvino"), "CPU", scheduler_config=scheduler, INFERENCE_NUM_THREADS=threads,
            INFERENCE_PRECISION_HINT="f32", KV_CACHE_PRECISION="f32")
        self.options = openvino_genai.GenerationConfig()
        self.options.ignore_eos, self.options.do_sample = True, False
        self.options.pruning_ratio = round(100 - 100 * keep) if keep else 0

    def timed(self, ids, count):
        """(seconds to the first token, to the last, the answer)"""
        self.options.max_new_tokens = count
        made = self.pipeline.generate(shapes.AFTER, images=self.images, generation_config=self.options)
        first = made.perf_metrics.get_ttft().mean / 1000
        return first, first + (count - 1) * made.perf_metrics.get_tpot().mean / 1000, made.texts[0]


CONTENDERS = {
    "genai": lambda folder, threads, keep, tokens: GenAi(folder, threads),
    "session": lambda folder, threads, keep, tokens: Session(folder, threads),
    "torch-eager": lambda folder, threads, keep, tokens: Torch(folder, threads, "eager", keep),
    "torch-sdpa": lambda folder, threads, keep, tokens: Torch(folder, threads, "sdpa", keep),
    "openvino": OpenVino,
    "llama.cpp": lambda folder, threads, keep, tokens: LlamaCpp(folder, threads),
}


def peak():
    """The most resident memory so far, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def timed(contender, tokenizer, ids, count):
    """(seconds to the first token, to the last, the answer)"""
    if hasattr(contender, "timed"):
        return contender.timed(ids, count)
    began, made, first = time.perf_counter(), [], 0.0
    for token in contender.answer(ids, count):
        first = first or time.perf_counter() - began
        made.append(token)
    return first, time.perf_counter() - began, tokenizer.decode(made)


def main(name, shape, folder, tokens, new, rounds, threads, keep=None):
    folder = Path(folder)
    tokenizer = Tokenizer.from_file(str(folder / "checkpoint/tokenizer.json"))
    ids = shapes.prompt_ids(shapes.SHAPES[shape], tokenizer, int(tokens))
    contender = CONTENDERS[name](folder, int(threads), float(keep) if keep else None, int(tokens))
    runs = [timed(contender, tokenizer, ids, int(new)) for _ in range(int(rounds) + 1)][1:]
    first, whole, texts = zip(*runs)
    print(json.dumps({"first": first, "whole": whole, "peak": peak(), "text": texts[-1]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
