"""Comments of a spec as docstrings."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from archdsl.backends.torch.docstrings import docstring
from archdsl.backends.torch.layout import WIDTH

words = st.lists(
    st.sampled_from(["a", "channel", "of", "the", "feature-map,", "(He et al. 2016)"]), min_size=1, max_size=60
)


@given(words, st.integers(1, 40), st.sampled_from([0, 4, 8]))
def test_a_paragraph_is_wrapped_as_a_whole_wherever_its_lines_ended(text: list[str], every: int, indent: int) -> None:
    lines = [" ".join(text[i : i + every]) for i in range(0, len(text), every)]
    assert docstring("\n".join(lines), indent) == docstring(" ".join(text), indent)


@given(words, st.sampled_from([0, 4, 8]))
def test_a_line_ends_only_where_the_next_word_does_not_fit(text: list[str], indent: int) -> None:
    lines = docstring(" ".join(text), indent)
    assert all(len(line) <= WIDTH for line in lines)
    written = " ".join(line.strip() for line in lines).replace('"""', "").split()
    assert written == " ".join(text).split()
    for line, following in pairwise(lines[:-1]):
        assert len(line) + 1 + len(following.split()[0]) > WIDTH - 6


def test_paragraphs_stay_apart() -> None:
    assert docstring("One\nline.\n\n\nAnother.", 4) == ['    """One line.', "", "    Another.", '    """']
