"""What a person sees, exactly: each expected text was read before it was written down."""

import re
from textwrap import dedent

from archdsl.text.diagnostic import Diagnostic, Label, Severity
from archdsl.text.render.terminal import render
from archdsl.text.source import Source, Span

TINY = Source(
    "model tiny {\n"
    "  input [3, 32, 32]\n"
    "\n"
    "  conv 4\n"
    "  norm\n"
    "  act\n"
    "  conv 64 k=3 groups=3\n"
    "  residual {\n"
    "    conv 8\n"
    "  } shortcut { conv 9 }\n"
    "  add {\n"
    "    pass; conv 4\n"
    "  }\n"
    "}\n",
    "specs/tiny.arch",
)
NUMBERS = Source(f"fn list = [{', '.join(map(str, range(200)))}]", "long.arch")


def at(source: Source, text: str, after: str = "") -> Span:
    """Span the first occurrence of a text, after that of another."""
    start = source.text.index(text, source.text.index(after))
    return Span(start, start + len(text), source)


def error(code: str, message: str, span: Span, marker: str = "", *labels: Label) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, span, marker, labels)


def shown(*diagnostics: Diagnostic, width: int = 80) -> str:
    """Return what is rendered, without the blank line and the closing line."""
    body, _, last = render(diagnostics, width=width).rpartition("\n\n")
    assert last.startswith(("error: ", "warning: "))
    return body + "\n"


def expect(text: str) -> str:
    return dedent(text).removeprefix("\n")


def test_a_label_on_another_line_of_the_same_file() -> None:
    d = Diagnostic(
        "E210",
        Severity.ERROR,
        "3 groups do not divide 4 -> 64 channels",
        at(TINY, "groups=3"),
        "must divide 4 and 64",
        (Label(at(TINY, "4", "conv"), "4 channels come from here"),),
        help="use groups=1, 2 or 4",
    )
    assert shown(d) == expect(
        """
        error[E210]: 3 groups do not divide 4 -> 64 channels
         --> specs/tiny.arch:7:15
          |
        4 |   conv 4
          |        - 4 channels come from here
        ...
        7 |   conv 64 k=3 groups=3
          |               ^^^^^^^^ must divide 4 and 64
          = help: use groups=1, 2 or 4
        """
    )


def test_labels_on_one_line_hang_below_their_marks() -> None:
    d = error(
        "E210",
        "3 groups do not divide 4 -> 64 channels",
        at(TINY, "groups=3"),
        "must divide 64",
        Label(at(TINY, "64"), "64 channels go out"),
        Label(at(TINY, "conv 64"), "of this convolution"),
    )
    assert shown(d) == expect(
        """
        error[E210]: 3 groups do not divide 4 -> 64 channels
         --> specs/tiny.arch:7:15
          |
        7 |   conv 64 k=3 groups=3
          |   -------     ^^^^^^^^ must divide 64
          |   |    |
          |   |    64 channels go out
          |   of this convolution
        """
    )


def test_a_label_that_does_not_fit_beside_its_mark_hangs_and_wraps() -> None:
    marker = "must divide the four channels that come in and the sixty-four that go out"
    d = error("E210", "3 groups do not divide 4 -> 64 channels", at(TINY, "groups=3"), marker)
    assert shown(d, width=60) == expect(
        """
        error[E210]: 3 groups do not divide 4 -> 64 channels
         --> specs/tiny.arch:7:15
          |
        7 |   conv 64 k=3 groups=3
          |               ^^^^^^^^
          |               |
          |               must divide the four channels that come in
          |               and the sixty-four that go out
        """
    )


def test_a_narrow_terminal_wraps_message_notes_and_help() -> None:
    d = Diagnostic(
        "E210",
        Severity.WARNING,
        "3 groups do not divide 4 -> 64 channels",
        at(TINY, "groups=3"),
        notes=("the channels that come in are counted\n  from the step before",),
        help="use groups=1, 2 or 4, or a width that is divisible by three",
    )
    assert shown(d, width=40) == expect(
        """
        warning[E210]: 3 groups do not divide 4
                       -> 64 channels
         --> specs/tiny.arch:7:15
          |
        7 |   conv 64 k=3 groups=3
          |               ^^^^^^^^
          = note: the channels that come in are
                  counted
                    from the step before
          = help: use groups=1, 2 or 4, or a
                  width that is divisible by
                  three
        """
    )


def test_a_label_in_another_file_names_that_file() -> None:
    block = Source("block basic(c) {\n  conv c\n}\n", "lib/blocks.arch")
    d = error(
        "E213",
        "add joins shapes that differ: [8, 32, 32] and [4, 32, 32]",
        at(TINY, "add"),
        "",
        Label(at(block, "conv c"), "[8, 32, 32] comes from here"),
        Label(at(TINY, "conv 4", "pass"), "[4, 32, 32] comes from here"),
    )
    assert shown(d) == expect(
        """
        error[E213]: add joins shapes that differ: [8, 32, 32] and [4, 32, 32]
          --> specs/tiny.arch:11:3
           |
        11 |   add {
           |   ^^^
        12 |     pass; conv 4
           |           ------ [4, 32, 32] comes from here
          ::: lib/blocks.arch:2:3
           |
         2 |   conv c
           |   ------ [8, 32, 32] comes from here
        """
    )


