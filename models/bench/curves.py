"""How the cost of a prompt grows with its visual tokens, and the answers per second with callers: curves.json and curves.png.

    ./run --curves        writes target/bench/curves.json and docs/curves.png

The model is SmolVLM-256M's shape in float32. Times are medians over that of 144 unpruned tokens, FLOPs likewise; where the cost is
what FLOPs predict, a measured curve lies on the line of its FLOPs. Strategies take turns at each size.
"""

import json
import statistics

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot

import shapes

SHAPE, PRECISION = "smolvlm-256m", "fp32"
TOKENS = (144, 576, 1296, 2304, 4096)
CALLERS = (1, 2, 4, 16, 64)
AT_ONCE = 576
SPECS = {"unpruned": "none", "FastV k=2, keep=0.25": "fastv:k=2,keep=0.25", "DivPrune keep=0.1": "divprune:keep=0.1"}


def measured(bench, out, docs):
    folder = bench.exported(SHAPE, PRECISION)
    rows = {"tokens": [], "callers": []}
    for tokens in TOKENS:
        rounds = 9 if tokens < 2000 else 3
        for name, spec in SPECS.items():
            made = bench.squint(folder, tokens, spec, new=2, rounds=rounds)
            rows["tokens"].append({"tokens": tokens, "name": name, "seconds": statistics.median(made["first"]),
                                   "flops": made["prefillFlops"]})
            print(rows["tokens"][-1], flush=True)
    for callers in CALLERS:
        for name, spec in SPECS.items():
            made = bench.squint(folder, AT_ONCE, spec, new=8, rounds=max(1, 16 // callers), callers=callers)
            rows["callers"].append({"callers": callers, "name": name, "perSecond": made["perSecond"]})
            print(rows["callers"][-1], flush=True)
    (out / "curves.json").write_text(json.dumps(rows, indent=1) + "\n")
    plotted(rows, docs / "curves.png")


def plotted(rows, path):
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.2), dpi=110)
    base = next(row for row in rows["tokens"] if row["name"] == "unpruned" and row["tokens"] == TOKENS[0])
    for name in SPECS:
        mine = [row for row in rows["tokens"] if row["name"] == name]
        line, = left.plot([r["tokens"] for r in mine], [r["seconds"] / base["seconds"] for r in mine], marker="o", label=name)
        left.plot([r["tokens"] for r in mine], [r["flops"] / base["flops"] for r in mine], linestyle=":", color=line.get_color())
        mine = [row for row in rows["callers"] if row["name"] == name]
        one = mine[0]["perSecond"]
        right.plot([r["callers"] for r in mine], [r["perSecond"] / one for r in mine], marker="o", label=name)
    left.set(xscale="log", yscale="log", xlabel="visual tokens", ylabel=f"over {TOKENS[0]} unpruned tokens",
             title="time to the first token; dotted: FLOPs of the prefill")
    right.set(xscale="log", ylim=(0, 1.15), xlabel="callers at once", ylabel="over one caller", title="answers per second")
    for axes, marks in ((left, TOKENS), (right, CALLERS)):
        axes.set_xticks(marks, [f"{mark:,}" for mark in marks])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
        axes.legend()
    figure.tight_layout()
    figure.savefig(path)


def main():
    """Draws curves.json anew."""
    import peers

    rows = json.loads((peers.REPOSITORY / "target/bench/curves.json").read_text())
    plotted(rows, peers.REPOSITORY / "docs/curves.png")


if __name__ == "__main__":
    main()
