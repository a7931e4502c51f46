"""Soak the compiler: `make soak` takes texts and random networks from a fixed seed and writes bench/results/soak.md.

Mutilated texts of three kinds, by tokens, lines and bytes, go through all that is done with a spec, which is to raise
nothing and to take at most two seconds of the processor's time for each thing done. Random networks are compiled, and
what is written of each is run as a file and held against torch; a tenth goes through ONNX too. What is found is written
to a folder, and belongs into tests/fuzz/findings once it is mended. The quick tests do a small part.
"""

from __future__ import annotations

import argparse
import platform
import runpy
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from time import process_time
from types import FrameType
from typing import TypeVar

import torch
from hypothesis import HealthCheck, Phase, given, seed, settings
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import archdsl
from archdsl.network import Network
from archdsl.ops.conv import ConvTranspose2d
from tests.conftest import ROOT
from tests.fuzz.mutate import KINDS, LARGEST, corpus, mutate_once
from tests.fuzz.target import TooSlowError, examine
from tests.strategies import Spec, specs
from tests.test_properties import check_shapes

T = TypeVar("T")

BY_HAND = "## Guided by coverage"
"""From this heading on, the file of results is written by hand."""
TEXTS, NETWORKS = 50_000, 2_000
ONNX_EVERY = 10
_SOUND = 0.8
"""The share of mutilated texts that were sound."""
MOST_SECONDS = 60
"""After these of the processor's time a run is broken off."""


@dataclass(slots=True)
class Tally:
    """What came of many runs of one kind."""

    kind: str
    runs: int = 0
    sound: int = 0
    """How many gave a network, or agreed."""
    seconds: float = 0
    slowest: float = 0
    too_slow: int = 0
    raised: int = 0
    findings: list[str] = field(default_factory=list[str])

    def row(self) -> tuple[str, ...]:
        return (
            self.kind,
            f"{self.runs:,}",
            f"{self.sound:,}",
            f"{self.raised}",
            f"{self.too_slow}",
            f"{self.slowest:.2f} s",
            f"{self.seconds:,.0f} s",
        )


def soak(kind: str, things: Iterator[T], use: Callable[[T], bool], tell: Callable[[T], str], found: Path) -> Tally:
    """Use things one by one; write what raises or takes too long to a folder, and go on."""
    tally = Tally(kind)
    for thing in things:
        start = process_time()
        try:
            with _bounded():
                tally.sound += use(thing)
        except TooSlowError as error:
            tally.too_slow += 1
            _keep(tally, tell(thing), str(error), found)
        except Exception:  # noqa: BLE001 -- whatever it is, it is a finding
            tally.raised += 1
            _keep(tally, tell(thing), traceback.format_exc(), found)
        seconds = process_time() - start
        tally.runs += 1
        tally.seconds += seconds
        tally.slowest = max(tally.slowest, seconds)
    return tally


def _keep(tally: Tally, text: str, why: str, found: Path) -> None:
    found.mkdir(parents=True, exist_ok=True)
    path = found / f"{tally.kind.replace(' ', '-')}-{len(tally.findings) + 1}"
    path.with_suffix(".arch").write_text(text, "utf-8")
    path.with_suffix(".txt").write_text(why, "utf-8")
    tally.findings.append(why)
    sys.stderr.write(f"{path}: {why.splitlines()[-1]}\n")


