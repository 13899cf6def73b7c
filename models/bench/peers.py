"""Squint and its peers on the same models and prompts, in one run.

    ./run                                    installs what is pinned, runs everything, writes target/bench/results.json and its tables
    ./run --shapes trial --precisions fp32   a short trial
    ./run --table                            writes the tables of results.json anew: all of it in table.md, medians in brief.md
    ./run --curves                           measures and plots how cost grows; see curves.py

Contenders take turns, each in a process of its own, `--passes` times over; a ratio is taken within a pass, so that a machine whose
speed drifts does not favour who runs first. Times and memory stand over Squint's without pruning: the median, and in brackets the
smallest and the largest of all answers that count.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import shapes

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
UNPRUNED = "Squint"
PRUNED = {"Squint FastV": "fastv:k=2,keep=0.25", "Squint PyramidDrop": "pyramiddrop", "Squint DivPrune": "divprune:keep=0.25"}
PYTHON = {
    "onnxruntime-genai": ("genai", None), "ONNX Runtime, Python session": ("session", None), "llama.cpp": ("llama.cpp", None),
    "PyTorch eager": ("torch-eager", None), "PyTorch SDPA": ("torch-sdpa", None),
    "PyTorch eager, FastV": ("torch-eager", 0.25), "PyTorch SDPA, FastV": ("torch-sdpa", 0.25),
    "OpenVINO GenAI": ("openvino", None), "OpenVINO GenAI, CDPruner": ("openvino", 0.25)}
OPENVINO = REPOSITORY / "target/bench-venv-openvino"
OTHER_WEIGHTS = "OpenVINO"
OTHER_ROUNDING = ("llama.cpp", "onnxruntime-genai")  # the latter holds the embedding in four bits too
FP32_ONLY = ("PyTorch",)
MEASURED = {"first": "time to first token", "decode": "decode, tokens per second", "peak": "peak memory"}


def launched(command, environment=None):
    """What a contender printed last, or None with its last words where it failed."""
    done = subprocess.run(
        [str(part) for part in command], cwd=HERE, env={**os.environ, **(environment or {})}, capture_output=True, text=True)
    if done.returncode:
        print("   failed:", (done.stderr.strip().splitlines() or ["no output"])[-1], flush=True)
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.jars = libraries()

    def contend(self, name, folder, shape, tokens):
        given = self.arguments
        if name == UNPRUNED or name in PRUNED:
            return self.squint(folder, tokens, PRUNED.get(name, "none"), given.new, given.rounds)
        kind, keep = PYTHON[name]
        python = OPENVINO / "bin/python" if kind == "openvino" else sys.executable
        path = {"PYTHONPATH": str(Path(sys.prefix) / "session")} if kind == "session" else {}
        return launched(
            [python, "contender.py", kind, shape, folder, tokens, given.new, given.rounds, given.threads,
             *([keep] if keep else [])], {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(given.threads), **path})

    def squint(self, folder, tokens, spec, new, rounds, callers=0):
        images, _ = shapes.PROMPTS[tokens]
        return launched([
            "java", "-cp", f"{self.jars}/*", "SquintContender.java", folder / f"squint-{tokens}", images, shapes.BEFORE, shapes.AFTER,
            new, rounds, self.arguments.threads, spec, *([callers] if callers else [])])

    def exported(self, shape, precision):
        """The folder of a model, made where it is missing."""
        folder = self.arguments.out / f"{shape}-{precision}"
        if not (folder / "model.gguf").exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "exports.py", shape, precision, folder], cwd=HERE, check=True)
        return folder

    def run(self):
        given, rows = self.arguments, []
        for shape in given.shapes:
            for precision in given.precisions:
                folder = self.exported(shape, precision)
                if OPENVINO.exists() and not (folder / "openvino/openvino_detokenizer.xml").exists():
                    subprocess.run(
                        [OPENVINO / "bin/python", "exports_openvino.py", shape, precision, folder], cwd=HERE, check=True,
                        env={**os.environ, "HF_HUB_OFFLINE": "1"})
                for tokens in given.tokens:
                    for number in range(given.passes):
                        for name in (UNPRUNED, *PRUNED, *PYTHON):
                            if precision != "fp32" and name.startswith(FP32_ONLY):
                                continue
                            if name.startswith(OTHER_WEIGHTS) and not OPENVINO.exists():
                                continue
                            made = self.contend(name, folder, shape, tokens)
                            if made:
                                rows.append({"shape": shape, "precision": precision, "tokens": tokens, "pass": number,
                                             "name": name, **figures(made, given.new),
                                             "text": made["text"]})
                                print(name, shape, precision, tokens, *(
                                    f"{key} {statistics.median(rows[-1][key]):.4g}" for key in MEASURED), flush=True)
                                write(given.out, rows, given)
        return rows


def libraries():
    """The jars that ./squint runs, built where that is missing."""
    subprocess.run([REPOSITORY / "squint", "--version"], check=True, stdout=subprocess.DEVNULL)
    builds = REPOSITORY / ".squint"
    return builds / (builds / "current").read_text().splitlines()[0] / "lib"


def figures(made, new):
    """Seconds to the first token and tokens per second after it, one per answer; bytes."""
    decode = [(new - 1) / (whole - began) for began, whole in zip(made["first"], made["whole"])]
    return {"first": made["first"], "decode": decode, "peak": [made["peak"]], "flops": made.get("flops", 1.0)}


def write(out, rows, given):
    (out / "results.json").write_text(json.dumps(
        {"threads": given.threads, "rounds": given.rounds, "new": given.new, "rows": rows}, indent=1) + "\n")
    write_tables(out, rows)


def write_tables(out, rows):
    (out / "table.md").write_text(table(rows))
    (out / "brief.md").write_text(brief(rows))


class Group:
    """What was measured of one shape, precision and number of visual tokens."""

    def __init__(self, rows, shape, precision, tokens):
        self.rows = [r for r in rows if (r["shape"], r["precision"], r["tokens"]) == (shape, precision, tokens)]
        self.base = {r["pass"]: r for r in self.rows if r["name"] == UNPRUNED}

    def of(self, name):
        return [r for r in self.rows if r["name"] == name and r["pass"] in self.base]

    def ratios(self, name, key):
        """Each answer over Squint's without pruning in the same pass."""
        return [value / statistics.median(self.base[r["pass"]][key]) for r in self.of(name) for value in r[key]]

    def flops(self, name):
        return [r["flops"] for r in self.of(name)]


