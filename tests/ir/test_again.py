"""What makes a body once more goes along with its graph, and is not saved."""

from __future__ import annotations

import pickle
from copy import deepcopy

import archdsl
from archdsl.ir.again import Again
from archdsl.ir.content import content_of
from archdsl.ir.graph import Graph
from archdsl.ops.shape import Shape


def body() -> Graph:
    net = archdsl.load_text("block b(c) { conv c; act }\nmodel m { input [4, 8, 8]; first: b 8 }")
    made = net.graph.nodes["first"].body
    assert made is not None
    return made


def test_a_block_is_lowered_again_for_a_call_that_the_spec_does_not_have() -> None:
    again = body().again
    assert again is not None
    same, other = again({}, [Shape(4, 8, 8)]), again({"c": 16}, [Shape(6, 8, 8)])
    assert same is not None
    assert other is not None
    assert content_of(same) == content_of(body())
    assert content_of(other) != content_of(body())
    assert other.bindings["c"] == 16
    assert again({"c": 0}, [Shape(4, 8, 8)]) is None


def test_a_copy_is_itself_and_what_is_saved_has_forgotten_all() -> None:
    again = body().again
    assert deepcopy(again) is again
    saved = pickle.loads(pickle.dumps(again))
    assert isinstance(saved, Again)
    assert saved({}, [Shape(4, 8, 8)]) is None