@contextmanager
def _bounded() -> Iterator[None]:
    """Raise TooSlowError in what does not come back by itself."""

    def stop(_: int, __: FrameType | None) -> None:
        raise TooSlowError(f"broken off after {MOST_SECONDS} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


# Texts.


@cache
def wrong() -> tuple[str, ...]:
    """Return the wrong specs among the tests, and what fuzzing kept."""
    folders = (ROOT / "tests" / "wrong", ROOT / "tests" / "fuzz")
    paths = sorted(path for folder in folders for suffix in ("txt", "arch") for path in folder.rglob(f"*.{suffix}"))
    return tuple(path.read_text("utf-8", "replace") for path in paths)


def texts(kind: str, count: int, start: int) -> Iterator[str]:
    """Yield mutilated texts of a kind: the same ones for the same seed."""
    sound = [text for text in corpus() if len(text) <= LARGEST]
    for index in range(count):
        random = Random(f"{start} {kind} {index}")
        text = random.choice(sound if random.random() < _SOUND else wrong())
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            text = mutate_once(kind, text, random.choice(sound), random)
        yield text[:LARGEST]


def soak_texts(kind: str, count: int, start: int, found: Path, patience: float = 2) -> Tally:
    def use(text: str) -> bool:
        return examine(text, patience)

    return soak(f"{kind} mutations", texts(kind, count, start), use, str, found)


# Networks.


def networks(count: int, start: int) -> Iterator[Spec]:
    """Yield random legal specs: the same ones for the same seed."""
    drawn: list[Spec] = []

    @seed(start)
    @settings(
        max_examples=count, database=None, phases=[Phase.generate], deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )  # fmt: skip
    @given(specs())
    def draw(spec: Spec) -> None:
        drawn.append(spec)

    draw()
    return iter(drawn[:count])


def emitted(network: Network, path: Path) -> nn.Module:
    """Write a network's code to a file, run it, and make its network, which is its last class."""
    path.write_text(network.source(), "utf-8")
    made = runpy.run_path(str(path), run_name="emitted")
    classes = [value for value in made.values() if isinstance(value, type) and value.__module__ == "emitted"]
    module: nn.Module = classes[-1]()
    return module


def check_emitted(spec: Spec, path: Path) -> None:
    """Hold a network's keys, parameters, multiply-adds and shapes against the module that its file makes."""
    network = archdsl.load_text(spec.text, spec.model)
    module = emitted(network, path)
    state = {name: (tuple(tensor.shape), str(tensor.dtype)) for name, tensor in module.state_dict().items()}
    assert list(state.items()) == [(key, (tensor.shape, f"torch.{tensor.dtype}")) for key, tensor in network.state]
    assert sum(p.numel() for p in module.parameters()) == network.costs.parameters
    saved = set(module.state_dict())
    assert sum(b.numel() for name, b in module.named_buffers() if name in saved) == network.costs.buffers
    check_shapes(network, module)
    module.to("meta").train()
    images = [torch.empty(2, *shape.numbers(), device="meta") for shape in network.inputs.values()]
    with FlopCounterMode(display=False) as counter:
        module(*images)
    assert counter.get_total_flops() == 2 * network.costs.flops  # for a batch of two


UNEVEN = frozenset({"adaptive_avgpool", "adaptive_maxpool", "upsample"})
"""Operators that torch's exporter and the runtime do not take as torch does where one size is no multiple of the other.

The exporter has no counterpart of an uneven `AdaptiveMaxPool2d`, gives an uneven `AdaptiveAvgPool2d` another shape, and
the runtime takes other neighbours for an uneven `F.interpolate`, as a module of that one call shows.
"""


def is_beyond_onnx(network: Network) -> bool:
    """Return whether a network has an uneven resize, or a deconvolution whose output padding reaches its stride.

    The latter is legal in torch where the dilation is larger; the runtime refuses it.
    """
    for table in network.shapes.tables():
        for node in table.graph.nodes.values():
            if isinstance(node.op, ConvTranspose2d) and any(
                padding >= stride for padding, stride in zip(node.op.output_padding, node.op.stride, strict=True)
            ):
                return True
            if node.op is None or node.op.keyword not in UNEVEN:
                continue
            before, after = table.inputs_of(node)[0].numbers()[1:], table.results[node.id][""].numbers()[1:]
            larger, smaller = (after, before) if node.op.keyword == "upsample" else (before, after)
            if any(one % other for one, other in zip(larger, smaller, strict=True)):
                return True
    return False


def check_onnx(spec: Spec, path: Path) -> bool:
    """Hold the results of a network's ONNX file against those of the module that it was made of.

    Returns False where torch's exporter does not take an operator as torch does, which is no mistake of ours.
    """
    import onnxruntime

    network = archdsl.load_text(spec.text, spec.model)
    torch.manual_seed(0)
    if is_beyond_onnx(network):
        return False
    module = emitted(network, path).eval()
    images = tuple(torch.randn(2, *shape.numbers()) for shape in network.inputs.values())
    file = str(path.with_suffix(".onnx"))
    torch.onnx.export(module, images, file, dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    inputs = {slot.name: image.numpy() for slot, image in zip(session.get_inputs(), images, strict=True)}
    with torch.no_grad():
        result = module(*images)
    expected = [result] if isinstance(result, torch.Tensor) else [*result]
    for one, other in zip(session.run(None, inputs), expected, strict=True):
        scale = max(1.0, other.abs().max().item())
        torch.testing.assert_close(torch.from_numpy(one) / scale, other / scale, rtol=1e-3, atol=1e-4)
    return True


def soak_networks(count: int, start: int, found: Path, work: Path) -> tuple[Tally, Tally]:
    """Run the emitted files of random networks, and a tenth of them through ONNX."""
    drawn = list(networks(count, start))

    def run(check: Callable[[Spec, Path], bool | None]) -> Callable[[Spec], bool]:
        def use(spec: Spec) -> bool:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return check(spec, work / "emitted.py") is not False

        return use

    def tell(spec: Spec) -> str:
        return spec.text

    return (
        soak("random networks", iter(drawn), run(check_emitted), tell, found),
        soak("random networks in ONNX", iter(drawn[::ONNX_EVERY]), run(check_onnx), tell, found),
    )


# The command.

HEADER = ("kind", "runs", "networks that are sound", "raised", "over 2 s", "slowest", "time")


def report(tallies: Sequence[Tally], command: str) -> str:
    """Return the results as Markdown."""
    table = [HEADER, ("---", *["---:"] * (len(HEADER) - 1)), *(tally.row() for tally in tallies)]
    lines = [f"| {' | '.join(row)} |" for row in table]
    return (
        "# Soak\n\n"
        f"`{command}`; Python {platform.python_version()}, torch {torch.__version__}; processor time.\n\n"
        "A mutilated text is checked, rendered, formatted twice, compiled, and all is asked of the network that it may "
        "give: a bound of 2 s of the processor's time holds for each of these, and the slowest is all together. "
        "Of a random network the emitted file is run, and its keys, parameters, multiply-adds and all shapes are held "
        "against torch, in both modes; in ONNX the results are compared. There the slowest includes torch's own time, "
        "for which no bound holds.\n\n" + "\n".join(lines) + "\n"
    )


def main() -> int:
    """Soak, and write the results; what was found makes it fail."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=TEXTS)
    parser.add_argument("--networks", type=int, default=NETWORKS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--found", type=Path, default=Path("runs/soak"), help="where findings are written")
    parser.add_argument("--results", type=Path, help="a file of Markdown, kept from its part written by hand on")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tallies: list[Tally] = []
    for index, kind in enumerate(KINDS):
        count = (options.texts + len(KINDS) - 1 - index) // len(KINDS)
        tallies.append(soak_texts(kind, count, options.seed, options.found))
        sys.stderr.write(" ".join(tallies[-1].row()) + "\n")
    options.found.mkdir(parents=True, exist_ok=True)
    tallies += soak_networks(options.networks, options.seed, options.found, options.found)
    counts = f"--texts {options.texts} --networks {options.networks} --seed {options.seed}"
    text = report(tallies, f"python -m tests.fuzz.soak {counts}")
    sys.stdout.write(text)
    if options.results is not None:
        path: Path = options.results
        _, heading, by_hand = path.read_text("utf-8").partition(BY_HAND) if path.exists() else ("", "", "")
        path.write_text(text + (f"\n{heading}{by_hand}" if heading else ""), "utf-8")
    return 1 if any(tally.findings for tally in tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
