"""Renders multi-object scenes and asks questions about them.

A scene is a pure function of (split, index): splits draw from disjoint seeds, and the pixel path uses only
IEEE-exact operations (+ - * / sqrt min max floor) over Python's `random.Random`, whose stream is stable, so that a
split can be rendered again bit for bit.

    python scenes.py --split test --count 2000 --questions 5 --out runs/scenes-test
"""

import argparse
import hashlib
import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SIDE = 192
PATCH = 8
GRID = SIDE // PATCH
BACKGROUND = 255

SHAPES = ("circle", "square", "triangle", "cross")
COLORS = {
    "red": (215, 35, 40),
    "green": (40, 165, 55),
    "blue": (40, 75, 220),
    "yellow": (235, 215, 40),
    "purple": (150, 50, 185),
    "orange": (240, 130, 25),
    "teal": (25, 180, 180),
    "black": (25, 25, 28),
}
SIZES = ("small", "large")
TEXTURES = ("solid", "striped", "dotted")
RADII = {"small": (6.0, 7.5), "large": (11.0, 14.0)}
COUNTS = (3, 9)
# Letters and digits of 5 x 7 dots, a dot two pixels wide, on large solid things; a cross has no room for one.
MARKS = {
    "a": (0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001),
    "e": (0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111),
    "h": (0b10001, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001),
    "k": (0b10001, 0b10010, 0b10100, 0b11000, 0b10100, 0b10010, 0b10001),
    "t": (0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100),
    "2": (0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111),
    "4": (0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010),
    "7": (0b11111, 0b00001, 0b00010, 0b00100, 0b00100, 0b01000, 0b01000),
}
DOT = 2
SEED_BASE = {"train": 1 << 40, "validation": 2 << 40, "test": 3 << 40, "example": 4 << 40}

DIRECTIONS = ((1.0, 0.0), (0.0, 1.0), (0.6, 0.8), (0.8, -0.6))
Y, X = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64) + 0.5


@dataclass(frozen=True)
class Thing:
    shape: str
    color: str
    size: str
    texture: str
    x: float
    y: float
    radius: float
    mark: str = ""


@dataclass(frozen=True)
class Scene:
    things: tuple
    seed: int


def scene(split, index):
    seed = SEED_BASE[split] + index
    rng = random.Random(seed)
    while True:
        things = _place(rng, rng.randint(*COUNTS))
        if things:
            return Scene(tuple(things), seed)


def _place(rng, count):
    palette = rng.sample(sorted(COLORS), rng.randint(3, len(COLORS)))
    things = []
    for _ in range(count):
        for _ in range(60):
            size = rng.choice(SIZES)
            low, high = RADII[size]
            r = low + (high - low) * rng.random()
            x = r + 1 + (SIDE - 2 * r - 2) * rng.random()
            y = r + 1 + (SIDE - 2 * r - 2) * rng.random()
            if all((x - t.x) ** 2 + (y - t.y) ** 2 >= (0.8 * (r + t.radius)) ** 2 for t in things):
                break
        else:
            return None
        shape, color, texture = rng.choice(SHAPES), rng.choice(palette), rng.choice(TEXTURES)
        marked = size == "large" and texture == "solid" and shape != "cross" and rng.random() < 0.75
        things.append(Thing(shape, color, size, texture, x, y, r, rng.choice(tuple(MARKS)) if marked else ""))
    return things


def render(sc):
    """Returns (pixels uint8 [192,192,3], owners uint8 [24,24]: the thing that owns each patch, or BACKGROUND)."""
    rng = random.Random(sc.seed ^ 0x5EED)
    image = _background(rng)
    owner = np.full((SIDE, SIDE), BACKGROUND, np.uint8)
    for number, t in enumerate(sc.things):
        box = _box(t)
        dx, dy = X[box] - t.x, Y[box] - t.y
        alpha = np.clip(0.5 - _distance(t.shape, dx, dy, t.radius), 0.0, 1.0)
        base = np.array([c + rng.uniform(-14, 14) for c in COLORS[t.color]])
        paint = np.broadcast_to(base, image[box].shape)
        if t.texture != "solid":
            tone = base * 0.45 if t.color != "black" else base + 110.0
            light = base + (255.0 - base) * 0.75
            mask, second = (
                (np.floor((dx + dy) / 3.0) % 2 == 0, tone)
                if t.texture == "striped"
                else ((dx % 5.0 - 2.5) ** 2 + (dy % 5.0 - 2.5) ** 2 < 2.6, light))
            paint = np.where(mask[..., None], second, paint)
        image[box] = image[box] * (1 - alpha[..., None]) + paint * alpha[..., None]
        if t.mark:
            _write(image, t, base)
        owner[box][alpha > 0.5] = number
    pixels = np.floor(np.clip(image, 0, 255) + 0.5).astype(np.uint8)
    return pixels, _patch_owners(owner, len(sc.things))


