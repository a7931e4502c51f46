"""Compare the emitted ResNet-50 with torchvision's on a GPU: same numbers, and how fast it trains.

    python bench/gpu.py [--out FILE] [--smoke]

Parity: both get one state_dict, with running statistics that are not the initial ones, and one batch, in
float32 without TF32. Compared are the outputs in evaluation, and the outputs, gradients, weights and running
statistics of a training step. torchvision against itself gives the noise floor of the device.

Speed: whole training steps (uint8 images normalised on the device, bf16 autocast, channels_last,
torch.compile, SGD with momentum) in rounds that take turns, so that a drifting clock hits both.
"""

from __future__ import annotations

import os

# cuBLAS reads this when it starts; without it, deterministic algorithms cannot be had.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import argparse
import gc
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

ROOT = Path(__file__).resolve().parent.parent
BEGAN = time.perf_counter()
CLASSES = 1000
# A declaration of an operator lasts as long as its library object.
DECLARED: list[torch.library.Library] = []
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Sizes:
    """What is measured: batches of [N, 3, size, size], `rounds` turns of `steps` training steps for each."""

    network: str
    size: int
    parity_batch: int
    batch: int
    rounds: int
    steps: int
    warmup: int


FULL = Sizes("resnet50", 224, parity_batch=32, batch=256, rounds=15, steps=10, warmup=10)
SMOKE = Sizes("resnet18", 64, parity_batch=4, batch=4, rounds=2, steps=2, warmup=1)


@dataclass(frozen=True)
class Difference:
    """How far two sets of tensors are apart at most, and the reference's largest value."""

    what: str
    absolute: float
    scale: float


@dataclass(frozen=True)
class Speed:
    """Images per second of each round, and the bytes that training steps of this network alone need."""

    name: str
    rates: tuple[float, ...]
    peak_bytes: int | None


def difference(what: str, ours: Sequence[Tensor], reference: Sequence[Tensor]) -> Difference:
    """Return the largest absolute difference of tensors, pair by pair.

    Errors: ValueError if they differ in number or shape
    """
    if [tensor.shape for tensor in ours] != [tensor.shape for tensor in reference]:
        raise ValueError(f"{what}: the tensors differ in number or shape")
    pairs = [(a.double(), b.double()) for a, b in zip(ours, reference, strict=True)]
    # torch's max, unlike Python's, lets a NaN through.
    absolute = torch.stack([(a - b).abs().max() for a, b in pairs]).max()
    scale = torch.stack([b.abs().max() for _, b in pairs]).max()
    return Difference(what, absolute.item(), scale.item())


@dataclass(frozen=True)
class Trace:
    """All that one evaluation and one training step of a network give."""

    evaluation: list[Tensor]
    training: list[Tensor]
    gradients: list[Tensor]
    weights: list[Tensor]
    statistics: list[Tensor]


def trace(module: nn.Module, state: Mapping[str, Tensor], images: Tensor, labels: Tensor) -> Trace:
    """Run a copy of a module, with these weights, through an evaluation and a training step."""
    module = deepcopy(module).to(images.device)
    module.load_state_dict(state)
    with torch.no_grad():
        evaluated = module.eval()(images)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    logits = module.train()(images)
    functional.cross_entropy(logits, labels).backward()
    gradients = {name: p.grad for name, p in module.named_parameters() if p.grad is not None}
    optimizer.step()
    return Trace(
        [evaluated],
        [logits.detach()],
        _by_name(gradients),
        _by_name(dict(module.named_parameters())),
        _by_name(dict(module.named_buffers())),
    )


def _by_name(tensors: Mapping[str, Tensor]) -> list[Tensor]:
    return [tensors[name].detach() for name in sorted(tensors)]


def parity(ours: nn.Module, theirs: nn.Module, images: Tensor, labels: Tensor) -> list[Difference]:
    """Compare two networks that hold the same weights.

    Errors: RuntimeError if their state_dicts differ in names or shapes
    """
    state = lived_in(theirs.state_dict())
    with exact_arithmetic():
        mine, reference = (trace(module, state, images, labels) for module in (ours, theirs))
    return compare(mine, reference)


def noise(theirs: nn.Module, images: Tensor, labels: Tensor) -> list[Difference]:
    """Compare a network with itself, run again."""
    return parity(theirs, theirs, images, labels)


def compare(ours: Trace, reference: Trace) -> list[Difference]:
    return [
        difference("outputs, evaluation", ours.evaluation, reference.evaluation),
        difference("outputs, training", ours.training, reference.training),
        difference("gradients", ours.gradients, reference.gradients),
        difference("parameters after one step", ours.weights, reference.weights),
        difference("running statistics after one step", ours.statistics, reference.statistics),
    ]


