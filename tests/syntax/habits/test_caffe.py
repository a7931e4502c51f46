"""Layers of Caffe become the same network, or help that says what it leaves over."""

from __future__ import annotations

import random
from math import ceil

import pytest

import archdsl
from archdsl.ops.shape import Shape
from archdsl.syntax.habits import caffe
from tests.syntax.habits.advice import advised, errors, in_model, told

# What stands in a layer's braces, and what the help shows.
LAYERS = [
    ('name: "c" type: "Convolution" convolution_param { num_output: 64 kernel_size: 3 }', "`c: conv 64 p=0 bias=true`"),
    ('type: "Convolution" convolution_param { num_output: 8 kernel_size: 3 pad: 1 stride: 2 bias_term: false }',
     "`conv 8 s=2`"),
    ('type: "Convolution" convolution_param { num_output: 8 kernel_size: 3 pad: 1 group: 4 }',
     "`conv 8 g=4 bias=true`"),
    ('type: "Convolution" convolution_param { num_output: 8 kernel_h: 1 kernel_w: 3 pad_h: 0 pad_w: 1 dilation: 1 }',
     "`conv 8 k=[1, 3] bias=true`"),
    ('type: "Convolution" convolution_param { num_output: 8 kernel_size: 3 kernel_size: 5 pad: 2 dilation: 2 }',
     "`conv 8 k=[3, 5] p=2 d=2 bias=true`"),
    ('type: "Convolution" convolution_param { num_output: 8 kernel_size: 1 axis: 2 }', "it leaves over `axis: 2`"),
    ('type: "Convolution" convolution_param { num_output: 8 kernel_size: 1 weight_filler { type: "xavier" } }',
     "it leaves over `weight_filler: xavier`"),
    ("type: CONVOLUTION convolution_param { num_output: 8 kernel_size: 1 }", "`conv 8 k=1 bias=true`"),
    ('type: "Deconvolution" convolution_param { num_output: 8 kernel_size: 4 stride: 2 pad: 1 }',
     "`deconv 8 k=4 p=1 bias=true`"),
    ('type: "Deconvolution" convolution_param { num_output: 8 kernel_size: 2 }', "`deconv 8 s=1 bias=true`"),
    ('type: "Pooling" pooling_param { pool: MAX kernel_size: 3 stride: 2 }', "`maxpool 3 s=2 p=0 ceil=true`"),
    ('type: "Pooling" pooling_param { pool: AVE kernel_size: 3 stride: 1 pad: 1 }', "`avgpool 3 s=1`"),
    ('type: "Pooling" pooling_param { pool: MAX kernel_size: 2 }', "`maxpool 2 s=1`"),
    ('type: "Pooling" pooling_param { kernel_size: 2 stride: 2 round_mode: FLOOR }', "`maxpool 2`"),
    ('type: "Pooling" pooling_param { pool: AVE global_pooling: true }', "`gap`"),
    ('type: "Pooling" pooling_param { global_pooling: true }', "`gmp`"),
    ('type: "Pooling" pooling_param { pool: STOCHASTIC kernel_size: 2 }', "it leaves over `pool: STOCHASTIC`"),
    ('type: "Pooling" pooling_param { kernel_size: 1 stride: 2 }', "it leaves over `stride: 2`"),
    ('name: "ip" type: "InnerProduct" inner_product_param { num_output: 10 }', "`flatten; ip: fc 10`"),
    ('type: "InnerProduct" inner_product_param { num_output: 10 bias_term: false }', "`flatten; fc 10 bias=false`"),
    ('name: "relu1" type: "ReLU" bottom: "a" top: "a"', "`relu1: relu`"),
    ('type: "ReLU" relu_param { negative_slope: 0.1 }', "`leaky_relu slope=0.1`"),
    ('type: "PReLU"', "`prelu shared=false`"),
    ('type: "PReLU" prelu_param { channel_shared: true filler { value: 0.1 } }', "it leaves over `filler: 0.1`"),
    ('type: "ELU" elu_param { alpha: 0.5 }', "`elu alpha=0.5`"),
    ('type: "TanH"', "`tanh`"),
    ('type: "BNLL"', "`softplus`"),
    ('type: "Power" power_param { scale: 0.5 }', "`times factor=0.5`"),
    ('type: "Power" power_param { power: 2 shift: -1 }', "it leaves over `power: 2`, `shift: -1`"),
    ('type: "LRN"', "`lrn 5 alpha=1`"),
    ('type: "LRN" lrn_param { local_size: 3 alpha: 0.0001 beta: 0.5 k: 2 }', "`lrn 3 beta=0.5 k=2`"),
    ('type: "LRN" lrn_param { norm_region: WITHIN_CHANNEL }', "it leaves over `norm_region: WITHIN_CHANNEL`"),
    ('type: "Dropout" dropout_param { dropout_ratio: 0.4 }', "`dropout 0.4`"),
    ('type: "Softmax"', "`softmax`"),
    ('type: "BatchNorm" batch_norm_param { eps: 0.001 }', "`batch eps=0.001 momentum=0.001 affine=false`"),
    ('type: "Scale" scale_param { bias_term: true }', "`scale 1`; it leaves over `bias_term: true`"),
    ('type: "Scale" bottom: "a" bottom: "b"', "`mul @a @b`, where `a:` and `b:`"),
    ('type: "Concat" bottom: "a" bottom: "b/c"', "`concat @a @layer2`"),
    ('type: "Eltwise" bottom: "a" bottom: "b" eltwise_param { operation: PROD }', "`mul @a @b`"),
    ('type: "Eltwise" bottom: "a" bottom: "b"', "`add @a @b`"),
    ('type: "Eltwise" bottom: "a" bottom: "b" eltwise_param { coeff: 1 coeff: -1 }', "it leaves over `coeff: -1`"),
    ('type: "Flatten"', "`flatten`"),
    ('name: "data" type: "Input" input_param { shape: { dim: 10 dim: 3 dim: 227 dim: 227 } }',
     "`data: input [3, 227, 227]`"),
    ('type: "SoftmaxWithLoss"', "leave it out"),
    ('type: "Data" include { phase: TRAIN }', "leave it out"),
    ('type: "ROIPooling" roi_pooling_param { pooled_w: 6 }', "`block roipooling { … }`"),
]  # fmt: skip


