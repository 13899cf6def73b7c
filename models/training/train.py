"""Trains squint-tiny from scratch on a CPU.

    python train.py --easy-vqa PATH --out runs/tiny

Stage `vision`: the ViT learns what each patch shows (dense labels that the renderer knows) and its [CLS] what the
scene holds. Stage `dialogue`: everything learns to answer; the dense loss stays on. The heads of the dense losses are
thrown away at export. Learning rates are constant after a warm-up and fall linearly in the last part. Checkpoints are
written through a temporary file; the same command resumes. `--start-from FOLDER` goes on from an exported model where no
checkpoint is left.
"""

import argparse
import json
import os
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

import data
import evaluate
import model
import restore
import scenes


class DenseHeads(nn.Module):
    """Linear read-outs of the vision tower, used in training only."""

    WIDTHS = {"shape": len(scenes.SHAPES) + 1, "color": len(scenes.COLORS) + 1,
              "size": len(scenes.SIZES) + 1, "texture": len(scenes.TEXTURES) + 1, "mark": len(scenes.MARKS) + 2}
    COUNTS = scenes.COUNTS[1] - scenes.COUNTS[0] + 1

    def __init__(self, width=128):
        super().__init__()
        self.patch = nn.Linear(width, sum(self.WIDTHS.values()) + 3)
        self.scene = nn.ModuleList(nn.Linear(width, len(scenes.SHAPES) * len(scenes.COLORS) + self.COUNTS) for _ in range(2))
        self.place = nn.Linear(width, len(scenes.PLACES) + 1)

    def loss(self, features, cls_states, labels):
        """features [B,576,W] of the penultimate layer, cls_states [B,W] of the penultimate and the last."""
        out = self.patch(features).float()
        *classes, offset, center = out.split([*self.WIDTHS.values(), 2, 1], dim=-1)
        total = sum(F.cross_entropy(scores.flatten(0, 1), labels[key].flatten())
                    for key, scores in zip(self.WIDTHS, classes))
        place = self.place(features).float().flatten(0, 1)
        total = total + F.cross_entropy(place, labels["place"].flatten())
        inside = (labels["shape"] > 0).unsqueeze(-1)
        total = total + ((offset - labels["offset"]).abs() * inside).sum() / inside.sum()
        total = total + 4.0 * F.binary_cross_entropy_with_logits(center.squeeze(-1), labels["center"])
        for head, state in zip(self.scene, cls_states):
            pairs, count = head(state).float().split([labels["pairs"].shape[1], self.COUNTS], dim=-1)
            total = total + 2.0 * F.binary_cross_entropy_with_logits(pairs, labels["pairs"])
            total = total + 0.2 * F.cross_entropy(count, labels["count"])
        return total


def see(llava, pixels):
    """Penultimate-layer patches [B,576,W] and the [CLS] states of the penultimate and the last layer."""
    out = llava.model.vision_tower(pixels, output_hidden_states=True)
    penultimate = out.hidden_states[-2]
    return penultimate[:, 1:], (penultimate[:, 0], out.pooler_output)


def block_mask(blocks, prefix):
    """bool [B,1,S,S]: causal, and a text token sees the prefix and its own block only."""
    whole = F.pad(blocks, (prefix, 0), value=-2)
    same = whole.unsqueeze(2) == whole.unsqueeze(1)
    seen = same | (whole == -2).unsqueeze(1)
    length = whole.shape[1]
    return (seen & torch.ones(length, length, dtype=torch.bool).tril()).unsqueeze(1)


def answer_loss(llava, features, text, prefix_ids):
    ids, targets, positions, blocks = text
    embed = llava.get_input_embeddings()
    head = prefix_ids[:-model.VISUAL_TOKENS]
    count = ids.shape[0]
    visual = llava.model.multi_modal_projector(features)
    start = embed(head).expand(count, -1, -1)
    hidden = torch.cat([start.to(visual.dtype), visual, embed(ids).to(visual.dtype)], dim=1)
    where = torch.cat([torch.arange(len(prefix_ids)).expand(count, -1), positions], dim=1)
    states = llava.model.language_model(
        inputs_embeds=hidden, attention_mask=block_mask(blocks, len(prefix_ids)), position_ids=where,
        use_cache=False).last_hidden_state[:, len(prefix_ids):]
    asked = targets != data.IGNORED
    logits = llava.lm_head(states[asked]).float()
    wanted = targets[asked]
    return F.cross_entropy(logits, wanted), (logits.argmax(-1) == wanted).float().mean()


def optimizers(modules, rate):
    """Muon for the matrices of the blocks, AdamW for embeddings, norms, biases, heads."""
    matrices, rest = [], []
    for module in modules:
        for name, parameter in module.named_parameters():
            inner = parameter.ndim == 2 and ("layers." in name or "linear_" in name)
            (matrices if inner else rest).append(parameter)
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.0)]


def scheduled(step, steps, warmup, decay):
    if step < warmup:
        return (step + 1) / warmup
    left = steps - step
    return 1.0 if left > decay else max(left / decay, 0.01)


