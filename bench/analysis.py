"""Speed of analysis: from a text to every node's cost, many settings of one text, depth, and pages.

The peers are installed apart, without what they would bring along:

    pip install --no-deps ptflops torchinfo fvcore iopath yacs portalocker tabulate termcolor

A peer that is not there is left out, and the table says so.
"""

from __future__ import annotations

import contextlib
import io
import random
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import exp, log
from operator import truediv
from statistics import median
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import archdsl
from archdsl.semantics import library
from bench.cpu import Goal, Section, take_turns
from bench.gpu import torchvision_model

NETWORKS = {
    "resnet18": None, "resnet50": 20, "resnet152": 45, "densenet121": 12, "efficientnet_b0": 12, "inception_v3": 12,
    "mobilenet_v3_large": 12,
}  # fmt: skip
"""The networks compared, and how many times as fast as the best peer a text that is read afresh has to be."""
HEADED = ("googlenet", "inception_v3")
"""Networks with heads that only training has, which peers cannot count and torchvision leaves out on request."""
SHARE_OF_PARSED = 1.5
"""How much faster it has to be where the text was parsed before."""


def _side(name: str) -> int:
    return 299 if name == "inception_v3" else 224


def ours(name: str) -> tuple[int, int]:
    """Return a network's parameters and multiply-adds, with every node's costs worked out."""
    costs = archdsl.load(name).costs
    _ = costs.nodes
    return costs.parameters, costs.macs


def ours_afresh(name: str) -> tuple[int, int]:
    """Do the same with the spec's text, and those that it uses, read and parsed anew; the prelude is kept."""
    library._parse_text.cache_clear()  # pyright: ignore[reportPrivateUsage] -- what a first call would do
    return ours(name)


def ours_linted(name: str) -> int:
    """Look for what is suspicious, which is apart from what others do."""
    return len(archdsl.load(name).warnings)


def _built(name: str, device: str) -> nn.Module:
    with torch.device(device):
        return torchvision_model(name).eval()


def _counted_on_meta(name: str) -> float:
    module, side = _built(name, "meta"), _side(name)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.empty(1, 3, side, side, device="meta"))
    return counter.get_total_flops() / 2


def _ptflops(name: str) -> float:
    from ptflops import get_model_complexity_info  # pyright: ignore[reportMissingImports, reportUnknownVariableType]

    module, side = _built(name, "meta"), _side(name)
    macs, _ = get_model_complexity_info(
        module, (3, side, side), backend="aten", as_strings=False, print_per_layer_stat=False, verbose=False
    )
    return float(macs)


def _torchinfo(name: str) -> float:
    from torchinfo import summary  # pyright: ignore[reportMissingImports, reportUnknownVariableType]

    module, side = _built(name, "meta"), _side(name)
    return float(summary(module, input_size=(1, 3, side, side), device="meta", verbose=0).total_mult_adds)


def _fvcore(name: str) -> float:
    from fvcore.nn import FlopCountAnalysis  # pyright: ignore[reportMissingImports, reportUnknownVariableType]

    module, side = _built(name, "cpu"), _side(name)
    analysis = FlopCountAnalysis(module, torch.zeros(1, 3, side, side))
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return float(sum(analysis.by_module_and_operator()[""].values()))


PEERS: Mapping[str, Callable[[str], float]] = {
    "ptflops aten": _ptflops, "torch's counter": _counted_on_meta, "torchinfo": _torchinfo, "fvcore": _fvcore,
}  # fmt: skip


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _known_peers() -> dict[str, Callable[[str], float]]:
    found: dict[str, Callable[[str], float]] = {}
    torchvision_model("resnet18")  # the way round its operators, which peers that import it need too
    for peer, count in PEERS.items():
        with contextlib.suppress(ImportError), _quietly():
            count("resnet18")
            found[peer] = count
    return found


