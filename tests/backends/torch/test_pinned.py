"""Frozen parts stay as they are to the last bit, whatever is done to the module around them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from archdsl import Network, load
from archdsl.backends.torch.build import build
from archdsl.text.source import Source
from tests.backends.torch.cases import ruff
from tests.strategies import Spec, specs

pytestmark = pytest.mark.torch

TEXT = """
block unit(c, stride s=1) {
  residual { conv c s=s; batch; rrelu; dropout 0.3; conv c; batch; drop_path 0.5 } shortcut { conv c k=1 s=s; batch }
  relu
}
model net(classes=4) {
  input [3, 16, 16]
  stem: { conv: conv 8; norm: instance affine=true track=true; gamma: scale; act: prelu }
  layer1: { unit 8 x 2 }
  layer2: { unit 8 s=2; unit 8 }
  output aux training { gap; flatten; aux: fc classes }
  layer3: { unit 8 s=2 }
  gap; flatten; dropout 0.5; fc: fc classes
}
"""
WHAT = "stem layer1 layer2.0"
PLAIN = TEXT.replace("  output aux training { gap; flatten; aux: fc classes }\n", "")


def network_of(text: str = TEXT, what: str = WHAT) -> Network:
    return load(Source(text)).frozen(what)


def built(text: str = TEXT, what: str = WHAT) -> tuple[Network, nn.Module]:
    torch.manual_seed(0)
    network = network_of(text, what)
    return network, network.module()


def batches(count: int = 3) -> Iterator[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    for _ in range(count):
        yield torch.randn(4, 3, 16, 16, generator=generator), torch.randint(4, (4,), generator=generator)


def loss_of(module: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    given: Any = module(images)
    outputs = given if isinstance(given, tuple) else (given,)
    return sum((nn.functional.cross_entropy(output, classes) for output in outputs), torch.zeros(()))


def train(module: nn.Module, count: int = 3, *, set_to_none: bool = True) -> None:
    """Train as a careless loop would: every parameter in the optimiser, with momentum and decay."""
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    for images, classes in batches(count):
        module.train()
        loss_of(module, images, classes).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=set_to_none)


def state_of(module: nn.Module) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in module.state_dict().items()}


def assert_frozen(module: nn.Module, before: dict[str, Tensor], frozen: frozenset[str], prefix: str = "") -> None:
    after = module.state_dict()
    same = {key for key, value in before.items() if torch.equal(value, after[prefix + key])}
    assert frozen <= same, f"{sorted(frozen - same)} changed"
    assert set(before) - same, "nothing was trained"
    for key, parameter in module.named_parameters():
        assert parameter.grad is None or key.removeprefix(prefix) not in frozen


def test_frozen_parameters_and_buffers_are_bit_identical_after_training() -> None:
    network, module = built()
    before = state_of(module)
    train(module)
    assert_frozen(module, before, network.frozen_keys)
    changed = {key for key, value in module.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {key for key, _ in network.state} - network.frozen_keys


def test_a_loop_that_keeps_zero_gradients_moves_nothing_frozen() -> None:
    network, module = built()
    before = state_of(module)
    train(module, set_to_none=False)
    assert_frozen(module, before, network.frozen_keys)


def test_what_is_not_pinned_would_have_moved() -> None:
    torch.manual_seed(0)
    network = load(Source(TEXT))
    module, frozen = network.module(), network.frozen(WHAT).frozen_keys
    for key, parameter in module.named_parameters():
        parameter.requires_grad_(key not in frozen)
    before = state_of(module)
    train(module)
    with pytest.raises(AssertionError, match="running_mean"):
        assert_frozen(module, before, frozen)


def test_the_frozen_trunk_gives_in_training_what_it_gives_in_evaluation() -> None:
    _, module = built()
    images = torch.randn(4, 3, 16, 16)

    def trunk() -> Tensor:
        return module.get_submodule("layer1")(module.get_submodule("stem")(images))

    module.train()
    first, second = trunk(), trunk()
    module.eval()
    assert torch.equal(first, trunk())
    assert torch.equal(first, second)
    assert not first.requires_grad


def test_the_optimiser_has_no_state_for_what_is_frozen() -> None:
    network, module = built()
    optimizer = torch.optim.Adam([p for p in module.parameters() if p.requires_grad])
    named = {id(parameter): key for key, parameter in module.named_parameters()}
    for images, classes in batches(1):
        loss_of(module, images, classes).backward()
        optimizer.step()
    assert not {named[id(parameter)] for parameter in optimizer.state} & network.frozen_keys
    assert {key for key, p in module.named_parameters() if not p.requires_grad} == {
        key for key, _ in module.named_parameters() if key in network.frozen_keys
    }


def test_a_copy_is_as_frozen() -> None:
    network, module = built()
    copied = copy.deepcopy(module)
    before = state_of(copied)
    train(copied)
    assert_frozen(copied, before, network.frozen_keys)


def test_a_pickle_is_as_frozen() -> None:
    network, module = built()
    copied: nn.Module = pickle.loads(pickle.dumps(module))
    before = state_of(copied)
    train(copied)
    assert_frozen(copied, before, network.frozen_keys)


def test_a_child_that_is_put_into_training_stays_in_evaluation() -> None:
    network, module = built()
    before = state_of(module)
    for path in ("stem", "layer1", "layer1.0", "layer2.0"):
        module.get_submodule(path).train()
    for inner in module.get_submodule("layer1").modules():
        inner.train()
    module.train(True)
    train(module)
    assert_frozen(module, before, network.frozen_keys)


def test_an_averaged_model_keeps_what_is_frozen() -> None:
    network, module = built()
    before = state_of(module)
    averaged = AveragedModel(module, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.5), use_buffers=True)
    averaged.train()
    for _ in range(2):
        train(module, 2)
        averaged.update_parameters(module)
    assert_frozen(averaged, before, network.frozen_keys, "module.")


def test_a_file_of_weights_loads_under_the_keys_of_the_network_without_freeze() -> None:
    plain = load(Source(TEXT))
    torch.manual_seed(3)
    module = plain.module()
    train(module, 1)
    frozen = plain.frozen(WHAT).module(module.state_dict())
    assert [*frozen.state_dict()] == [*module.state_dict()]
    assert not frozen.get_submodule("layer1.0").training or not any(
        inner.training for inner in frozen.get_submodule("layer1").modules() if isinstance(inner, nn.BatchNorm2d)
    )
    images = torch.randn(2, 3, 16, 16)
    assert torch.equal(frozen.eval()(images), module.eval()(images))
    assert {key for key, p in frozen.named_parameters() if not p.requires_grad} <= plain.frozen(WHAT).frozen_keys


def test_data_parallel_training_keeps_what_is_frozen(tmp_path: Path) -> None:
    network, module = built(PLAIN)
    before = state_of(module)
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/group", rank=0, world_size=1)
    try:
        parallel = DistributedDataParallel(module)
        train(parallel)
        assert_frozen(parallel, before, network.frozen_keys, "module.")
    finally:
        torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_compiled_training_keeps_what_is_frozen() -> None:
    network, module = built(PLAIN)
    before = state_of(module)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    train(compiled, 2)  # pyright: ignore[reportArgumentType] -- it is one
    assert_frozen(module, before, network.frozen_keys)
    module.train()
    images = torch.randn(2, 3, 16, 16)
    trunk = torch.compile(module.get_submodule("layer1"), fullgraph=True, backend="aot_eager")
    maps = module.get_submodule("stem")(images)
    assert torch.allclose(trunk(maps), trunk(maps), atol=0)


# It warns of modules that are in evaluation, as they are to be.
@pytest.mark.filterwarnings("ignore")
def test_a_lightning_trainer_keeps_what_is_frozen() -> None:
    lightning: Any = pytest.importorskip("lightning")
    network, module = built(PLAIN)
    before = state_of(module)

    class Loop(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
            return loss_of(self.module, *batch)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)

    trainer = lightning.Trainer(max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False)
    loader = torch.utils.data.DataLoader(list(batches()), batch_size=None)  # pyright: ignore[reportArgumentType] -- a list is a map of places
    trainer.fit(Loop(), loader)
    assert_frozen(module, before, network.frozen_keys)


def test_an_accelerate_loop_keeps_what_is_frozen() -> None:
    accelerate: Any = pytest.importorskip("accelerate")
    network, module = built(PLAIN)
    before = state_of(module)
    accelerator = accelerate.Accelerator(cpu=True)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    prepared, optimizer = accelerator.prepare(module, optimizer)
    for images, classes in batches():
        prepared.train()
        accelerator.backward(loss_of(prepared, images, classes))
        optimizer.step()
        optimizer.zero_grad()
    assert_frozen(module, before, network.frozen_keys)


def test_everything_frozen_takes_no_gradient_at_all() -> None:
    _, module = built(what="*")
    assert not any(parameter.requires_grad for parameter in module.parameters())
    assert "        self.requires_grad_(False)\n" in network_of(what="*").source()


@pytest.mark.parametrize(
    ("what", "lines"),
    [
        ("stem", ["self.stem.requires_grad_(False)"]),
        ("stem.gamma", ['self.get_parameter("stem.gamma").requires_grad_(False)']),
        ("* except head", ["self.requires_grad_(False)", 'for name in ["aux", "fc"]:', "requires_grad_(True)"]),
        ("layer1.0 stem.conv", ['for name in ["stem.conv", "layer1.0"]:', "requires_grad_(False)"]),
    ],
)
def test_the_constructor_names_the_outermost_levels(what: str, lines: list[str]) -> None:
    source = network_of(what=what).source()
    assert [line for line in lines if line not in source] == []


def test_a_block_that_is_frozen_in_some_calls_alone_is_one_class() -> None:
    source = network_of(what="layer1").source()
    assert source.count("class Unit") == 1
    assert "norm: type[nn.Module] = nn.BatchNorm2d" in source
    assert "norm=PinnedBatchNorm2d" in source


def test_only_the_helpers_that_are_needed_are_written() -> None:
    assert "class PinnedBatchNorm2d" not in load(Source(TEXT)).source()
    assert "Pinned" not in network_of(what="fc").source()
    assert "class PinnedStochasticDepth(Pinned, StochasticDepth)" in network_of(what="layer1").source()


def test_a_block_may_be_called_as_a_helper_is() -> None:
    text = "block pinned_batch_norm2d { conv 4; batch }\nmodel pinned { input [3, 8, 8]; a: pinned_batch_norm2d; gap }"
    network = load(Source(text)).frozen("a")
    assert network.module().state_dict().keys() == load(Source(text)).module().state_dict().keys()


@pytest.mark.parametrize("what", [WHAT, "*", "* except head", "layer2.0.batch stem.norm"])
def test_ruff_finds_nothing_and_would_change_nothing(what: str, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(network_of(what=what).source(), encoding="utf-8")
    assert ruff("check", "--isolated", "--no-cache", "--select", "F,I,E,W,B,C4,UP,RET,SIM", tmp_path) == ""
    assert ruff("format", "--isolated", "--no-cache", "--check", tmp_path) == ""


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "mobilenet_v3_small", "densenet121"])
def test_bundled_networks_keep_their_keys_and_their_pinned_modules(name: str) -> None:
    network = load(name).frozen("* except head")
    module = network.module()
    assert [*module.state_dict()] == [key for key, _ in network.state]
    module.train()
    still = {path for path, inner in module.named_modules() if not inner.training}
    norms = {key.removesuffix(".running_mean") for key, _ in network.state if key.endswith(".running_mean")}
    assert norms <= still
    free = {key for key, parameter in module.named_parameters() if parameter.requires_grad}
    assert free == {key for key, _ in module.named_parameters()} - network.frozen_keys


def _chosen(data: st.DataObject, network: Network) -> str:
    flat = network.flatten()
    paths = [str(node) for node in flat.nodes if not (node in network.inputs or "reuses" in flat.nodes[node])]
    levels = sorted({path.rpartition(".")[0] for path in paths if "." in path})
    chosen = data.draw(st.lists(st.sampled_from([*paths, *levels]), min_size=1, max_size=4))
    return " ".join(f'"{path}"' for path in chosen)


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_a_frozen_network_has_the_keys_and_the_results_of_the_free_one(data: st.DataObject) -> None:
    spec: Spec = data.draw(specs())
    free = load(Source(spec.text), spec.model)
    network = free.frozen(_chosen(data, free))
    torch.manual_seed(0)
    module = free.module()
    frozen = build(network.source(), network.name)
    assert [*frozen.state_dict()] == [*module.state_dict()]
    frozen.load_state_dict(module.state_dict())
    images = [torch.randn(2, *shape.numbers()) for shape in free.inputs.values()]
    with torch.no_grad():
        ours, theirs = frozen.eval()(*images), module.eval()(*images)
    for one, other in zip(_each(ours), _each(theirs), strict=True):
        assert torch.equal(one, other) or (one.isnan() == other.isnan()).all()
    off = {key for key, parameter in frozen.named_parameters() if not parameter.requires_grad}
    assert off == {key for key, _ in frozen.named_parameters()} & network.frozen_keys
    before = state_of(frozen)
    frozen.train()
    with torch.no_grad():
        frozen(*images)
    assert all(torch.equal(frozen.state_dict()[key], before[key]) for key in network.frozen_keys)


def _each(given: Any) -> tuple[Tensor, ...]:
    return given if isinstance(given, tuple) else (given,)
