"""A change in words."""

from __future__ import annotations

from archdsl.backends.difference.words import fold_paths


def test_paths_that_differ_in_a_number_are_told_as_one() -> None:
    assert fold_paths(["a.0.x", "a.1.x", "a.2.x", "b.0.x", "b.1.x"]) == ["a.0–2.x", "b.0–1.x"]
    assert fold_paths(["a.0", "a.2", "a.3"]) == ["a.0", "a.2–3"]
    assert fold_paths(["layer1.0.c", "layer1.1.c", "layer2.0.c", "layer2.1.c"]) == ["layer1–2.0–1.c"]
    assert fold_paths(["a9", "a10"]) == ["a9–10"]
    assert fold_paths([]) == []
    assert fold_paths(["a", "b"]) == ["a", "b"]
