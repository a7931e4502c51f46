"""SARIF, held against the parts of its schema that are used: names, types, and what is required."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from archdsl.text.diagnostic import Diagnostic, Edit, Fix, Label, Severity
from archdsl.text.render import RENDERERS
from archdsl.text.source import Source, Span
from tests.text.render.test_formats import ALL, GROUPS, NO_TEXT
from tests.text.render.test_properties import diagnostics

Schema = dict[str, Any]

# Property: what it holds. `!` marks the required ones; the standard allows no others than it names.
MESSAGE: Schema = {"text!": str}
MULTIFORMAT: Schema = {"text!": str, "markdown": str}
ARTIFACT: Schema = {"uri": str}
REGION: Schema = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}
PHYSICAL: Schema = {"artifactLocation": ARTIFACT, "region": REGION}
LOCATION: Schema = {"id": 0, "physicalLocation": PHYSICAL, "message": MESSAGE}
REPLACEMENT: Schema = {"deletedRegion!": REGION, "insertedContent": {"text": str}}
CHANGE: Schema = {"artifactLocation!": ARTIFACT, "replacements!": [REPLACEMENT]}
FIX: Schema = {"description": MESSAGE, "artifactChanges!": [CHANGE]}
RULE: Schema = {
    "id!": str, "shortDescription": MULTIFORMAT, "fullDescription": MULTIFORMAT, "help": MULTIFORMAT,
    "defaultConfiguration": {"level": {"none", "note", "warning", "error"}},
}  # fmt: skip
RESULT: Schema = {
    "ruleId": str, "ruleIndex": 0, "level": {"none", "note", "warning", "error"}, "message!": MESSAGE,
    "locations": [LOCATION], "relatedLocations": [LOCATION], "fixes": [FIX],
}  # fmt: skip
RUN: Schema = {
    "tool!": {"driver!": {"name!": str, "rules": [RULE]}},
    "columnKind": {"utf16CodeUnits", "unicodeCodePoints"},
    "invocations": [{"executionSuccessful!": bool}],
    "results": [RESULT],
}
LOG: Schema = {"$schema": str, "version!": {"2.1.0"}, "runs!": [RUN]}


def conform(value: Any, schema: Any, where: str = "log") -> None:
    if isinstance(schema, dict):
        assert isinstance(value, dict), where
        known = {name.rstrip("!"): inner for name, inner in schema.items()}
        assert value.keys() <= known.keys(), where
        assert {name[:-1] for name in schema if name.endswith("!")} <= value.keys(), where
        for name, inner in value.items():
            conform(inner, known[name], f"{where}.{name}")
    elif isinstance(schema, list):
        assert isinstance(value, list), where
        for item in value:
            conform(item, schema[0], f"{where}[]")
        if where.endswith(("replacements", "artifactChanges")):
            assert value, where
    elif isinstance(schema, set):
        assert value in schema, where
    elif isinstance(schema, int):
        assert isinstance(value, int), where
        assert value >= schema, where
    else:
        assert isinstance(value, schema), where


def results(found: list[Diagnostic]) -> list[Schema]:
    return json.loads(RENDERERS["sarif"](found))["runs"][0]["results"]


@given(diagnostics())
def test_whatever_is_found_the_log_is_in_form_and_its_rules_are_those_that_it_names(found: list[Diagnostic]) -> None:
    log = json.loads(RENDERERS["sarif"](found))
    conform(log, LOG)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [result["ruleId"] for result in run["results"]]
    assert len(run["results"]) == len(found)
    for result in run["results"]:
        for place in (*result.get("locations", ()), *result.get("relatedLocations", ())):
            region = place["physicalLocation"]["region"]
            start, end = ((region[f"{end}Line"], region[f"{end}Column"]) for end in ("start", "end"))
            assert start <= end


def test_nothing_found_is_a_run_without_results() -> None:
    log = json.loads(RENDERERS["sarif"]([]))
    conform(log, LOG)
    assert log["runs"][0]["results"] == []


def test_columns_are_counted_in_utf16_from_1_and_the_end_is_exclusive() -> None:
    source = Source("ok\n😀é conv 😀😀x\n", "a.arch")
    start = source.text.index("conv")
    (result,) = results([Diagnostic("E101", Severity.ERROR, "m", Span(start, start + 6, source))])
    assert result["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 2, "startColumn": 5, "endLine": 2, "endColumn": 12,
    }  # fmt: skip
    encoded = source.line(2).encode("utf-16-le")
    assert encoded[2 * 4 : 2 * 11].decode("utf-16-le") == "conv 😀"


@given(st.text(st.sampled_from("a😀é\n\u0301")), st.data())
def test_a_column_is_the_length_of_what_stands_before_it_in_utf16(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    before = text[:offset].rpartition("\n")[2]
    assert Source(text).utf16_column(offset) == len(before.encode("utf-16-le")) // 2 + 1


def test_what_a_diagnostic_holds_is_there() -> None:
    (result,) = results([GROUPS])
    assert result["message"]["text"].splitlines()[-2:] == ["note: counted before", "help: use groups=1"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "specs/a%2Cb%3Ac.arch"
    assert result["relatedLocations"][0]["message"] == {"text": "3 channels"}
    (change,) = result["fixes"][0]["artifactChanges"]
    region = {"startLine": 2, "startColumn": 9, "endLine": 2, "endColumn": 17}
    assert change["replacements"] == [{"deletedRegion": region, "insertedContent": {"text": "groups=1"}}]
    assert "locations" not in results([NO_TEXT])[0]
    assert [r["ruleId"] for r in results(ALL)] == ["E120", "E210", "W002", "E005"]


def test_a_path_becomes_a_uri() -> None:
    def uri(name: str) -> str:
        source = Source("x", name)
        edit = Edit(Span(0, 1, source), "")
        labels = (Label(Span(0, 1, source), ""),)
        (result,) = results(
            [Diagnostic("E101", Severity.ERROR, "m", Span(0, 1, source), labels=labels, fix=Fix((edit,)))]
        )
        return result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]

    assert uri("nets/a b.arch") == "nets/a%20b.arch"
    assert uri("/tmp/é#.arch") == "file:///tmp/%C3%A9%23.arch"
    assert uri("<stdin>") == "%3Cstdin%3E"
