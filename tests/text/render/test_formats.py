"""The forms that programs read, exactly."""

import json

from archdsl.text.diagnostic import Diagnostic, Fix, Label, Severity
from archdsl.text.render import RENDERERS
from archdsl.text.source import Source, Span

SPEC = Source("input [3, 8, 8]\nconv 64 groups=5\r\nadd {\n  norm\n}\n", "specs/a,b:c.arch")
GROUPS = Diagnostic(
    "E210",
    Severity.ERROR,
    "5 groups do not divide\n3 -> 64 channels: 100%",
    Span(24, 32, SPEC),
    "must divide 3",
    (Label(Span(7, 8, SPEC), "3 channels"),),
    ("counted before",),
    "use groups=1",
    Fix.at(Span(24, 32, SPEC), "groups=1", title="use one group"),
)
JOIN = Diagnostic("W002", Severity.WARNING, "one branch", Span(34, 48, SPEC))
NO_TEXT = Diagnostic("E120", Severity.ERROR, "no model", Span(0, 0))
END = Diagnostic("E005", Severity.ERROR, "not closed", Span(len(SPEC.text), len(SPEC.text), SPEC))
ALL = [END, JOIN, GROUPS, NO_TEXT]


def test_plain_writes_one_line_each_and_no_place_where_there_is_none() -> None:
    assert RENDERERS["plain"](ALL).splitlines() == [
        "error[E120]: no model",
        "specs/a,b:c.arch:2:9: error[E210]: 5 groups do not divide 3 -> 64 channels: 100%",
        "specs/a,b:c.arch:3:1: warning[W002]: one branch",
        "specs/a,b:c.arch:6:1: error[E005]: not closed",
    ]


def test_github_escapes_properties_and_message() -> None:
    file = "file=specs/a%2Cb%3Ac.arch"
    assert RENDERERS["github"](ALL).splitlines() == [
        "::error title=E120::no model",
        f"::error {file},line=2,col=9,endLine=2,endColumn=17,title=E210::5 groups do not divide%0A"
        "3 -> 64 channels: 100%25%0Anote: counted before%0Ahelp: use groups=1",
        f"::warning {file},line=3,endLine=5,title=W002::one branch",
        f"::error {file},line=6,col=1,endLine=6,endColumn=2,title=E005::not closed",
    ]


def test_json_says_everything_that_a_diagnostic_holds() -> None:
    start = {"line": 2, "column": 9, "utf16_column": 9, "offset": 24}
    end = {"line": 2, "column": 17, "utf16_column": 17, "offset": 32}
    place = {"file": "specs/a,b:c.arch", "start": start, "end": end}
    three = {
        "start": {"line": 1, "column": 8, "utf16_column": 8, "offset": 7},
        "end": {"line": 1, "column": 9, "utf16_column": 9, "offset": 8},
    }
    assert json.loads(RENDERERS["json"]([GROUPS])) == [
        {
            "code": "E210",
            "severity": "error",
            "message": "5 groups do not divide\n3 -> 64 channels: 100%",
            "marker": "must divide 3",
            **place,
            "labels": [{"message": "3 channels", "file": "specs/a,b:c.arch", **three}],
            "notes": ["counted before"],
            "help": "use groups=1",
            "fix": {
                "title": "use one group",
                "is_safe": False,
                "edits": [{"replacement": "groups=1", **place}],
            },
        }
    ]


def test_json_has_null_for_places_in_no_text_and_a_list_for_nothing() -> None:
    (found,) = json.loads(RENDERERS["json"]([NO_TEXT]))
    assert (found["file"], found["start"], found["end"], found["fix"]) == (None, None, None, None)
    assert RENDERERS["json"]([]) == "[]\n"
