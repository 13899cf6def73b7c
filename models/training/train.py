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
import random
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

import data
import evaluate
import model
import muon
import pruned
import restore
import scenes

QUESTIONS = 5  # of an image, in a step that prunes inside the decoder


class DenseHeads(nn.Module):
    """Linear read-outs of the vision tower, used in training only."""

    WIDTHS = {"shape": len(scenes.SHAPES) + 1, "color": len(scenes.COLORS) + 1,
              "size": len(scenes.SIZES) + 1, "texture": len(scenes.TEXTURES) + 1, "mark": len(scenes.MARKS) + 2}
    COUNTS = scenes.COUNTS[1] - scenes.COUNTS[0] + 1

    def __init__(self, width=128):
        super().__init__()
        self.patch = nn.Linear(width, sum(self.WIDTHS.values()) + 3)
        self.scene = nn.Linear(width, len(scenes.SHAPES) * len(scenes.COLORS) + self.COUNTS)
        self.place = nn.Linear(width, len(scenes.PLACES) + 1)

    def loss(self, features, cls, labels):
        """features [B,576,W] and cls [B,W] of the feature layer."""
        out = self.patch(features).float()
        *classes, offset, center = out.split([*self.WIDTHS.values(), 2, 1], dim=-1)
        total = sum(F.cross_entropy(scores.flatten(0, 1), labels[key].flatten())
                    for key, scores in zip(self.WIDTHS, classes))
        written = labels["mark"] > 1
        if written.any():  # few patches show a letter, and each only a part of it
            total = total + 3.0 * F.cross_entropy(classes[-1][written], labels["mark"][written])
        place = self.place(features).float().flatten(0, 1)
        total = total + F.cross_entropy(place, labels["place"].flatten())
        inside = (labels["shape"] > 0).unsqueeze(-1)
        total = total + ((offset - labels["offset"]).abs() * inside).sum() / inside.sum()
        total = total + 4.0 * F.binary_cross_entropy_with_logits(center.squeeze(-1), labels["center"])
        pairs, count = self.scene(cls).float().split([labels["pairs"].shape[1], self.COUNTS], dim=-1)
        total = total + 2.0 * F.binary_cross_entropy_with_logits(pairs, labels["pairs"])
        total = total + 0.2 * F.cross_entropy(count, labels["count"])
        return total


def see(llava, pixels):
    """Patches [B,576,W] of the feature layer and its [CLS] [B,W]. What lies behind that layer is never exported, so it isn't run."""
    tower = llava.model.vision_tower
    hidden = tower.pre_layrnorm(tower.embeddings(pixels))
    for layer in tower.encoder.layers[:llava.config.vision_feature_layer + 1]:
        hidden = layer(hidden, None)
    return hidden[:, 1:], hidden[:, 0]


def block_mask(blocks, prefix):
    """bool [B,1,T,P+T]: a text token sees the prefix and, causally, its own block."""
    length = blocks.shape[1]
    own = (blocks.unsqueeze(2) == blocks.unsqueeze(1)) & blocks.new_ones(length, length, dtype=torch.bool).tril()
    return F.pad(own, (prefix, 0), value=True).unsqueeze(1)


def answer_loss(llava, features, text, prefix_ids, kept):
    """`kept` [B,n] are the visual tokens that the decoder sees, at the positions they have among all."""
    ids, targets, positions, blocks = text
    embed, decoder = llava.get_input_embeddings(), llava.model.language_model
    head = prefix_ids[:-model.VISUAL_TOKENS]
    count, width = features.shape[0], features.shape[2]
    visual = llava.model.multi_modal_projector(features.gather(1, kept.unsqueeze(-1).expand(-1, -1, width)))
    start = embed(head).expand(count, -1, -1)
    where = torch.cat([torch.arange(len(head), device=kept.device).expand(count, -1), len(head) + kept], dim=1)
    shared = decoder(inputs_embeds=torch.cat([start, visual], dim=1), position_ids=where, use_cache=True)
    states = decoder(
        inputs_embeds=embed(ids), attention_mask=block_mask(blocks, where.shape[1]), position_ids=positions,
        past_key_values=shared.past_key_values).last_hidden_state
    return scored(llava, states, targets)


def scored(llava, states, targets):
    """Cross-entropy of the answers, and the share of their tokens that are right."""
    asked = targets != data.IGNORED
    logits = llava.lm_head(states[asked]).float()
    wanted = targets[asked]
    return F.cross_entropy(logits, wanted), (logits.argmax(-1) == wanted).float().mean()