@pytest.mark.parametrize(("inside", "advice"), LAYERS)
def test_the_help_says_what_a_layer_is_and_what_it_leaves_over(inside: str, advice: str) -> None:
    found = told(in_model(f"layer {{ {inside} }}"))
    assert found.fix is None
    assert advice in found.help


@pytest.mark.parametrize("inside", [inside for inside, _ in LAYERS])
def test_what_a_help_says_compiles(inside: str) -> None:
    help = told(in_model(f"layer {{ {inside} }}")).help
    specs = advised(help)
    assert specs or "leave it out" in help
    assert [errors(spec) for spec in specs] == [[]] * len(specs)


@pytest.mark.parametrize(
    "body", ["block u { LAYER }", "block u { conv 8; LAYER; conv 8 }", "block u {\n conv 8; LAYER\n}"]
)
def test_a_layer_may_stand_behind_others_on_its_line(body: str) -> None:
    found = told(f"{body}\n{in_model('u')}".replace("LAYER", 'layer { type: "ReLU" }'))
    assert found.help == "write `relu`"


def test_a_norm_takes_up_the_scale_behind_it() -> None:
    norm = 'layer { name: "bn" type: "BatchNorm" }'
    scale = 'layer { name: "s" type: "Scale" scale_param { bias_term: true } }'
    assert "`bn: batch momentum=0.001`" in told(f"{norm}\n{scale}\n").help
    assert "affine=false" in told(in_model(norm)).help


@pytest.mark.parametrize("between", ["\n", " ", "\n\n", "\n# then\n"])
def test_layers_that_follow_one_another_are_told_once(between: str) -> None:
    layers = between.join(f'layer {{ name: "a{i}" type: "ReLU" }}' for i in range(3))
    found = archdsl.check_text(in_model(f"here\n{layers}\nthere"))
    assert [one.span.text for one in found if one.code != "E006"] == ["here", "there"]