def _box(t):
    """The pixels that a thing can touch: the tip of a triangle lies 1.2 radii above its place."""
    reach = 1.2 * t.radius + 2
    low, high = lambda v: max(0, int(v - reach)), lambda v: min(SIDE, int(v + reach) + 1)
    return slice(low(t.y), high(t.y)), slice(low(t.x), high(t.x))


def _write(image, t, base):
    """A letter in white, or in near-black on what is bright."""
    ink = 20.0 if 0.3 * base[0] + 0.6 * base[1] + 0.1 * base[2] > 120 else 250.0
    left, top = int(t.x - 2.5 * DOT + 0.5), int(t.y - 3.5 * DOT + 0.5) + (2 if t.shape == "triangle" else 0)
    for row, bits in enumerate(MARKS[t.mark]):
        for column in range(5):
            if bits >> (4 - column) & 1:
                y, x = top + row * DOT, left + column * DOT
                image[max(y, 0):max(y + DOT, 0), max(x, 0):max(x + DOT, 0)] = ink


def _distance(shape, dx, dy, r):
    ax, ay = np.abs(dx), np.abs(dy)
    if shape == "circle":
        return np.sqrt(dx * dx + dy * dy) - r
    if shape == "square":
        return np.maximum(ax, ay) - 0.87 * r
    if shape == "triangle":
        reach = 0.6 * r
        return np.maximum(dy - reach, 0.8660254 * ax - 0.5 * dy - reach)
    arm = 0.36 * r
    return np.minimum(np.maximum(ax - arm, ay - r), np.maximum(ax - r, ay - arm))


def _background(rng):
    def muted():
        grey = rng.uniform(95, 205)
        return np.array([grey + rng.uniform(-22, 22) for _ in range(3)])

    a, b = muted(), muted()
    ux, uy = rng.choice(DIRECTIONS)
    ramp = (X * ux + Y * uy) / SIDE
    image = a + (b - a) * np.clip(ramp, 0, 1)[..., None]
    strength = rng.choice((0.0, 6.0, 12.0, 20.0))
    if strength:
        noise = np.frombuffer(rng.randbytes(SIDE * SIDE), np.uint8).reshape(SIDE, SIDE, 1)
        image = image + (noise / 127.5 - 1.0) * strength
    for _ in range(rng.choice((0, 0, 8, 20))):
        x, y = rng.randrange(SIDE), rng.randrange(SIDE)
        w, h = rng.choice(((1, 7), (7, 1), (2, 2), (3, 2), (1, 4)))
        image[y:y + h, x:x + w] = image[y:y + h, x:x + w] * 0.5 + muted() * 0.5
    return image


def _patch_owners(owner, count):
    cells = owner.reshape(GRID, PATCH, GRID, PATCH).transpose(0, 2, 1, 3).reshape(GRID, GRID, -1)
    shares = np.stack([(cells == k).sum(-1) for k in range(count)])
    best = shares.argmax(0).astype(np.uint8)
    return np.where(shares.max(0) >= 10, best, BACKGROUND).astype(np.uint8)


# ---------------------------------------------------------------- questions

QUESTION_TYPES = ("color", "shape", "size", "texture", "existence", "count", "comparison", "position", "relation",
                  "reading", "finding")
RELATIONS = {
    "left of": lambda a, b: b.x - a.x,
    "right of": lambda a, b: a.x - b.x,
    "above": lambda a, b: b.y - a.y,
    "below": lambda a, b: a.y - b.y,
}
MARGIN = 8.0
WORD_ORDER = ("size", "color", "texture", "shape")


def matches(thing, wanted):
    return all(getattr(thing, key) == value for key, value in wanted.items())


def phrase(wanted):
    words = [wanted[key] for key in WORD_ORDER if key in wanted]
    return " ".join(words) if "shape" in wanted else " ".join(words + ["object"])


def plural(wanted):
    noun = phrase(wanted)
    return noun + ("es" if noun.endswith("cross") else "s")


def _name(rng, things, thing, without=()):
    """A shortest-first random description that only `thing` fits, not using the attributes in `without`."""
    keys = [k for k in WORD_ORDER if k not in without]
    for length in (1, 2, 3):
        options = []
        for _ in range(6):
            chosen = rng.sample(keys, min(length, len(keys)))
            wanted = {k: getattr(thing, k) for k in chosen}
            if sum(matches(t, wanted) for t in things) == 1:
                options.append(wanted)
        if options:
            return rng.choice(options)
    return None