def lived_in(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state whose batch norms are as after training: fresh ones hide many a mistake."""
    generator = torch.Generator().manual_seed(0)
    changed = {name: tensor.cpu().clone() for name, tensor in state.items()}
    for name, tensor in changed.items():
        noise_of_shape = torch.rand(tensor.shape, generator=generator)
        if name.endswith("running_var"):
            changed[name] = 0.5 + noise_of_shape
        elif name.endswith("running_mean"):
            changed[name] = 0.2 * noise_of_shape - 0.1
        elif tensor.ndim == 1 and name.endswith("weight"):
            changed[name] = 0.5 + noise_of_shape
        elif tensor.ndim == 1:
            changed[name] = 0.2 * noise_of_shape - 0.1
    return changed


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Use float32 without TF32 and algorithms that repeat; warn where torch has none that does."""
    before = (
        torch.backends.cuda.matmul.allow_tf32,
        torch.backends.cudnn.allow_tf32,
        torch.backends.cudnn.benchmark,
        torch.are_deterministic_algorithms_enabled(),
    )
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        matmul, cudnn, benchmark, is_deterministic = before
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, cudnn
        torch.backends.cudnn.benchmark = benchmark
        torch.use_deterministic_algorithms(is_deterministic)


class Trainer:
    """Train a network on one synthetic batch that stays on the device."""

    def __init__(self, module: nn.Module, device: torch.device, sizes: Sizes, *, compiled: bool) -> None:
        generator = torch.Generator().manual_seed(1)
        shape = (sizes.batch, 3, sizes.size, sizes.size)
        images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        self.images = images.to(device).contiguous(memory_format=torch.channels_last)
        self.labels = torch.randint(0, CLASSES, (sizes.batch,), generator=generator).to(device)
        self.mean, self.deviation = (
            torch.tensor(values, device=device).mul(255).view(1, 3, 1, 1) for values in (MEAN, DEVIATION)
        )
        self.device, self.batch = device, sizes.batch
        # The layout is part of what is compiled, so it is set first.
        self.module = module.to(device).to(memory_format=torch.channels_last).train()  # pyright: ignore[reportCallIssue]
        self.forward: Callable[[Tensor], Tensor] = torch.compile(self.module) if compiled else self.module
        self.optimizer = torch.optim.SGD(self.module.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)

    def step(self) -> Tensor:
        images = (self.images - self.mean) / self.deviation
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16):
            loss = functional.cross_entropy(self.forward(images), self.labels)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def images_per_second(self, steps: int) -> float:
        """Time some steps, on the device's own clock where it has one."""
        seconds = timed_cuda(self.step, steps) if self.device.type == "cuda" else timed(self.step, steps)
        return steps * self.batch / seconds


