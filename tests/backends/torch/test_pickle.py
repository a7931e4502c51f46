"""What `network.module()` builds is pickled with its source, and built again of it wherever the pickle is read."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archdsl
from tests.backends.torch.cases import GOLDENS

pytestmark = pytest.mark.torch

TEXT = """
block basic(c) { residual { conv c; norm; act; conv c; norm }; act }
model net(classes=4) {
  input [3, 8, 8]
  stem: { conv 8; norm; act }
  body: { basic 8 } x 3
  gap; flatten; fc: fc classes
  output fc
}
"""
TWO = "model two { input [3, 8, 8]; conv 4; small: gap; output small; conv 2 }"


def built(text: str = TEXT, **settings: object) -> nn.Module:
    torch.manual_seed(0)
    return archdsl.load_text(text, **settings).module().eval()  # pyright: ignore[reportArgumentType] -- any setting


def again(thing: object, protocol: int = pickle.DEFAULT_PROTOCOL) -> object:
    return pickle.loads(pickle.dumps(thing, protocol))


def run(module: object) -> Tensor:
    assert isinstance(module, nn.Module)
    torch.manual_seed(1)
    with torch.no_grad():
        return module(torch.randn(2, 3, 8, 8))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_module_comes_out_of_a_pickle_as_it_went_in(protocol: int) -> None:
    module = built()
    other = again(module, protocol)
    assert type(other) is type(module)
    assert torch.equal(run(other), run(module))
    assert not other.training  # pyright: ignore[reportAttributeAccessIssue] -- a module


@pytest.mark.parametrize("name", ["odd", pytest.param("googlenet", marks=pytest.mark.slow)])
def test_any_network_can_be_pickled(name: str) -> None:
    module = GOLDENS[name]().module()
    state, other = module.state_dict(), again(module)
    assert isinstance(other, nn.Module)
    assert list(other.state_dict()) == list(state)
    assert all(torch.equal(one, state[key]) for key, one in other.state_dict().items())


def test_a_pickle_holds_the_source_once_however_many_parts_it_has() -> None:
    module = built()
    content = pickle.dumps([module, *module.modules(), copy.deepcopy(module)])
    assert content.count(b"class Basic(nn.Module)") == 1


def test_a_part_alone_can_be_pickled_and_copied() -> None:
    part = built().get_submodule("body.0")
    for other in (again(part), copy.deepcopy(part), copy.copy(part)):
        assert type(other) is type(part)
        assert list(other.state_dict()) == list(part.state_dict())
    assert copy.deepcopy(part) is not part


def test_two_networks_of_one_name_stay_apart() -> None:
    one, other = built(), built(TEXT.replace("conv 8; norm", "conv 8 k=5; norm"))
    first, second = pickle.loads(pickle.dumps([one, other]))
    assert type(first) is not type(second)
    assert torch.equal(run(first), run(one))
    assert torch.equal(run(second), run(other))


def test_torch_saves_a_module_and_loads_it_where_code_may_run() -> None:
    module, file = built(), io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    assert torch.equal(run(torch.load(file, weights_only=False)), run(module))
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match="archdsl"):
        torch.load(file)


def test_what_torch_makes_of_a_module_can_be_pickled_too() -> None:
    module = built()
    for made in (torch.fx.symbolic_trace(module), torch.optim.swa_utils.AveragedModel(module)):
        assert torch.equal(run(again(made)), run(module))
    first, second = pickle.loads(pickle.dumps(nn.ModuleList([module, module])))
    assert first is second
    with torch.device("meta"):
        assert again(built()).fc.weight.is_meta  # pyright: ignore[reportAttributeAccessIssue] -- a label


def test_named_outputs_can_be_pickled() -> None:
    outputs = run(archdsl.load_text(TWO).module())
    other = again(outputs)
    assert type(other) is type(outputs)
    assert torch.equal(other.small, outputs.small)  # pyright: ignore[reportAttributeAccessIssue] -- named by the spec


def test_a_class_of_the_users_below_ours_is_left_to_itself() -> None:
    derived = type("Derived", (type(built()),), {"__module__": __name__})
    with pytest.raises(pickle.PicklingError, match="Derived"):
        pickle.dumps(derived())
    globals()["Derived"] = derived
    try:
        assert type(again(derived())) is derived
    finally:
        del globals()["Derived"]


def test_another_process_reads_it(tmp_path: Path) -> None:
    module, path = built(), tmp_path / "net.pkl"
    path.write_bytes(pickle.dumps((module, run(module))))
    program = f"""
import pickle, sys, torch
sys.path[:0] = {sys.path!r}
module, expected = pickle.load(open({str(path)!r}, "rb"))
torch.manual_seed(1)
assert torch.equal(module(torch.randn(2, 3, 8, 8)), expected)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def train_in_a_process(rank: int, module: nn.Module, store: str) -> None:
    """Take a step with a module that was sent here."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    parallel = nn.parallel.DistributedDataParallel(module.train())
    parallel(torch.randn(4, 3, 8, 8)).square().mean().backward()
    gradients = [parameter.grad for parameter in parallel.parameters()]
    assert all(gradient is not None for gradient in gradients)
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_processes_that_are_spawned_take_a_module(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(train_in_a_process, (built(), str(tmp_path / "store")), nprocs=2)  # pyright: ignore[reportPrivateImportUsage] -- public
    cloudpickle = pytest.importorskip("cloudpickle")  # what Ray sends objects with
    module = built()
    assert torch.equal(run(pickle.loads(cloudpickle.dumps(module))), run(module))
