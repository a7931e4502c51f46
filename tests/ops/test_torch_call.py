"""What torch call an operator may ask for: any number of inputs, by position and by keyword."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

import pytest

import archdsl
from archdsl.ops.base import Category, Op, Tensor, TorchCall
from archdsl.ops.shape import Shape
from tests.backends.torch.interpreter import agree
from tests.ops.plant import planted

pytestmark = pytest.mark.torch


class Join(Op):
    category: ClassVar[Category] = "join"
    is_join: ClassVar[bool] = True

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[-1]


@final
class Attend(Join):
    keyword: ClassVar[str] = "attend"

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        target = "F.scaled_dot_product_attention"
        return TorchCall(target, kwargs={"scale": 0.5}, kind="function", input_names=("value",))


@final
class AddProduct(Join):
    keyword: ClassVar[str] = "add_product"

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("addcmul", kind="method")


@final
class Bilinear(Join):
    keyword: ClassVar[str] = "bilinear"

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        return (Tensor("weight", (5, 5, 5)), Tensor("bias", (5,)))

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Bilinear", (5, 5, 5), input_names=("input2",))


@pytest.mark.parametrize(
    ("step", "call"),
    [
        ("attend { conv 2; conv 2; conv 2 }", "(self.conv(x), self.conv_2(x), value=self.conv_3(x), scale=0.5)"),
        ("attend { pass; conv 2; relu }", "F.scaled_dot_product_attention("),
        ("add_product { conv 2; conv 2; conv 2 }", ".addcmul("),
        ("bilinear { conv 2; relu }", "input2="),
    ],
)
def test_inputs_reach_torch_by_position_and_by_keyword(step: str, call: str) -> None:
    with planted(Attend, AddProduct, Bilinear):
        net = archdsl.load_text(f"model planted {{\n  input [2, 6, 5]\n  {step}\n}}\n")
        assert call in " ".join(net.source().split()).replace("( ", "(").replace(" )", ")")
        agree(net)