def timed(work: Callable[[], object], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - began


def timed_cuda(work: Callable[[], object], times: int) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    for _ in range(times):
        work()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / 1000


def speed(modules: Mapping[str, nn.Module], device: torch.device, sizes: Sizes, *, compiled: bool) -> list[Speed]:
    """Measure how fast networks train, in turns; the first of a round goes last in the next."""
    torch.backends.cudnn.benchmark = True
    trainers: dict[str, Trainer] = {}
    peaks: dict[str, int | None] = {}
    for name, module in modules.items():
        log(f"{name}: {'compiling and ' if compiled else ''}warming up")
        trainers[name], peaks[name] = _warm(module, device, sizes, compiled=compiled)
    rates: dict[str, list[float]] = {name: [] for name in modules}
    for number in range(sizes.rounds):
        order = list(trainers) if number % 2 == 0 else list(reversed(trainers))
        for name in order:
            rates[name].append(trainers[name].images_per_second(sizes.steps))
    for name, trainer in trainers.items():
        if not trainer.step().isfinite():
            raise RuntimeError(f"{name}: the loss is not finite, so its speed means nothing")
    return [Speed(name, tuple(rates[name]), peaks[name]) for name in modules]


def _warm(module: nn.Module, device: torch.device, sizes: Sizes, *, compiled: bool) -> tuple[Trainer, int | None]:
    """Build a trainer and run it in; give the peak of its own memory, what lay there before left out."""
    is_cuda = device.type == "cuda"
    gc.collect()
    before = torch.cuda.memory_allocated() if is_cuda else 0
    trainer = Trainer(module, device, sizes, compiled=compiled)
    for _ in range(sizes.warmup):
        trainer.step()
    if not is_cuda:
        return trainer, None
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    for _ in range(3):
        trainer.step()
    torch.cuda.synchronize()
    return trainer, torch.cuda.max_memory_allocated() - before


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def report(
    title: str,
    facts: Sequence[str],
    differences: Sequence[tuple[Difference, Difference]],
    speeds: Sequence[Speed],
) -> str:
    """Write the findings as Markdown; each difference comes with the noise floor's."""
    lines = [f"# {title}", "", *(f"- {fact}" for fact in facts), ""]
    lines += ["| float32, one batch | largest difference | largest value | the reference run twice |"]
    lines += ["| --- | ---: | ---: | ---: |"]
    lines += [f"| {d.what} | {d.absolute:.3g} | {d.scale:.3g} | {n.absolute:.3g} |" for d, n in differences]
    lines += [
        "",
        "| training | images/s, median | quartiles | peak memory, GiB |",
        "| --- | ---: | ---: | ---: |",
    ]
    for measured in speeds:
        low, middle, high = quartiles(measured.rates)
        peak = "-" if measured.peak_bytes is None else f"{measured.peak_bytes / 2**30:.2f}"
        lines.append(f"| {measured.name} | {middle:.0f} | {low:.0f} to {high:.0f} | {peak} |")
    ours, theirs = speeds
    low, middle, high = quartiles([a / b for a, b in zip(ours.rates, theirs.rates, strict=True)])
    lines += ["", f"Ratio {ours.name} / {theirs.name}, round by round: median {middle:.4f}"]
    lines[-1] += f" (quartiles {low:.4f} to {high:.4f})."
    return "\n".join(lines) + "\n"


def torchvision_model(name: str) -> nn.Module:
    """Build a torchvision network with fresh weights.

    Beside a torch without its compiled operators, torchvision's import needs two of them declared.
    """
    try:
        import torchvision
    except RuntimeError:
        for module in [module for module in sys.modules if module.split(".")[0] == "torchvision"]:
            del sys.modules[module]
        library = torch.library.Library("torchvision", "FRAGMENT")
        DECLARED.append(library)
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    return torchvision.models.get_model(name, weights=None)


def emitted_model(name: str) -> nn.Module:
    """Compile a bundled spec and build its emitted network."""
    sys.path.insert(0, str(ROOT))
    import archdsl

    return archdsl.load(name).module()


def facts_of(device: torch.device, sizes: Sizes, *, compiled: bool) -> list[str]:
    import torchvision

    how = "torch.compile" if compiled else "not compiled"
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    cuda = f", CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}" if device.type == "cuda" else ""
    return [
        f"device: {where}",
        f"torch {torch.__version__}, torchvision {torchvision.__version__}{cuda}",
        f"images: 3 x {sizes.size} x {sizes.size}",
        f"parity: batch {sizes.parity_batch}, TF32 off, deterministic algorithms",
        f"speed: batch {sizes.batch}, bf16 autocast, channels_last, {how}",
        f"timing: {sizes.rounds} rounds of {sizes.steps} steps each, in turns",
    ]


def measure(ours: nn.Module, theirs: nn.Module, device: torch.device, sizes: Sizes, *, compiled: bool) -> str:
    """Compare two networks in numbers and speed; give the report."""
    generator = torch.Generator().manual_seed(2)
    shape = (sizes.parity_batch, 3, sizes.size, sizes.size)
    images = torch.randn(shape, generator=generator).to(device)
    labels = torch.randint(0, CLASSES, (sizes.parity_batch,), generator=generator).to(device)
    log("parity")
    differences = list(zip(parity(ours, theirs, images, labels), noise(theirs, images, labels), strict=True))
    for found, _ in differences:
        log(f"{found.what}: {found.absolute:.3g} of {found.scale:.3g}")
    ours.load_state_dict(theirs.state_dict())
    speeds = speed({"archdsl": ours, "torchvision": theirs}, device, sizes, compiled=compiled)
    title = f"{sizes.network}: archdsl and torchvision"
    return report(title, facts_of(device, sizes, compiled=compiled), differences, speeds)


def log(message: str) -> None:
    print(f"[{time.perf_counter() - BEGAN:5.0f} s] {message}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare the emitted ResNet-50 with torchvision's on a GPU.")
    parser.add_argument("--out", type=Path, help="report file; bench/results/gpu-<device>.md unless a smoke run")
    parser.add_argument("--smoke", action="store_true", help="run everything small, on the CPU, uncompiled")
    options = parser.parse_args(arguments)
    if not options.smoke and not torch.cuda.is_available():
        print("torch sees no CUDA device here; --smoke runs the same code small on the CPU", file=sys.stderr)
        return 2
    sizes = SMOKE if options.smoke else FULL
    device = torch.device("cpu" if options.smoke else "cuda")
    theirs, ours = torchvision_model(sizes.network), emitted_model(sizes.network)
    text = measure(ours, theirs, device, sizes, compiled=not options.smoke)
    print(text)
    out = options.out
    if out is None and not options.smoke:
        slug = re.sub(r"[^a-z0-9]+", "-", torch.cuda.get_device_name(device).lower()).strip("-")
        out = ROOT / "bench" / "results" / f"gpu-{slug}.md"
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