def test_a_span_over_lines_shows_its_first_line() -> None:
    d = error("E213", "shapes differ", at(TINY, "add {\n    pass; conv 4\n  }"), "joined here")
    assert shown(d) == expect(
        """
        error[E213]: shapes differ
          --> specs/tiny.arch:11:3
           |
        11 |   add {
           |   ^^^^^ joined here
        """
    )


def test_a_span_over_lines_shows_its_last_line_if_that_says_more_than_a_bracket() -> None:
    d = error("E213", "shapes differ", at(TINY, "residual {\n    conv 8\n  } shortcut { conv 9 }"), "added here")
    assert shown(d) == expect(
        """
        error[E213]: shapes differ
          --> specs/tiny.arch:8:3
           |
         8 |   residual {
           |   ^^^^^^^^^^ added here
         9 |     conv 8
        10 |   } shortcut { conv 9 }
           |   ^^^^^^^^^^^^^^^^^^^^^ up to here
        """
    )


def test_an_empty_span_at_the_end_of_the_file_shows_the_text_before_it() -> None:
    end = len(TINY.text)
    d = error("E005", "`{` is not closed", Span(end, end, TINY), "expected `}`", Label(at(TINY, "{"), "opened here"))
    assert shown(d) == expect(
        """
        error[E005]: `{` is not closed
          --> specs/tiny.arch:15:1
           |
         1 | model tiny {
           |            - opened here
        ...
        14 | }
        15 |
           | ^ expected `}`
        """
    )


def test_an_empty_file_is_pointed_at() -> None:
    d = error("E001", "the file is empty", Span(0, 0, Source("", "empty.arch")), "expected a model")
    assert shown(d) == expect(
        """
        error[E001]: the file is empty
         --> empty.arch:1:1
          |
        1 |
          | ^ expected a model
        """
    )


def test_east_asian_text_takes_two_columns_and_tabs_four() -> None:
    source = Source("\tfc: 線形層 日本\tx", "wide.arch")
    d = error("E101", "unknown name", at(source, "日本"), "unknown", Label(at(source, "線形層"), "known"))
    assert shown(d) == expect(
        """
        error[E101]: unknown name
         --> wide.arch:1:10
          |
        1 |     fc: 線形層 日本 x
          |         ------ ^^^^ unknown
          |         |
          |         known
        """
    )


def test_a_combining_mark_alone_is_shown_at_its_letter() -> None:
    source = Source("cafe\u0301s", "mark.arch")
    d = error("E002", "unexpected character", at(source, "\u0301"), "U+0301")
    assert shown(d) == expect(
        """
        error[E002]: unexpected character
         --> mark.arch:1:5
          |
        1 | cafés
          |    ^ U+0301
        """
    )


def test_control_characters_are_made_visible_wherever_they_are() -> None:
    source = Source("conv \x1b[31m \u202e64\r!\r\n", "a\x07b.arch")
    d = error("E002", "unexpected \x1b", at(source, "\u202e"), "not \x9b", Label(at(source, "\r"), "no\tend"))
    assert shown(d) == expect(
        """
        error[E002]: unexpected ␛
         --> a␇b.arch:1:12
          |
        1 | conv ␛[31m <U+202E>64␍!
          |            ^^^^^^^^  - no  end
          |            |
          |            not <U+009B>
        """
    )


def test_the_end_of_a_line_ending_in_cr_lf_is_one_place_after_its_text() -> None:
    source = Source("conv 64\r\nnorm\r\n", "dos.arch")
    d = error("E001", "unexpected end of line", at(source, "\r\n"), "expected an argument")
    assert shown(d) == expect(
        """
        error[E001]: unexpected end of line
         --> dos.arch:1:8
          |
        1 | conv 64
          |        ^ expected an argument
        """
    )


def test_a_long_line_is_cut_around_its_span() -> None:
    d = error("E104", "100 is too large", at(NUMBERS, "100"), "at most 99")
    assert shown(d, width=60) == expect(
        """
        error[E104]: 100 is too large
         --> long.arch:1:402
          |
        1 | … 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105,…
          |                           ^^^ at most 99
        """
    )


def test_marks_too_far_apart_show_their_line_twice() -> None:
    d = error("E104", "100 is too large", at(NUMBERS, "100"), "at most 99", Label(at(NUMBERS, "fn"), "used here"))
    assert shown(d, width=40) == expect(
        """
        error[E104]: 100 is too large
         --> long.arch:1:402
          |
        1 | …6, 97, 98, 99, 100, 101, 102, 103,…
          |                 ^^^ at most 99
        1 | fn list = [0, 1, 2, 3, 4, 5, 6, 7, …
          | -- used here
        """
    )


def test_a_span_longer_than_the_width_is_cut() -> None:
    d = error("E111", "200 values for 4 names", at(NUMBERS, NUMBERS.text[10:]), "200 values")
    assert shown(d, width=60) == expect(
        """
        error[E111]: 200 values for 4 names
         --> long.arch:1:11
          |
        1 | …[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,…
          |  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          |  |
          |  200 values
        """
    )