def pruned_loss(llava, features, text, prefix_ids, step):
    """The loss of some of the questions, with visual tokens dropped inside the decoder as the question has it."""
    head = prefix_ids[:-model.VISUAL_TOKENS]
    visual = llava.model.multi_modal_projector(features)
    prefix = torch.cat([llava.get_input_embeddings()(head).expand(len(visual), -1, -1), visual], dim=1)
    chosen = pruned.rows(text, QUESTIONS, random.Random(step))
    states = pruned.run(llava.model.language_model, prefix, len(head), chosen, *pruned.plan(step))
    return scored(llava, states, chosen[1])


def kept_tokens(step, count, share):
    """[count,n] in order: a random choice of that share of the visual tokens for each image."""
    generator = torch.Generator().manual_seed(step)
    order = torch.rand(count, model.VISUAL_TOKENS, generator=generator).argsort(dim=1)
    return order[:, :round(share * model.VISUAL_TOKENS)].sort(dim=1).values


def optimizers(modules, rate):
    """Muon for the matrices of the blocks, AdamW for embeddings, norms, biases, heads."""
    matrices, rest = [], []
    for module in modules:
        for name, parameter in module.named_parameters():
            inner = parameter.ndim == 2 and ("layers." in name or "linear_" in name)
            (matrices if inner else rest).append(parameter)
    return [
        muon.Muon(matrices, rate),
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
            state = torch.load(self.path, weights_only=True, map_location=llava.device)
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


def batches(dataset, arguments):
    """What a dataset yields, in its order, made by other processes and brought to the device."""
    loader = DataLoader(dataset, batch_size=None, num_workers=arguments.workers, prefetch_factor=4)
    return (moved(batch, arguments.device) for batch in loader)


def moved(batch, device):
    if isinstance(batch, dict):
        return {key: moved(value, device) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        return [moved(value, device) for value in batch]
    return torch.as_tensor(batch).to(device, non_blocking=True)


def train_vision(arguments, llava, heads):
    run = Run(arguments.out, "vision", llava, heads, 2e-3, arguments.vision_steps, 100, 200)
    began = time.time()
    for step, (pixels, labels) in enumerate(
            batches(data.VisionBatches(run.start, run.steps, 48), arguments), run.start):
        loss = heads.loss(*see(llava, data.normalise(pixels)), labels)
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
    prefix = torch.tensor(encoder.prefix, device=arguments.device)
    dataset = data.DialogueBatches(
        run.start, run.steps, arguments.scenes, arguments.easy_images, tokenizer, arguments.easy_vqa)
    began, recent = time.time(), []
    for step, (pixels, text, labels) in enumerate(batches(dataset, arguments), run.start):
        features, cls = see(llava, data.normalise(pixels))
        known = labels["shape"].shape[0]
        shown = [features[:known], cls[:known]]
        if step < arguments.heads_steps:
            shown = [part.detach() for part in shown]
        dense = heads.loss(*shown, labels)
        if step % 4 > 3 - arguments.pruned:
            loss, right = pruned_loss(llava, features, text, prefix, step)
        else:
            share = arguments.share if step % 4 and step < run.steps - run.decay // 4 else 1.0
            loss, right = answer_loss(llava, features, text, prefix, kept_tokens(step, len(pixels), share).to(pixels.device))
        run.update(step, loss + 0.1 * dense)
        recent.append((loss.item(), right.item(), dense.item()))
        if step % 25 == 24:
            means = [round(sum(part) / len(recent), 4) for part in zip(*recent)]
            run.write(step=step + 1, loss=means[0], right=means[1], dense=means[2],
                      seconds=round(time.time() - began))
            recent = []
            run.checkpoint(step + 1)
        if step % 1000 == 999:
            run.write(step=step + 1, validation=evaluate.scenes_accuracy(llava.cpu(), tokenizer, "validation", 60, 8))
            llava.to(arguments.device)
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
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=1, help="processes that render")
    parser.add_argument("--share", type=float, default=1.0,
                        help="of the visual tokens that the decoder sees in three of four steps, but for the last ones")
    parser.add_argument("--pruned", type=int, default=0, choices=range(4), help="of four steps, that prune inside the decoder")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.set_num_threads(os.cpu_count())
    tokenizer = model.train_tokenizer(arguments.easy_vqa)
    tokenizer.save(str(arguments.out / "tokenizer.json"))
    llava, heads = model.build(tokenizer), DenseHeads().to(arguments.device)
    if arguments.start_from:
        llava, tokenizer = restore.load(arguments.start_from, "sdpa")
        tokenizer.save(str(arguments.out / "tokenizer.json"))
        llava.train()
    llava.to(arguments.device)
    if not arguments.start_from and not (arguments.out / "dialogue.pt").exists():
        train_vision(arguments, llava, heads)
    train_dialogue(arguments, llava, heads, tokenizer)
    llava.save_pretrained(arguments.out / "model")
    print("saved", arguments.out / "model")


if __name__ == "__main__":
    main()