def analysis(rounds: int = 7) -> Section:
    """Compare archdsl's analysis with that of tools that build the network and run it."""
    peers = _known_peers()
    ratio_names = ("best peer / afresh", "best peer / parsed")
    rows: list[Sequence[str]] = [
        ("network", "text afresh", "parsed before", "lint", *peers, *ratio_names, "counts of MACs"),
    ]
    goals: list[Goal] = []
    for name, wanted in NETWORKS.items():
        work: dict[str, Callable[[], object]] = {
            "afresh": lambda name=name: ours_afresh(name),
            "parsed": lambda name=name: ours(name),
            "lint": lambda name=name: ours_linted(name),
        }
        work |= {peer: lambda name=name, count=count: count(name) for peer, count in peers.items()}
        with _quietly():
            seconds = take_turns(work, rounds)
            counts = {peer: count(name) for peer, count in peers.items()}
        best = [min(taken) for taken in zip(*(seconds[peer] for peer in peers), strict=True)]
        ratios = [median(map(truediv, best, seconds[way])) for way in ("afresh", "parsed")]
        macs = archdsl.load(name).for_inference(fold=False).costs.macs
        said = ", ".join(f"{peer} {100 * count / macs - 100:+.2f}%" for peer, count in counts.items())
        lint = 1e3 * (median(seconds["lint"]) - median(seconds["parsed"]))
        shown = [_span(seconds[key]) for key in ("afresh", "parsed")]
        theirs = [_span(seconds[peer]) for peer in peers]
        found = [f"{ratio:.1f}x" for ratio in ratios]
        rows.append((name, *shown, f"+{lint:.1f}", *theirs, *found, f"{macs:,}; {said}"))
        if wanted is not None:
            least = wanted * SHARE_OF_PARSED
            goals.append(Goal(f"{name}, text afresh, {wanted} times as fast as the best peer", ratios[0] >= wanted))
            goals.append(Goal(f"{name}, parsed before, {least:.0f} times as fast", ratios[1] >= least))
    note = (
        "From a text to the shape, parameters and multiply-adds of every node, in ms, with the least and the most; the "
        "peers build torchvision's network (on the meta device, but for fvcore) and run it. `lint` comes on top where "
        "warnings are asked for. Ratios are medians of each round's best peer to ours. Last, the true count and how "
        "far each peer's is from it: torchinfo counts norms and biases, fvcore norms and pools, ptflops biases."
    )
    return Section("Analysis", note, rows, goals)


def _span(seconds: Sequence[float]) -> str:
    return f"{1e3 * median(seconds):.1f} ({1e3 * min(seconds):.1f} to {1e3 * max(seconds):.1f})"