def test_a_mistake_in_no_text_has_no_excerpt() -> None:
    d = Diagnostic("E120", Severity.ERROR, "no model is named resnet51", Span(0, 0), notes=("chosen by an option",))
    assert shown(d) == expect(
        """
        error[E120]: no model is named resnet51
          = note: chosen by an option
        """
    )


def test_overlapping_marks_keep_the_mistake_on_top() -> None:
    d = error("E104", "wrong", at(TINY, "64", "conv 64"), "inner", Label(at(TINY, "conv 64 k=3"), "outer"))
    assert shown(d) == expect(
        """
        error[E104]: wrong
         --> specs/tiny.arch:7:8
          |
        7 |   conv 64 k=3 groups=3
          |   -----^^----
          |   |    |
          |   |    inner
          |   outer
        """
    )


def test_a_span_over_lines_leaves_out_what_is_blank_at_its_ends() -> None:
    source = Source("add {  \n  act; norm }  \n", "blank.arch")
    d = error("E222", "add joins 2 branches or more, not 1", at(source, source.text), "one branch")
    assert shown(d) == expect(
        """
        error[E222]: add joins 2 branches or more, not 1
         --> blank.arch:1:1
          |
        1 | add {
          | ^^^^^ one branch
        2 |   act; norm }
          |   ^^^^^^^^^^^ up to here
        """
    )


def test_a_last_line_of_brackets_and_blanks_is_not_shown() -> None:
    source = Source("add {\n norm }\n \x0c } ) \n", "blank.arch")
    d = error("E222", "add joins 2 branches or more, not 1", at(source, source.text), "one branch")
    assert shown(d) == expect(
        """
        error[E222]: add joins 2 branches or more, not 1
         --> blank.arch:1:1
          |
        1 | add {
          | ^^^^^ one branch
        """
    )


def test_marks_that_touch_keep_their_stems() -> None:
    source = Source("5/2", "touch.arch")
    labels = Label(at(source, "5"), "the channels"), Label(at(source, "2"), "the parts")
    d = error("E105", "5/2 leaves a remainder of 1", at(source, "/"), "inexact", *labels)
    assert shown(d) == expect(
        """
        error[E105]: 5/2 leaves a remainder of 1
         --> touch.arch:1:2
          |
        1 | 5/2
          | -^- the parts
          | ||
          | |inexact
          | the channels
        """
    )


def test_a_label_at_the_right_edge_starts_left_of_its_mark() -> None:
    source = Source("x" * 28 + "12345", "edge.arch")
    d = error("E104", "12345 is too large", at(source, "12345"), "at most 9999 in this version")
    assert shown(d, width=40) == expect(
        """
        error[E104]: 12345 is too large
         --> edge.arch:1:29
          |
        1 | xxxxxxxxxxxxxxxxxxxxxxxxxxxx12345
          |                             ^^^^^
          |                             |
          |             at most 9999 in this
          |             version
        """
    )


def test_diagnostics_are_sorted_by_file_and_position_and_counted() -> None:
    found = [
        error("E104", "third", at(TINY, "norm")),
        error("E104", "second", at(TINY, "input")),
        Diagnostic("W001", Severity.WARNING, "first", at(NUMBERS, "fn")),
    ]
    lines = render(found).splitlines()
    assert [line for line in lines if "[" in line and "]: " in line] == [
        "warning[W001]: first",
        "error[E104]: second",
        "error[E104]: third",
    ]
    assert lines[-2:] == ["", "error: 2 errors, 1 warning in 2 files"]


def test_the_closing_line_names_the_only_file() -> None:
    warning = Diagnostic("W001", Severity.WARNING, "odd", at(TINY, "norm"))
    assert render([warning]).endswith("\n\nwarning: 1 warning in specs/tiny.arch\n")
    assert render([error("E120", "no model", Span(0, 0))]).endswith("\n\nerror: 1 error\n")


def test_nothing_is_written_about_nothing() -> None:
    assert render([]) == ""


def test_colour_adds_escapes_and_changes_nothing_else() -> None:
    found = [
        Diagnostic("W001", Severity.WARNING, "odd", at(TINY, "conv 8"), "here", help="act"),
        error("E104", "wrong", at(TINY, "norm"), "here", Label(at(TINY, "act"), "there")),
    ]
    colored = render(found, color=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render(found)
    assert "\x1b[1;31merror[E104]\x1b[0m" in colored
    assert "\x1b[1;31m^^^^\x1b[0m \x1b[1;31mhere\x1b[0m" in colored
    assert "\x1b[1;34m---\x1b[0m \x1b[1;34mthere\x1b[0m" in colored
    assert "\x1b[1;33mwarning[W001]\x1b[0m" in colored


def test_a_huge_line_costs_no_more_than_a_short_one() -> None:
    source = Source("x" * 3_000_000, "huge.arch")
    found = [error("E104", f"number {i}", Span(i * 20_000, i * 20_000 + 5, source)) for i in range(100)]
    assert len(render(found)) < 40_000