def _attribute(rng, things, key):
    thing = rng.choice(things)
    related = _related_name(rng, things, key) if rng.random() < 0.25 else None
    if related:
        target, text = related
        return _attribute_text(rng, key, text), getattr(target, key)
    wanted = _name(rng, things, thing, (key,))
    if wanted is None:
        return None
    return _attribute_text(rng, key, "the " + phrase(wanted)), getattr(thing, key)


def _attribute_text(rng, key, text):
    if key == "shape":
        return rng.choice((f"what shape is {text}?", f"what is the shape of {text}?"))
    if key == "color":
        return rng.choice((f"what color is {text}?", f"what is the color of {text}?"))
    if key == "size":
        return rng.choice((f"what size is {text}?", f"is {text} small or large?"))
    return rng.choice((f"what texture is {text}?", f"what is the texture of {text}?"))


def _related_name(rng, things, asked):
    """`the circle left of the square`: one anchor with a unique name, one target left over by the relation."""
    for _ in range(6):
        anchor = rng.choice(things)
        anchor_name = _name(rng, things, anchor)
        if anchor_name is None or len(anchor_name) > 2:
            continue
        word = rng.choice(tuple(RELATIONS))
        keys = [k for k in ("shape", "color") if k != asked]
        key = rng.choice(keys)
        others = [t for t in things if t is not anchor]
        wanted = {key: getattr(rng.choice(others), key)}
        group = [t for t in others if matches(t, wanted)]
        signed = [RELATIONS[word](t, anchor) for t in group]
        if any(abs(s) < MARGIN for s in signed):
            continue
        inside = [t for t, s in zip(group, signed) if s > 0]
        if len(inside) == 1 and (len(group) > 1 or rng.random() < 0.3):
            return inside[0], f"the {phrase(wanted)} {word} the {phrase(anchor_name)}"
    return None


def _existence(rng, things):
    if rng.random() < 0.5:
        thing = rng.choice(things)
        wanted = {k: getattr(thing, k) for k in _some_keys(rng)}
        answer = "yes"
    else:
        wanted = _absent(rng, things)
        answer = "no"
    if wanted is None:
        return None
    noun = phrase(wanted)
    article = "an" if noun[0] in "aeiou" else "a"
    text = rng.choice((f"is there {article} {noun}?", f"does the picture show {article} {noun}?"))
    return text, answer


def _some_keys(rng):
    return rng.sample(WORD_ORDER, rng.choice((1, 2, 2, 3)))


def _absent(rng, things):
    """A description one attribute away from a thing that is there, which nothing fits."""
    for _ in range(12):
        thing, keys = rng.choice(things), _some_keys(rng)
        wanted = {k: getattr(thing, k) for k in keys}
        key = rng.choice(keys)
        wanted[key] = rng.choice([v for v in _values(key) if v != wanted[key]])
        if not any(matches(t, wanted) for t in things):
            return wanted
    return None


def _values(key):
    return {"shape": SHAPES, "color": tuple(COLORS), "size": SIZES, "texture": TEXTURES}[key]


def _count(rng, things):
    if rng.random() < 0.15:
        return "how many objects are there?", str(len(things))
    keys = rng.choice((("shape",), ("color",), ("shape",), ("size",), ("texture",), ("color", "shape"), ("size", "shape")))
    thing = rng.choice(things)
    wanted = {k: getattr(thing, k) for k in keys}
    if rng.random() < 0.2:
        wanted[keys[0]] = rng.choice(_values(keys[0]))
    return f"how many {plural(wanted)} are there?", str(sum(matches(t, wanted) for t in things))


def _comparison(rng, things):
    kind = rng.choice(("more", "same", "larger"))
    if kind == "more":
        key = rng.choice(("shape", "color"))
        present = sorted({getattr(t, key) for t in things})
        if len(present) < 2:
            return None
        first, second = rng.sample(present, 2)
        n = [sum(getattr(t, key) == v for t in things) for v in (first, second)]
        if n[0] == n[1] and rng.random() < 0.5:
            return None
        return (f"are there more {plural({key: first})} than {plural({key: second})}?",
                "yes" if n[0] > n[1] else "no")
    a, b = rng.sample(things, 2)
    key = rng.choice(("color", "shape", "texture")) if kind == "same" else "size"
    want = rng.random() < 0.5
    if kind == "same":
        if (getattr(a, key) == getattr(b, key)) != want:
            return None
    elif a.size == b.size:
        return None
    name_a, name_b = _name(rng, things, a, (key,)), _name(rng, things, b, (key,))
    if name_a is None or name_b is None:
        return None
    if kind == "same":
        return (f"is the {phrase(name_a)} the same {key} as the {phrase(name_b)}?", "yes" if want else "no")
    return (f"is the {phrase(name_a)} larger than the {phrase(name_b)}?", "yes" if a.size == "large" else "no")


PLACES = ("top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right")


