import pytest

from archdsl.text.render.display import columns_of, visible, wrap


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("conv 64", "conv 64"),
        ("\x1b[31m", "␛[31m"),
        ("\x00\r\n\x7f", "␀␍␊␡"),
        ("a\tb", "a   b"),
        ("\u202e\u200b\ud800", "<U+202E><U+200B><U+D800>"),
        ("\u0301e\u0301", "<U+0301>e\u0301"),
        ("日本 é", "日本 é"),
    ],
)
def test_what_a_terminal_would_hide_or_obey_is_made_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("conv", 4),
        ("日本", 4),
        ("ｆｃ", 4),
        ("ﾆ", 1),
        ("e\u0301", 1),
        ("\u1112\u1161\u11ab", 2),
        ("…×", 2),
        ("🙂", 2),
    ],
)
def test_columns_follow_unicode(text: str, columns: int) -> None:
    assert columns_of(text) == columns


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", [""]),
        ("one two three", ["one two", "three"]),
        ("a  b", ["a  b"]),
        ("first\n\nthird", ["first", "", "third"]),
        ("  indented and wrapped", ["  indented", "  and", "  wrapped"]),
        ("  abcdefghijklm", ["  abcdefgh", "  ijklm"]),
        ("日本日本日本", ["日本日本日", "本"]),
    ],
)
def test_text_is_wrapped_at_ten_columns(text: str, rows: list[str]) -> None:
    assert wrap(text, 10) == rows
