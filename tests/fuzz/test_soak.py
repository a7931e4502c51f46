"""A small part of `make soak`: mutilated texts give diagnostics or networks, and emitted files agree with torch."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.mutate import KINDS
from tests.fuzz.soak import NETWORKS, TEXTS, soak, soak_networks, soak_texts
from tests.fuzz.target import TooSlowError
from tests.patience import PATIENCE

SHARE = 120


@pytest.mark.parametrize("kind", KINDS)
def test_mutilated_texts_give_diagnostics_or_networks(kind: str, tmp_path: Path) -> None:
    tally = soak_texts(kind, TEXTS // len(KINDS) // SHARE, 1, tmp_path, PATIENCE)
    assert tally.findings == []
    assert 0 < tally.sound < tally.runs


@pytest.mark.torch
def test_emitted_files_of_random_networks_agree_with_torch(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    emitted, onnx = soak_networks(NETWORKS // SHARE, 1, tmp_path, tmp_path)
    assert emitted.findings == onnx.findings == []
    assert emitted.sound == emitted.runs == NETWORKS // SHARE
    # The rest is beyond torch's exporter or the runtime.
    assert 0 < onnx.sound <= onnx.runs


def test_what_raises_or_takes_too_long_is_kept(tmp_path: Path) -> None:
    def use(text: str) -> bool:
        if text == "slow":
            raise TooSlowError("slow took 9 s")
        return bool(1 // len(text))

    tally = soak("some texts", iter(["a", "", "slow"]), use, str, tmp_path)
    assert (tally.runs, tally.sound, tally.raised, tally.too_slow) == (3, 1, 1, 1)
    assert (tmp_path / "some-texts-2.txt").read_text() == "slow took 9 s"
    assert (tmp_path / "some-texts-2.arch").read_text() == "slow"