def classifiers(rounds: int = 3) -> Section:
    """Compare with the two fastest peers over all of torchvision's classifiers that are bundled."""
    from tests.specs.reference import NAMES

    peers = {peer: count for peer, count in _known_peers().items() if peer in ("ptflops aten", "torch's counter")}
    ratios: dict[str, tuple[float, float]] = {}
    for name in NAMES:
        work: dict[str, Callable[[], object]] = {
            "afresh": lambda name=name: ours_afresh(name),
            "parsed": lambda name=name: ours(name),
        }
        able: list[str] = []
        for peer, count in peers.items():
            # Some of torchvision's constructors copy initial values, which the meta device has none of.
            with contextlib.suppress(NotImplementedError), _quietly():
                count(name)
                able.append(peer)
                work[peer] = lambda name=name, count=count: count(name)
        if not able:
            continue
        with _quietly():
            times = {key: min(values) for key, values in take_turns(work, rounds).items()}
        best = min(times[peer] for peer in able)
        ratios[name] = best / times["afresh"], best / times["parsed"]
    means = [exp(sum(log(pair[way]) for pair in ratios.values()) / len(ratios)) for way in (0, 1)]
    order = sorted(ratios, key=lambda name: ratios[name])
    shown = (*order[:4], order[len(order) // 2], *order[-4:])
    rows: list[Sequence[str]] = [("network", "text afresh", "parsed before")]
    rows.append((f"geometric mean of {len(ratios)}", *(f"{mean:.1f}x" for mean in means)))
    rows += [(name, *(f"{ratio:.1f}x" for ratio in ratios[name])) for name in shown]
    note = (
        f"How many times as fast as the better of {' and '.join(peers)}: the mean, the four hardest networks, the "
        "median and the four kindest."
    )
    return Section("All classifiers", note, rows, [Goal("a geometric mean of 20, text afresh", means[0] >= 20)])


def _regnet(draw: random.Random) -> dict[str, Any]:
    return {
        "depth": draw.randint(12, 28), "w0": 8 * draw.randint(3, 30), "wa": draw.uniform(15, 120),
        "wm": draw.uniform(2, 3), "group": draw.choice([8, 16, 24, 32, 40]),
    }  # fmt: skip


Drawn = Callable[[random.Random], tuple[dict[str, Any], "list[int] | None"]]
SPACES: Mapping[str, tuple[str, Drawn, int]] = {
    "resnet50, depths x widths of a grid": (
        "resnet50",
        lambda draw: ({"depths": [draw.randint(1, 6) for _ in range(4)], "width": 8 * draw.randint(2, 16)}, None),
        10_000,
    ),
    "resnet50, any depths and width": (
        "resnet50",
        lambda draw: ({"depths": [draw.randint(1, 9) for _ in range(4)], "width": 16 * draw.randint(1, 500)}, None),
        1_000 * 50 // 59,
    ),
    "mobilenet_v2, width x resolution of a grid": (
        "mobilenet_v2",
        lambda draw: ({"width": 0.05 * draw.randint(5, 40)}, [3, *[16 * draw.randint(4, 20)] * 2]),
        10_000,
    ),
    "mobilenet_v2, any width and resolution": (
        "mobilenet_v2",
        lambda draw: ({"width": draw.uniform(0.2, 2)}, [3, *[draw.randint(64, 512)] * 2]),
        1_000 * 50 // 70,
    ),
    "regnet_x, any": ("regnet_x_400mf", lambda draw: (_regnet(draw), None), 3_000),
    "regnet_y, any": ("regnet_y_400mf", lambda draw: (_regnet(draw), None), 3_000),
}
"""Spaces of settings: the spec, how one is drawn, and how many different networks a second are wanted."""


def sweeps(count: int = 3_000) -> Section:
    """Measure how many different settings of one spec are costed in a second, against loading each."""
    rows: list[Sequence[str]] = [("space", "a second", "by `load`", "ratio", "different networks", "compiled anew")]
    goals: list[Goal] = []
    for space, (spec, drawn, wanted) in SPACES.items():
        draw = random.Random(0)
        settings = [drawn(draw) for _ in range(count + 200)]
        swept = archdsl.Sweep(spec)
        for one, image in settings[:200]:
            swept.costs(one, image)
        compiled, start = swept.compiled, time.process_time()
        costs = [swept.costs(one, image) for one, image in settings[200:]]
        rate = count / (time.process_time() - start)
        start = time.process_time()
        loaded = [archdsl.load(spec, input=image, **one).tables.costs.total for one, image in settings[200:240]]
        slow = len(loaded) / (time.process_time() - start)
        assert loaded == costs[: len(loaded)], f"{space}: the costs differ, so the times mean nothing"
        different = len({(c.parameters, c.macs) for c in costs})
        anew = f"{swept.compiled - compiled}"
        rows.append((space, f"{rate:,.0f}", f"{slow:.0f}", f"{rate / slow:.0f}x", f"{different:,}", anew))
        goals.append(Goal(f"{space}: {wanted:,} networks a second", rate >= wanted))
    note = (
        f"Total costs of {count:,} settings each, drawn at random, after 200 that count for nothing; equal to those "
        "that `load` gives. Where settings are any, hardly two networks share a layer."
    )
    return Section("Sweeps", note, rows, goals)


def _deep_text(count: int) -> str:
    ends = ["gelu", "act", "act"]
    blocks = [
        f"block b{i}(c) {{ conv c k={1 + 2 * (i % 3)}; norm; act; conv c k=3 g={1 + i % 2}; norm; {ends[i % 3]} }}"
        for i in range(10)
    ]
    body = "; ".join(f"b{i} 32 x {count}" for i in range(10))
    return "\n".join([*blocks, f"model deep {{ input [3, 64, 64]; conv 32; {body}; gap; flatten; fc 10 }}"])


def _wide_text(count: int, index: int) -> str:
    """Return a model of so many different steps."""
    steps = "\n".join(f"conv {8 + j % 61}" for j in range(count))
    return f"model m{index} {{ input [3, 32, 32]\n{steps}\n}}"


def deep(rounds: int = 9) -> Section:
    """Measure what repeats and different steps cost."""
    names = ("resnet56_cifar", "resnet1202_cifar")
    text = _deep_text(10_000)
    work: dict[str, Callable[[], object]] = {}
    for name in names:
        work[f"{name}, totals"] = lambda name=name: archdsl.load(name).costs.total
        work[f"{name}, table"] = lambda name=name: archdsl.load(name).summary()
    work["ten blocks x 10,000, load"] = lambda: archdsl.load_text(text)
    work["ten blocks x 10,000, load and source"] = lambda: archdsl.load_text(text).source()
    work["ten blocks x 10,000, load and totals"] = lambda: archdsl.load_text(text).costs.total
    times = {key: 1e3 * median(values) for key, values in take_turns(work, rounds).items()}
    rows: list[Sequence[str]] = [("work", "ms")]
    rows += [(key, f"{value:.1f}") for key, value in times.items()]
    goals: list[Goal] = []
    for kind in ("totals", "table"):
        few, many = (times[f"{name}, {kind}"] for name in names)
        goals.append(Goal(f"{names[1]} within twice {names[0]}, {kind}", many <= 2 * few))
    load, whole, totals = (times[f"ten blocks x 10,000, load{more}"] for more in ("", " and source", " and totals"))
    goals += [
        Goal("ten blocks x 10,000: load in 50 ms", load <= 50),
        Goal("its source in 100 ms more", whole - load <= 100),
        Goal("its totals in 10 ms more", totals - load <= 10),
    ]
    shares: list[float] = []
    for count, files in ((1_125, 1), (4_500, 1), (4_500, 4)):
        texts = [_wide_text(count, index) for index in range(files)]
        start = time.process_time()
        for wide in texts:
            archdsl.load_text(wide)
        shares.append((time.process_time() - start) / (count * files))
        rows.append((f"{count * files:,} different steps, files: {files}", f"{1e3 * shares[-1] * count * files:.0f}"))
    goals.append(Goal("18,000 different steps in time linear in them", shares[-1] <= 1.5 * shares[0]))
    note = "Loading, with shapes and costs; `totals` asks for the total costs, `table` for the summary."
    return Section("Depth", note, rows, goals)


PAGES = ("resnet50", "unet", "efficientnet_b0", "densenet121", "inception_v3", "nasnetalarge")


def pages(names: Sequence[str] = PAGES) -> Section:
    """Measure the writing of pages, whose sliders have every input size and several widths."""
    work: dict[str, Callable[[], object]] = {name: lambda name=name: archdsl.load(name).page() for name in names}
    times = {key: median(values) for key, values in take_turns(work, 3).items()}
    rows: list[Sequence[str]] = [("network", "s")]
    rows += [(name, f"{times[name]:.2f}") for name in names]
    note = "`load(name).page()`: a network at every input size up to twice its own, and at up to seven widths."
    return Section("Pages", note, rows, [Goal(f"{name} in half a second", times[name] <= 0.5) for name in names])