def brief(rows):
    """A table of medians for each figure, a column per model, its numbers of visual tokens side by side."""
    measured = {(r["shape"], r["precision"]) for r in rows}
    models = sorted(measured, key=lambda model: (list(shapes.SHAPES).index(model[0]), model[1]))
    sizes = sorted({r["tokens"] for r in rows})
    groups = {(*model, size): Group(rows, *model, size) for model in models for size in sizes}
    lines = []
    for key, title in {**MEASURED, "flops": "FLOPs of the prefill"}.items():
        lines += [f"| {title} | " + " | ".join(f"{shape}, {precision}" for shape, precision in models) + " |",
                  "|---|" + "---:|" * len(models)]
        for name in PRUNED if key == "flops" else dict.fromkeys(r["name"] for r in rows):
            cells = []
            for model in models:
                here = [groups[(*model, size)] for size in sizes]
                medians = [group.flops(name) if key == "flops" else group.ratios(name, key) for group in here]
                cells.append(" / ".join(f"{statistics.median(m):.2f}" if m else "-" for m in medians) if any(medians) else "")
            lines.append(f"| {name} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def table(rows):
    lines = []
    for shape, precision, tokens in sorted({(r["shape"], r["precision"], r["tokens"]) for r in rows}):
        group = Group(rows, shape, precision, tokens)
        here, base = group.rows, group.base
        first, decode, peak = (statistics.median(v for r in base.values() for v in r[key]) for key in MEASURED)
        lines += [f"**{shape}, {precision}, {tokens:,} visual tokens** (Squint unpruned: {first:.2f} s to the first token, "
                  f"{decode:.1f} tokens per second, {peak / 2**20:,.0f} MiB)", "",
                  f"| | {' | '.join(MEASURED.values())} | FLOPs of the prefill | answer |",
                  "|---|---:|---:|---:|---:|---|"]
        for name in dict.fromkeys(r["name"] for r in here):
            mine = group.of(name)
            if not mine:
                continue
            cells = [spread(group.ratios(name, key)) for key in MEASURED]
            flops = f"{mine[0]['flops']:.2f}" if name.startswith("Squint") else ""
            lines.append(f"| {name} | {' | '.join(cells)} | {flops} | {same(mine, base, here, precision)} |")
        lines.append("")
    return "\n".join(lines)


def spread(values):
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.2f}" + (f" ({low:.2f} to {high:.2f})" if len(values) > 1 else "")


def same(mine, base, here, precision):
    """How far the answer is Squint's, token by token: of the unpruned ones, and of FastV."""
    name, wanted = mine[0]["name"], next(iter(base.values()))["text"]
    if name in PRUNED or name == UNPRUNED:
        return ""
    if name.startswith(OTHER_WEIGHTS) or (precision != "fp32" and name in OTHER_ROUNDING):
        return "of other weights"
    if "FastV" in name:
        wanted = next(r["text"] for r in here if r["name"] == "Squint FastV")
    wanted, made = words(wanted), words(mine[0]["text"])
    equal = next((i for i, (one, other) in enumerate(zip(wanted, made)) if one != other), len(wanted))
    return "equal" if made == wanted else f"equal for {equal} of {len(wanted)} tokens"


def words(text):
    return re.findall(r"<\d+>|.", text, re.DOTALL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "target/bench")
    parser.add_argument("--shapes", nargs="+", default=["smolvlm-256m", "qwen2-0.5b"], choices=shapes.SHAPES)
    parser.add_argument("--precisions", nargs="+", default=["fp32", "int4"], choices=["fp32", "int4"])
    parser.add_argument("--tokens", nargs="+", type=int, default=[729, 2048], choices=shapes.PROMPTS)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3, help="answers that count, per process")
    parser.add_argument("--new", type=int, default=32, help="tokens generated")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--table", action="store_true", help="no run, only the table")
    parser.add_argument("--curves", action="store_true", help="the curves, not the peers")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.curves:
        import curves

        curves.measured(Bench(arguments), arguments.out, REPOSITORY / "docs")
        return
    if arguments.table:
        write_tables(arguments.out, json.loads((arguments.out / "results.json").read_text())["rows"])
    else:
        Bench(arguments).run()
    print((arguments.out / "table.md").read_text())


if __name__ == "__main__":
    main()
