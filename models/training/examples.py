"""Renders the pictures of examples/images from a seed range of their own: `python examples.py --out ../../examples/images`."""

import argparse
from pathlib import Path

from PIL import Image

import scenes


def fits_first_question(sc):
    """`the circle left of the square` names one thing, and another circle stands elsewhere."""
    circles = [t for t in sc.things if t.shape == "circle"]
    squares = [t for t in sc.things if t.shape == "square"]
    if len(squares) != 1 or len(circles) != 2:
        return False
    gaps = sorted(squares[0].x - t.x for t in circles)
    return gaps[0] < -12 and gaps[1] > 12 and circles[0].color != circles[1].color


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=6)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    found = (i for i in range(100_000) if fits_first_question(scenes.scene("example", i)))
    for number in range(1, arguments.count + 1):
        sc = scenes.scene("example", next(found))
        pixels, _ = scenes.render(sc)
        Image.fromarray(pixels).save(arguments.out / f"scene-{number:02}.png")
        print(f"scene-{number:02}.png", scenes.caption(sc))


if __name__ == "__main__":
    main()
