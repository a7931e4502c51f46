"""Emitted code computes what the graph says: results, gradients, statistics, and random draws in the text's order."""

from __future__ import annotations

import pytest
import torch

import archdsl
from tests.backends.torch.interpreter import agree

pytestmark = pytest.mark.torch

BLOCKS = """
block pre(c) { residual { norm; act; conv c; norm; act; conv c } shortcut { conv c k=1 } }
block two(c) { a: conv c; output first; d: conv c; output second; act }
block ends_in_tap(c) { a: conv c; output first; output second; }
block quiet(c) { conv c; output tap { sigmoid } }
block read_inside(c) { a: conv c; output tap { conv c } ; @a }
block only_tap(c) { a: conv c; output tap }
block wraps(c) { inner: two c; act }
block nests(n) { residual { a: conv in; norm; act; if n > 0 { b: nests n-1 } } }
block shrinks(n, c) { a: conv c; if n > 0 { b: shrinks n-1 c+1 }; z: act }
block wrap(body inside, c) { residual { a: conv c; inside } }
block trains(c) {
  c: conv c; output aux training { gap; flatten; fc 2 }; d: conv c
  output late training { e: { gap; flatten; fc 2 } }; act
}
block scaled(c) { n: conv c; factors: scale 0.5; act }
block gated(c) { mul { pass; { gap; conv cin k=1; sigmoid } }; act }
block doubled { concat { pass; pass } }
inline block spliced(c) { conv c; norm; act }
"""

