"""Greedy answers of a trained model, counted: `python evaluate.py --easy-vqa PATH --out report.json`."""

import argparse
import json
import random
from collections import Counter
from pathlib import Path

import torch

import data
import easyvqa
import model
import restore
import scenes


@torch.no_grad()
def answers(llava, encoder, tokenizer, pixels, texts, limit=8, keep=None):
    """Greedy answers to several questions about one picture (uint8 [192,192,3]).

    The prefix is run once and its KV cache is shared by all questions. `keep` selects visual tokens after the
    vision encoder, ids compacted.
    """
    tower = llava.model.vision_tower(data.normalise(pixels[None]), output_hidden_states=True)
    visual = llava.model.multi_modal_projector(tower.hidden_states[-2][:, 1:])
    if keep is not None:
        visual = visual[:, keep]
    embed = llava.get_input_embeddings()
    head = embed(torch.tensor([encoder.prefix[:-model.VISUAL_TOKENS]]))
    prefix = llava.model.language_model(inputs_embeds=torch.cat([head, visual], 1), use_cache=True)
    shared, start = prefix.past_key_values, head.shape[1] + visual.shape[1]
    prompts = [encoder.ids(encoder.tail.format(question=text)) for text in texts]
    length = max(map(len, prompts))
    ids = torch.zeros(len(texts), length, dtype=torch.long)
    positions = torch.zeros(len(texts), length, dtype=torch.long)
    seen = torch.zeros(len(texts), start + length, dtype=torch.long)
    seen[:, :start] = 1
    for row, prompt in enumerate(prompts):
        ids[row, length - len(prompt):] = torch.tensor(prompt)
        positions[row, length - len(prompt):] = start + torch.arange(len(prompt))
        seen[row, start + length - len(prompt):] = 1
    shared.batch_repeat_interleave(len(texts))
    made = [[] for _ in texts]
    done = [False] * len(texts)
    for _ in range(limit):
        out = llava.model.language_model(
            inputs_embeds=embed(ids), attention_mask=seen, position_ids=positions, past_key_values=shared)
        best = llava.lm_head(out.last_hidden_state[:, -1]).argmax(-1)
        for row, token in enumerate(best.tolist()):
            done[row] = done[row] or token == encoder.eos
            if not done[row]:
                made[row].append(token)
        if all(done):
            break
        ids, positions = best[:, None], positions[:, -1:] + 1
        seen = torch.cat([seen, torch.ones(len(texts), 1, dtype=torch.long)], 1)
    return [tokenizer.decode(tokens).strip() for tokens in made]


def scenes_accuracy(llava, tokenizer, split, count, per_image, keep_share=None, kinds=None):
    """{type: [correct, total]} and `all`; with `keep_share` a random choice of that share of the visual tokens."""
    llava.eval()
    encoder, right, total = data.Encoder(tokenizer), Counter(), Counter()
    rng = random.Random(0)
    for index in range(count):
        sc, asked = scenes.question_set(split, index, per_image)
        keep = None
        if keep_share is not None:
            keep = sorted(rng.sample(range(model.VISUAL_TOKENS), round(model.VISUAL_TOKENS * keep_share)))
        given = answers(llava, encoder, tokenizer, scenes.render(sc)[0], [q for _, q, _ in asked], keep=keep)
        for (kind, _, answer), got in zip(asked, given):
            for name in (kind, "all"):
                total[name] += 1
                right[name] += got == answer
    llava.train()
    return {name: [right[name], total[name]] for name in sorted(total)}


def easy_accuracy(llava, tokenizer, root):
    llava.eval()
    encoder, images = data.Encoder(tokenizer), easyvqa.images(root, "test")
    asked = [[] for _ in images]
    for question, answer, image in easyvqa.questions(root, "test"):
        asked[image].append((question, answer))
    right = total = 0
    for pixels, pairs in zip(images, asked):
        given = answers(llava, encoder, tokenizer, pixels, [q for q, _ in pairs])
        right += sum(got == answer for got, (_, answer) in zip(given, pairs))
        total += len(pairs)
    return [right, total]


def captions(llava, tokenizer, split, count):
    """Captions that name every thing in the right order, and things named rightly of all things there are."""
    encoder, exact, hits, things, named = data.Encoder(tokenizer), 0, 0, 0, 0
    for index in range(count):
        sc = scenes.scene(split, index)
        got = answers(llava, encoder, tokenizer, scenes.render(sc)[0], [scenes.CAPTION_PROMPT], limit=64)[0]
        want = scenes.caption(sc)
        exact += got == want
        a, b = Counter(got.rstrip(".").split(", ")), Counter(want.rstrip(".").split(", "))
        hits, things, named = hits + sum((a & b).values()), things + b.total(), named + a.total()
    return {"exact": [exact, count], "objects recalled": [hits, things], "objects right of named": [hits, named]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("../tiny/src/main/resources/squint-tiny"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--easy-vqa", type=Path, required=True)
    parser.add_argument("--images", type=int, default=2000)
    arguments = parser.parse_args()
    llava, tokenizer = restore.load(arguments.model, "sdpa")
    report = {
        "easy-VQA test": easy_accuracy(llava, tokenizer, arguments.easy_vqa),
        "scenes test": scenes_accuracy(llava, tokenizer, "test", arguments.images, 5),
        "scenes test, random 10 % of visual tokens":
            scenes_accuracy(llava, tokenizer, "test", arguments.images, 5, keep_share=0.1),
        "captions, scenes test": captions(llava, tokenizer, "test", 200),
    }
    arguments.out.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
