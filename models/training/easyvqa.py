"""Reads the easy-VQA data set (MIT, github.com/vzhou842/easy-VQA)."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

import scenes


def questions(root, split):
    """[[question, answer, image index], ...] of `train` or `test`."""
    return json.loads((Path(root) / split / "questions.json").read_text())


def images(root, split):
    """uint8 [count, 192, 192, 3]: the 64-pixel pictures resized bilinearly, as preprocessor_config.json says."""
    folder = Path(root) / split / "images"
    count = len(list(folder.glob("*.png")))
    size = (scenes.SIDE, scenes.SIDE)
    return np.stack([
        np.asarray(Image.open(folder / f"{i}.png").convert("RGB").resize(size, Image.Resampling.BILINEAR))
        for i in range(count)])