@pytest.mark.parametrize("name", ["train", "half", "append", "in", "_a", "conv1/7x7"])
def test_a_name_that_is_no_label_is_not_written_as_one(name: str) -> None:
    found = told(in_model(f'layer {{ name: "{name}" type: "ReLU" }}'))
    assert found.help == "write `relu`"
    assert name in found.notes[0]


def test_braces_in_braces_take_no_stack() -> None:
    assert caffe.counterpart_of("a {" * 3000).steps


def translated(inside: str, shape: str) -> str:
    (spec,) = advised(told(in_model(f"layer {{ {inside} }}")).help, shape)
    return spec


@pytest.mark.parametrize("seed", range(40))
def test_a_convolution_has_the_size_and_the_weights_that_caffe_works_out(seed: int) -> None:
    draw = random.Random(seed)
    groups, channels, kernel = draw.choice((1, 2, 4)), 4 * draw.randint(1, 3), draw.randint(1, 5)
    stride, pad, dilation, has_bias = draw.randint(1, 3), draw.randint(0, 3), draw.randint(1, 2), draw.random() < 0.5
    parameters = f"num_output: {channels} kernel_size: {kernel} stride: {stride} pad: {pad} dilation: {dilation} "
    parameters += f"group: {groups} bias_term: {str(has_bias).lower()}"
    network = archdsl.load_text(translated(f'type: "Convolution" convolution_param {{ {parameters} }}', "[8, 17, 14]"))
    reach = dilation * (kernel - 1) + 1
    sizes = [(size + 2 * pad - reach) // stride + 1 for size in (17, 14)]
    assert network.outputs["output"] == Shape(channels, *sizes)
    assert network.costs.parameters == kernel * kernel * 8 // groups * channels + channels * has_bias


def check_pools(seeds: range) -> None:
    import torch

    for seed in seeds:
        draw = random.Random(seed)
        kernel, is_mean = draw.randint(1, 4), draw.random() < 0.5
        stride, pad = draw.randint(1, kernel), draw.randint(0, kernel // 2)
        inside = f'type: "Pooling" pooling_param {{ pool: {"AVE" if is_mean else "MAX"} kernel_size: {kernel} '
        inside += f"stride: {stride} pad: {pad} }}"
        image = [[draw.uniform(-2, 2) for _ in range(draw_width)] for draw_width in [draw.randint(4, 9)] * 7]
        spec = translated(inside, f"[1, 7, {len(image[0])}]")
        made = archdsl.load_text(spec).module()(torch.tensor([[image]], dtype=torch.float64))
        meant = torch.tensor([[pooled(image, kernel, stride, pad, is_mean=is_mean)]], dtype=torch.float64)
        torch.testing.assert_close(made, meant, msg=lambda text, spec=spec: f"{spec}\n{text}")


def pooled(image: list[list[float]], kernel: int, stride: int, pad: int, *, is_mean: bool) -> list[list[float]]:
    """Return what Caffe's `PoolingLayer::Forward_cpu` makes of a map."""
    sizes = len(image), len(image[0])

    def count(size: int) -> int:
        found = ceil((size + 2 * pad - kernel) / stride) + 1
        return found - 1 if pad and (found - 1) * stride >= size + pad else found

    def window(i: int, j: int) -> float:
        starts = [place * stride - pad for place in (i, j)]
        ends = [min(start + kernel, size + pad) for start, size in zip(starts, sizes, strict=True)]
        area = (ends[0] - starts[0]) * (ends[1] - starts[1])
        rows, columns = (range(max(s, 0), min(e, n)) for s, e, n in zip(starts, ends, sizes, strict=True))
        cells = [image[r][c] for r in rows for c in columns]
        return sum(cells) / area if is_mean else max(cells)

    return [[window(i, j) for j in range(count(sizes[1]))] for i in range(count(sizes[0]))]


@pytest.mark.torch
def test_a_pool_is_the_one_that_caffe_runs() -> None:
    check_pools(range(12))


@pytest.mark.torch
@pytest.mark.slow
def test_many_pools_are_those_that_caffe_runs() -> None:
    check_pools(range(100, 400))
