"""Training batches. A batch is a pure function of (stage, step), so a resumed run sees what an unbroken one would have."""

import random
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

import easyvqa
import model
import scenes

TEXT_LENGTH = 208
IGNORED = -100
SLOWLY_LEARNT = ("relation", "count", "count", "comparison", "reading", "reading")


def normalise(pixels):
    """uint8 [B,192,192,3] -> float [B,3,192,192] with mean 0.5 and deviation 0.5."""
    return torch.as_tensor(pixels).permute(0, 3, 1, 2).float().div(127.5).sub(1.0)


class Encoder:
    """Token ids of prompts and answers, remembered, since the questions are few and the batches many."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.seen = {}
        head, self.tail = model.TEMPLATE.split(model.IMAGE)
        image = tokenizer.token_to_id(model.IMAGE)
        self.prefix = tokenizer.encode(head).ids + [image] * model.VISUAL_TOKENS
        self.eos = tokenizer.token_to_id(model.EOS)

    def ids(self, text):
        if text not in self.seen:
            self.seen[text] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return self.seen[text]

    def block(self, question, answer):
        """(ids, length of the prompt part) of one question and its answer."""
        prompt = self.ids(self.tail.format(question=question))
        return prompt + self.ids(" " + answer) + [self.eos], len(prompt)

    def pack(self, pairs):
        """Several questions about one picture behind a block mask: ids, targets, positions and block numbers [T]."""
        ids = np.zeros(TEXT_LENGTH, np.int64)
        targets = np.full(TEXT_LENGTH, IGNORED, np.int64)
        positions = np.zeros(TEXT_LENGTH, np.int64)
        blocks = np.full(TEXT_LENGTH, -1, np.int64)
        used = 0
        for number, (question, answer) in enumerate(pairs):
            block, prompt = self.block(question, answer)
            if used + len(block) > TEXT_LENGTH:
                break
            span = slice(used, used + len(block))
            ids[span], blocks[span] = block, number
            positions[span] = len(self.prefix) + np.arange(len(block))
            targets[used + prompt - 1:used + len(block) - 1] = block[prompt:]
            used += len(block)
        return ids, targets, positions, blocks


def reworded(rng, question):
    """What people write: no question mark, `colour`, `image`."""
    if rng.random() < 0.1:
        question = question.rstrip("?")
    if rng.random() < 0.05:
        question = question.replace("color", "colour")
    return question


@dataclass
class Labels:
    """What each patch shows: its thing's attributes, place and offset to its centre, whether it holds the centre."""

    shape: np.ndarray
    color: np.ndarray
    size: np.ndarray
    texture: np.ndarray
    mark: np.ndarray
    offset: np.ndarray
    center: np.ndarray
    pairs: np.ndarray
    count: int
    place: np.ndarray


def labels(sc, owners):
    flat = owners.reshape(-1)
    tables = {
        key: np.array([values.index(getattr(t, key)) + 1 for t in sc.things] + [0])
        for key, values in (("shape", scenes.SHAPES), ("color", tuple(scenes.COLORS)),
                            ("size", scenes.SIZES), ("texture", scenes.TEXTURES), ("mark", ("", *scenes.MARKS)))}
    which = np.where(flat == scenes.BACKGROUND, len(sc.things), flat)
    places = np.array([(t.x, t.y) for t in sc.things] + [(0.0, 0.0)])
    cells = (np.stack(np.meshgrid(np.arange(scenes.GRID), np.arange(scenes.GRID)), -1).reshape(-1, 2) + 0.5)
    third = np.array([1 + 3 * int(3 * t.y // scenes.SIDE) + int(3 * t.x // scenes.SIDE) for t in sc.things] + [0])
    offset = (places[which] - cells * scenes.PATCH) / 16.0
    center = np.zeros(scenes.GRID ** 2, np.float32)
    pairs = np.zeros(len(scenes.SHAPES) * len(scenes.COLORS), np.float32)
    for t in sc.things:
        center[int(t.y // scenes.PATCH) * scenes.GRID + int(t.x // scenes.PATCH)] = 1.0
        pairs[scenes.SHAPES.index(t.shape) * len(scenes.COLORS) + list(scenes.COLORS).index(t.color)] = 1.0
    return Labels(*(tables[k][which] for k in ("shape", "color", "size", "texture", "mark")),
                  offset.astype(np.float32), center, pairs, len(sc.things) - scenes.COUNTS[0], third[which])


def label_batch(every):
    return {key: torch.from_numpy(np.stack([np.asarray(getattr(one, key)) for one in every]))
            for key in Labels.__dataclass_fields__}


def own_steps(start, stop):
    """The steps that this process of a loader makes; the loader takes turns, so they come in order."""
    info = get_worker_info()
    return range(start, stop) if info is None else range(start + info.id, stop, info.num_workers)


class VisionBatches(IterableDataset):
    """(pixels uint8, dense labels) of fresh scenes."""

    def __init__(self, start, steps, size):
        self.start, self.steps, self.size = start, steps, size

    def __iter__(self):
        for step in own_steps(self.start, self.steps):
            made = []
            for index in range(step * self.size, (step + 1) * self.size):
                sc = scenes.scene("train", index)
                pixels, owners = scenes.render(sc)
                made.append((pixels, labels(sc, owners)))
            yield np.stack([m[0] for m in made]), label_batch([m[1] for m in made])


class DialogueBatches(IterableDataset):
    """Scenes and easy-VQA pictures with their packed questions; easy-VQA comes last and has no dense labels."""

    FIRST_SCENE = 1 << 24

    def __init__(self, start, steps, size, easy_count, tokenizer, easy_root):
        self.start, self.steps, self.size, self.easy_count = start, steps, size, easy_count
        self.encoder, self.root = Encoder(tokenizer), easy_root

    def __iter__(self):
        easy = easyvqa.images(self.root, "train")
        asked = [[] for _ in easy]
        for question, answer, image in easyvqa.questions(self.root, "train"):
            asked[image].append((question, answer))
        for step in own_steps(self.start, self.steps):
            pixels, packed, dense = [], [], []
            rng = random.Random(step)
            for index in range(step * self.size, (step + 1) * self.size):
                sc = scenes.scene("train", self.FIRST_SCENE + index)
                image, owners = scenes.render(sc)
                extra = [scenes.question(sc, rng, kind) for kind in SLOWLY_LEARNT]
                asked_here = [one[1:] for one in scenes.questions(sc, rng, 9)] + [one for one in extra if one]
                rng.shuffle(asked_here)
                pairs = [(reworded(rng, q), a) for q, a in asked_here]
                if rng.random() < 0.25:
                    pairs.insert(0, (scenes.CAPTION_PROMPT, scenes.caption(sc)))
                pixels.append(image)
                packed.append(self.encoder.pack(pairs))
                dense.append(labels(sc, owners))
            for _ in range(self.easy_count):
                image = rng.randrange(len(easy))
                pairs = [(reworded(rng, q), a) for q, a in rng.sample(asked[image], len(asked[image]))]
                pixels.append(easy[image])
                packed.append(self.encoder.pack(pairs))
            text = [torch.from_numpy(np.stack(part)) for part in zip(*packed)]
            yield np.stack(pixels), text, label_batch(dense)