def _cell(value):
    third = SIDE / 3
    index = int(value // third)
    inside = value - index * third
    return None if (index > 0 and inside < 5) or (index < 2 and third - inside < 5) else index


def place_of(thing):
    column, row = _cell(thing.x), _cell(thing.y)
    if column is None or row is None:
        return None
    return PLACES[3 * row + column]


def _position(rng, things):
    thing = rng.choice(things)
    place, wanted = place_of(thing), _name(rng, things, thing)
    if place is None or wanted is None:
        return None
    return f"where is the {phrase(wanted)}?", place


def _relation(rng, things):
    a, b = rng.sample(things, 2)
    name_a, name_b = _name(rng, things, a), _name(rng, things, b)
    word = rng.choice(tuple(RELATIONS))
    gap = RELATIONS[word](a, b)
    if name_a is None or name_b is None or abs(gap) < MARGIN:
        return None
    return f"is the {phrase(name_a)} {word} the {phrase(name_b)}?", "yes" if gap > 0 else "no"


def _kind_of(mark):
    return "digit" if mark.isdigit() else "letter"


def _reading(rng, things):
    """The letter on a thing that is named by something else."""
    marked = [t for t in things if t.mark]
    if not marked:
        return None
    thing = rng.choice(marked)
    wanted = _name(rng, things, thing)
    return wanted and (f"what {_kind_of(thing.mark)} is on the {phrase(wanted)}?", thing.mark)


def _finding(rng, things):
    """A thing named by its letter alone, or whether a letter is there."""
    found = [t for t in things if t.mark and sum(o.mark == t.mark for o in things) == 1]
    if rng.random() < 0.35:
        there = found and rng.random() < 0.5
        mark = rng.choice(found).mark if there else rng.choice([m for m in MARKS if all(t.mark != m for t in things)])
        return f"is there a {_kind_of(mark)} {mark}?", "yes" if there else "no"
    if not found:
        return None
    thing, key = rng.choice(found), rng.choice(("color", "shape"))
    return f"what {key} is the object with the {_kind_of(thing.mark)} {thing.mark}?", getattr(thing, key)


_MAKERS = {
    "color": lambda r, t: _attribute(r, t, "color"),
    "shape": lambda r, t: _attribute(r, t, "shape"),
    "size": lambda r, t: _attribute(r, t, "size"),
    "texture": lambda r, t: _attribute(r, t, "texture"),
    "existence": _existence,
    "count": _count,
    "comparison": _comparison,
    "position": _position,
    "relation": _relation,
    "reading": _reading,
    "finding": _finding,
}


def question(sc, rng, kind):
    """Returns (question, answer) of the kind, or None where this scene cannot carry one."""
    for _ in range(20):
        made = _MAKERS[kind](rng, sc.things)
        if made:
            return made
    return None


def questions(sc, rng, count):
    """`count` distinct questions; kinds are dealt from shuffled rounds so that each kind is equally frequent."""
    made, deck = {}, []
    for _ in range(count * 6):
        if not deck:
            deck = list(QUESTION_TYPES)
            rng.shuffle(deck)
        kind = deck.pop()
        one = question(sc, rng, kind)
        if one and one[0] not in made:
            made[one[0]] = (kind, one[1])
        if len(made) == count:
            break
    return [(kind, text, answer) for text, (kind, answer) in made.items()]


CAPTION_PROMPT = "describe the picture."


def caption(sc):
    """Every thing from left to right: `a small red circle, a large blue square.`"""
    names = [f"a {t.size} {t.color} {t.shape}" for t in sorted(sc.things, key=lambda t: t.x)]
    return ", ".join(names) + "."


def question_set(split, index, count):
    sc = scene(split, index)
    return sc, questions(sc, random.Random(sc.seed ^ 0xA5C), count)


def write_split(split, count, per_image, out):
    from PIL import Image

    images = out / "images"
    images.mkdir(parents=True, exist_ok=True)
    rows, captions, digest = [], [], hashlib.sha256()
    for index in range(count):
        sc, asked = question_set(split, index, per_image)
        pixels, _ = render(sc)
        digest.update(pixels.tobytes())
        Image.fromarray(pixels).save(images / f"{index}.png")
        rows += [[text, answer, index, kind] for kind, text, answer in asked]
        captions.append([CAPTION_PROMPT, caption(sc), index, "caption"])
    text = json.dumps(rows, indent=0)
    digest.update(text.encode())
    (out / "questions.json").write_text(text)
    (out / "captions.json").write_text(json.dumps(captions, indent=0))
    print(f"{split}: {count} images, {len(rows)} questions, sha256 {digest.hexdigest()}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=SEED_BASE, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--questions", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    write_split(arguments.split, arguments.count, arguments.questions, arguments.out)