def save(path, state):
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    os.replace(temporary, path)


class Run:
    """One stage: its optimizers, its checkpoint, its log."""

    def __init__(self, out, stage, llava, heads, rate, steps, warmup, decay):
        self.path, self.log = out / f"{stage}.pt", (out / f"{stage}.jsonl").open("a")
        self.llava, self.heads, self.rate = llava, heads, rate
        self.steps, self.warmup, self.decay = steps, warmup, decay
        self.optimizers = optimizers([llava, heads], rate)
        self.parameters = [p for m in (llava, heads) for p in m.parameters()]
        self.start = 0
        if self.path.exists():
            state = torch.load(self.path, weights_only=True)
            llava.load_state_dict(state["model"])
            heads.load_state_dict(state["heads"])
            for optimizer, saved in zip(self.optimizers, state["optimizers"]):
                optimizer.load_state_dict(saved)
            self.start = state["step"]

    def update(self, step, loss):
        factor = scheduled(step, self.steps, self.warmup, self.decay)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.rate * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def write(self, **facts):
        self.log.write(json.dumps(facts) + "\n")
        self.log.flush()
        print(facts, flush=True)

    def checkpoint(self, step):
        save(self.path, {"model": self.llava.state_dict(), "heads": self.heads.state_dict(),
                         "optimizers": [o.state_dict() for o in self.optimizers], "step": step})


def batches(dataset):
    return DataLoader(dataset, batch_size=None, num_workers=1, prefetch_factor=4)


def train_vision(arguments, llava, heads):
    run = Run(arguments.out, "vision", llava, heads, 2e-3, arguments.vision_steps, 100, 200)
    began = time.time()
    for step, (pixels, labels) in enumerate(
            batches(data.VisionBatches(run.start, run.steps, 48)), run.start):
        features, cls_states = see(llava, data.normalise(pixels))
        loss = heads.loss(features, cls_states, labels)
        run.update(step, loss)
        if step % 50 == 49:
            run.write(step=step + 1, loss=round(loss.item(), 4), seconds=round(time.time() - began))
        if step % 100 == 99:
            run.checkpoint(step + 1)
    run.checkpoint(run.steps)


def train_dialogue(arguments, llava, heads, tokenizer):
    run = Run(arguments.out, "dialogue", llava, heads, arguments.rate, arguments.dialogue_steps, arguments.warmup_steps,
              arguments.decay_steps)
    encoder = data.Encoder(tokenizer)
    prefix = torch.tensor(encoder.prefix)
    dataset = data.DialogueBatches(
        run.start, run.steps, arguments.scenes, arguments.easy_images, tokenizer, arguments.easy_vqa)
    began, recent = time.time(), []
    for step, (pixels, text, labels) in enumerate(batches(dataset), run.start):
        features, cls_states = see(llava, data.normalise(pixels))
        known = labels["shape"].shape[0]
        shown = [features[:known], *(state[:known] for state in cls_states)]
        if step < arguments.heads_steps:
            shown = [part.detach() for part in shown]
        dense = heads.loss(shown[0], shown[1:], labels)
        loss, right = answer_loss(llava, features, text, prefix)
        run.update(step, loss + 0.1 * dense)
        recent.append((loss.item(), right.item(), dense.item()))
        if step % 25 == 24:
            means = [round(sum(part) / len(recent), 4) for part in zip(*recent)]
            run.write(step=step + 1, loss=means[0], right=means[1], dense=means[2],
                      seconds=round(time.time() - began))
            recent = []
        if step % 25 == 24:
            run.checkpoint(step + 1)
        if step % 1000 == 999:
            run.write(step=step + 1, validation=evaluate.scenes_accuracy(llava, tokenizer, "validation", 60, 8))
    run.checkpoint(run.steps)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--easy-vqa", type=Path, required=True, help="folder with train/ and test/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start-from", type=Path, help="an exported model whose weights to go on from")
    parser.add_argument("--vision-steps", type=int, default=500)
    parser.add_argument("--dialogue-steps", type=int, default=2900)
    parser.add_argument("--warmup-steps", type=int, default=150)
    parser.add_argument("--decay-steps", type=int, default=500)
    parser.add_argument("--heads-steps", type=int, default=0, help="how long the dense loss trains its heads alone")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--scenes", type=int, default=20, help="per step")
    parser.add_argument("--easy-images", type=int, default=4, help="per step")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.set_num_threads(os.cpu_count())
    tokenizer = model.train_tokenizer(arguments.easy_vqa)
    tokenizer.save(str(arguments.out / "tokenizer.json"))
    llava, heads = model.build(tokenizer), DenseHeads()
    if arguments.start_from:
        llava, tokenizer = restore.load(arguments.start_from, "sdpa")
        tokenizer.save(str(arguments.out / "tokenizer.json"))
        llava.train()
    elif not (arguments.out / "dialogue.pt").exists():
        train_vision(arguments, llava, heads)
    train_dialogue(arguments, llava, heads, tokenizer)
    llava.save_pretrained(arguments.out / "model")
    print("saved", arguments.out / "model")


if __name__ == "__main__":
    main()