BODIES = {
    # Values that an activation may not overwrite.
    "activations after a view": "a: conv 4; flatten; act; fc 3; act",
    "activations after a permutation": "a: conv 4; permute [1, 2, 0]; act; fc 3",
    "activations after slices": "conv 6; split 3 concat { act; pass; act }; split [2, 4] concat { act; sigmoid }",
    "activations after nothing": "conv 4; none; act; dropout 0.5; act",
    "activations after themselves": "conv 4; act x 3; conv 4; act; act",
    "activations after a sigmoid": "conv 4; sigmoid; act; conv 4; tanh; act; softmax; act",
    "activations after a pool": "conv 4; maxpool k=2; act; avgpool k=2; act; gap; act",
    "activations after an input": "act; conv 4",
    "activations of two readers": "a: conv 4; add { act; { conv 4; act }; pass }; act",
    "activations of an output": "a: conv 4; output before; act; output after; conv 3",
    "activations after a product": "conv 4; mul { pass; { conv 4; sigmoid } }; act",
    "activations after a difference": "conv 4; sub { pass; { conv 4; act } }; act; maximum { conv 4; act }; act",
    "activations after a scale": "conv 4; scale 0.5; act; times 2; act",
    "activations used again": "c: conv 4; a: act; s: sigmoid; reuse a; add { @s; pass }",
    "an activation used again on an input": "s: sigmoid; c: conv 4; a: act; conv 4; @c; reuse a; add { @c; pass }",
    "dropout after what is kept": "a: conv 4; sigmoid; dropout 0.5; conv 4; dropout 0.5; add { pass; @a }",
    "pre-activation": "conv 4; pre 4; pre 4; pre 6; norm; act",
    "a sum read twice": "conv 4; a: { add { pass; conv 4 } }; add { act; { conv 4; act } }; act",
    "a concatenation": "conv 4; concat { act; { conv 3; act } }; act; concat { pass; pass }; act",
    "gates": "conv 4; gated 4 x 3; act",
    # Bodies with several outputs.
    "items of a block": "u: two 4; v: conv 4; add { @u.first; @u.second; @v; @u }",
    "an item that the block reads": "u: two 4; @u.first; act; conv 4; add { pass; @u.second }; act",
    "a value with two names": "u: ends_in_tap 4; act; add { pass; @u.second }; act",
    "a side branch": "u: quiet 4; act; add { pass; @u.tap }",
    "a value that the block reads": "u: read_inside 4; act; add { pass; @u.tap }",
    "items through a level": "w: wraps 4; act; conv 3",
    "repeats of a block with items": "conv 4; two 4 x 3; u: two 4; act; add { @u.first; pass }",
    "repeats of a block with items in a level": "conv 4; g: two 4 x 3; act",
    "a tap in a level": "g: { c: conv 4; output t; sigmoid }; @g.t; act; add { @g; pass }",
    "a tap under its own name and as the result": "u: only_tap 4; act; add { @u.tap; pass }",
    "a block's first output and its result": "u: two 4; act; add { @u.first; @u.second; pass }",
    "three outputs": "conv 4; output a; act; output b { conv 3 }; conv 5; output c { gap; flatten }; act",
    "one value under two names": "c: conv 4; output a; output b; act",
    "only a named output": "conv 4; act; conv 2; output last",
    "an input as an output": "output seen; conv 4; act",
    # Training-only outputs.
    "a head": "c: conv 4; output aux training { gap; flatten; fc 2 }; act; conv 4",
    "heads between": (
        "a: conv 4; output aux training; conv 5; output early training { conv 3; gap }; act; "
        "output late training { conv 2 }; act"
    ),
    "a head beside an output": "a: conv 4; output t { conv 3 }; output aux training; conv 5",
    "a head inside a head": (
        "c: conv 4; output side training { h: { k: conv 4; output t }; output more training { @h.t } }; gap"
    ),
    "heads of a block": (
        "conv 4; g: trains 4; output aux training { @g.aux; fc 3 }; output raw training { @g.late }; act"
    ),
    "heads of a block that nobody reads": "conv 4; g: trains 4 x 3; trains 4; act",
    # Weights that are used again.
    "a block used again": "c: conv 4; b: pre 4; reuse b; conv 4; reuse b; add { pass; @c }",
    "a repeat and one of it again": "c: conv 4; b: pre 4 x 3; reuse b; act",
    "a convolution used again": "c: conv 4; d: conv 4; act; reuse d; norm; reuse d; add { pass; @c }",
    "factors used again": "c: conv 4; f: scale 0.5; act; reuse f; add { pass; @c }",
    # Levels, names and repeats.
    "names that are no words": (
        '"a-b": { "c-d": conv 4 bias=true init=zeros; conv 4 }; '
        '"s-1": scale 0.5; "2x": conv 3; act'
    ),
    "numbered levels": "{ conv 4; norm; act }; { conv 4; { conv 3; act } }",
    "named repeats": "s: conv 4; conv 4 x 3; norm; act; t: { a: conv 4; conv 4 x 4; b: act }",
    "counted names": "s: conv 4; for i in 1..5 { l{i}: pre 4 }; m: { for i in 3..7 { u{i}: pre in+2 } }; act",
    "growing rates": "for i in 0..6 { { conv 4; drop_path 0.3*i/7; norm } }",
    "recursion": "shrinks 3 4; shrinks 1 2; nests 3; nests 1",
    "two image sizes": "conv 4; scaled 4; pre 4; maxpool k=2; scaled 4; pre 4; pre 4",
    "bodies handed over": (
        "conv 4; wrap c=4 { norm; act; dropout 0.5 }; wrap c=4 { sigmoid }; wrap c=4 { norm; act; "
        "dropout 0.5 }"
    ),
    "inline blocks": "spliced 4; s: spliced 5; add { spliced 5; { spliced 6; spliced 5 } }",
    "kinds of activations": "for a in [relu, silu, hardswish, gelu] { { conv 4; norm; a } }; prelu",
    "a block without modules": "conv 4; doubled; act; conv 4; doubled",
    "levels that are one join": "b: concat { pass; pass }; { add { pass; pass } }; { c: mul { pass; pass } }; conv 4",
    "levels that are one split": "conv 4; a: split 2 concat { pass; pass }; { split [1, 3] concat { act; pass } }; act",
    "levels that are one call": "conv 4; { { wrap c=4 { pass } } }; a: doubled; { b: doubled }; { doubled } x 2",
    "levels that give what they name": "a: { b: pass; c: conv 4; @b; act }; { d: pass; @d; norm }; conv 4",
    # Random draws and the order of evaluation.
    "dropout in two branches": "a: conv 4; add { { dropout 0.5; conv 4 }; { conv 4; dropout 0.3 }; dropout 0.2 }",
    "the same dropout twice": (
        "conv 4; mul { dropout 0.5; dropout 0.5 }; concat { drop_path 0.5; { dropout 0.1; dropout2d 0.5 } }"
    ),
    "dropout around a tap": (
        "a: conv 4; d: dropout 0.5; conv 4; dropout 0.5; add { @d; dropout 0.5; @a }; dropout 0.5"
    ),
    "dropout of unequal branches": (
        "conv 4; add { { conv 4; dropout 0.5; conv 4; dropout 0.5 }; dropout 0.5; { conv 4; dropout 0.5 } }"
    ),
    "dropout before what comes first": (
        "a: conv 4; b: dropout 0.5; @a; c: dropout 0.5; add { @c; @b; { dropout 0.5; norm } }"
    ),
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_emitted_code_computes_what_the_graph_says(body: str) -> None:
    agree(archdsl.load_text(f"{BLOCKS}\nmodel m {{ input [3, 8, 8]; {body} }}"))


INPUTS = {
    "a sum": "left: input [3, 8, 8]; right: input [4, 16, 16]; @right; b: conv 3 s=2; add { @left; @b }",
    "outputs too": (
        "left: input [3, 8, 8]; right: input [3, 8, 8]; b: conv 4; output deep; output wide { @left; "
        "conv 2 }; add { pass; { @left; conv 4 } }"
    ),
    "shared weights": (
        "a: input [3, 8, 8]; b: input [3, 8, 8]; @a; c: conv 4; d: act; @b; reuse c; act; sub { pass; @d }"
    ),
    "names of Python's": "F: input [3, 8, 8]; torch: input [3, 8, 8]; nn: conv 3; add { pass; @F; @torch }",
}  # fmt: skip


@pytest.mark.parametrize("body", INPUTS.values(), ids=INPUTS)
def test_several_inputs_arrive_in_the_order_of_the_text(body: str) -> None:
    agree(archdsl.load_text(f"model m {{ {body} }}"))


# One of each family that is not torchvision's; those are compared with torchvision itself.
FAMILIES = {
    "digits": {},
    "resnet20_cifar": {},
    "preresnet18": {"input": [3, 64, 64]},
    "pyramidnet110_a84_cifar": {},
    "repvgg_a0": {"input": [3, 64, 64]},
    "seresnet18": {"input": [3, 64, 64]},
    "shufflenet_v1_g3_x0_25": {"input": [3, 64, 64]},
    "mobilenet_v1_x0_25": {"input": [3, 64, 64]},
    "fpn_resnet18": {"input": [3, 128, 128]},
    "unet_padded": {"input": [1, 48, 48]},
    "espcn": {"input": [3, 24, 24]},
    "dcgan_generator": {},
    "dcgan_discriminator": {},
    "siamese": {},
    "dpn68": {"input": [3, 64, 64]},
    "inception_resnet_v2": {"input": [3, 149, 149]},
    "dla34": {"input": [3, 64, 64]},
    "hrnet_w18_small": {"input": [3, 64, 64]},
    "convnextv2_atto": {"input": [3, 64, 64]},
    "bifpn_d0": {"input": [3, 128, 128]},
}
QUICK = {"digits", "resnet20_cifar", "shufflenet_v1_g3_x0_25"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in FAMILIES])
def test_a_bundled_network_computes_what_its_graph_says(name: str) -> None:
    agree(archdsl.load(name, **FAMILIES[name]))


def test_a_training_output_is_absent_in_evaluation() -> None:
    net = archdsl.load_text(
        "model m { input [3, 8, 8]; conv 4; output aux training { conv 2 }; act; output side { conv 3 }; act }"
    )
    module = net.module()
    image = torch.randn(2, 3, 8, 8)
    assert type(module.train()(image)).__name__ == "TrainingOutputs"
    assert module(image)._fields == ("output", "side", "aux")
    assert type(module.eval()(image)).__name__ == "Outputs"
    assert module(image)._fields == ("output", "side")
    plain = archdsl.load_text("model m { input [3, 8, 8]; conv 4; output aux training { conv 2 }; act }").module()
    assert isinstance(plain.eval()(image), torch.Tensor)
    assert plain.train()(image)._fields == ("output", "aux")


def test_a_step_used_again_is_one_module() -> None:
    module = archdsl.load_text("model m { input [4, 8, 8]; c: conv 4; act; reuse c; act; reuse c }").module()
    assert [key for key, _ in module.named_parameters()] == ["c.weight"]
