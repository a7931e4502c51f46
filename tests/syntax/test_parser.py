"""Text to tree: what is read, the layout rule, and recovery from mistakes."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.syntax import tree
from archdsl.syntax.parser import parse, parse_expression
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source


def parsed(text: str) -> tree.File:
    report = Reporter()
    found = parse(Source(text), report)
    assert report.diagnostics == ()
    assert found is not None
    return found.file


def statements(body: str) -> tuple[tree.Statement, ...]:
    (model,) = parsed(f"model m {{{body}}}").declarations
    assert isinstance(model, tree.Model)
    return model.body.statements


def shown(node: tree.Expression) -> str:
    """Write an expression with all its parentheses."""
    match node:
        case tree.Literal():
            return str(node.value)
        case tree.Variable():
            return node.name
        case tree.Unary():
            return f"({node.operator} {shown(node.operand)})"
        case tree.Binary():
            return f"({shown(node.left)} {node.operator} {shown(node.right)})"
        case tree.Conditional():
            return f"({shown(node.then)} if {shown(node.condition)} else {shown(node.otherwise)})"
        case tree.Index():
            return f"{shown(node.base)}[{shown(node.index)}]"
        case tree.Range():
            return f"({shown(node.first)} .. {shown(node.last)})"
        case tree.ListOf():
            return f"[{', '.join(map(shown, node.items))}]"
        case _:
            return type(node).__name__


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", "(1 + (2 * 3))"),
        ("2 ** 3 ** 2", "(2 ** (3 ** 2))"),
        ("-2 ** 2", "(- (2 ** 2))"),
        ("2 ** -1", "(2 ** (- 1))"),
        ("a // b / c % d", "(((a // b) / c) % d)"),
        ("1 - 2 - 3", "((1 - 2) - 3)"),
        ("not a and b or c", "(((not a) and b) or c)"),
        ("not a == b", "(not (a == b))"),
        ("a if b else c if d else e", "(a if b else (c if d else e))"),
        ("0 .. n - 1", "(0 .. (n - 1))"),
        ("1 .. 3 == 2 .. 4", "((1 .. 3) == (2 .. 4))"),
        ("xs[0][1 + 2]", "xs[0][(1 + 2)]"),
        ("[1, [2], [], 3,]", "[1, [2], [], 3]"),
        ("1.5K", "1500"),
        ("2M", "2000000"),
        ("1e3", "1000.0"),
        ("0.5", "0.5"),
        ("in // 2", "(in // 2)"),
    ],
)
def test_operators_bind_as_in_python(text: str, expected: str) -> None:
    expression = parse_expression(Source(text), Reporter())
    assert expression is not None
    assert shown(expression) == expected


def test_every_node_knows_its_text() -> None:
    text = "model m {\n  stem: conv 2*c k=(3 if a else 5) x n + 1\n}\n"
    (model,) = parsed(text).declarations
    assert isinstance(model, tree.Model)
    (step,) = model.body.statements
    assert isinstance(step, tree.Step)
    assert isinstance(step.action, tree.Call)
    assert step.label is not None
    assert step.repeat is not None
    spans = [model.span, step.span, step.label.span, step.action.span, step.action.arguments[1].span, step.repeat.span]
    assert [span.text.partition("\n")[0] for span in spans] == [
        "model m {",
        "stem: conv 2*c k=(3 if a else 5) x n + 1",
        "stem",
        "conv 2*c k=(3 if a else 5)",
        "k=(3 if a else 5)",
        "n + 1",
    ]


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("a\nb", 2),
        ("a;b", 2),
        ("a;\n;\n\n;b;\n", 2),
        ("\n\na\n\n", 1),
        ("a # b; c\nd", 2),
        ("a (1\n+ 2)\nb", 2),
        ("a [1,\n2,\n\n3]\nb", 2),
        ("a k=[\n1\n]", 1),
        ("if c { a }\nelse { b }", 1),
        ("if c { a }\n\n# a comment\nelse if d { b }\nelse { b }", 1),
        ("residual { a }\nshortcut { b }", 1),
        ("a {\nb\n}\nc", 2),
        ("a\r\nb\rc", 3),
        ("a # one\r\nb # two\rc", 3),
    ],
)
def test_line_ends_separate_statements_outside_brackets(body: str, count: int) -> None:
    assert len(statements(body)) == count


def test_a_semicolon_ends_the_statement_before_else() -> None:
    (found,) = archdsl.check_text("model m { input [3, 8, 8]; if true { relu }; else { conv 4 } }")
    assert (found.code, found.span.text) == ("E001", "else")


def test_labels_interpolate() -> None:
    one, two, three = statements('layer{i + 1}_b: a; "p{i}-{j}": b; "conv": c')
    labels = [statement.label for statement in (one, two, three) if isinstance(statement, tree.Step)]
    pieces = [
        [piece if isinstance(piece, str) else shown(piece) for piece in label.pieces] for label in labels if label
    ]
    assert pieces == [["layer", "(i + 1)", "_b"], ["p", "i", "-", "j"], ["conv"]]


def test_comments_are_kept_with_their_places() -> None:
    source = Source("# one\nmodel m { # two\n relu } # three")
    found = parse(source, Reporter())
    assert found is not None
    assert [comment.text for comment in found.comments] == ["# one", "# two", "# three"]


def mistakes(text: str) -> list[tuple[str, str]]:
    """List the code and the text of every mistake."""
    return [(found.code, found.span.text) for found in archdsl.check_text(text)]


MODEL = "model m { input [3, 8, 8]; conv 4 }"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "model m { input [3, 8, 8]; conv 4, 5; relu ); conv k= ; relu }",
            [("E001", ","), ("E001", ")"), ("E001", "k=")],
        ),
        ("model m { input [3, 8, 8]; conv -1; conv(4) }", [("E001", "-1"), ("E001", "conv")]),
        ("block a { conv 4 = }\nblock b { conv ) }\n" + MODEL, [("E001", "="), ("E001", ")")]),
        ("model m { input [3, 8, 8]; conv 4 § 5; relu }", [("E002", "§")]),
        ("model m { input [3, 8, 8]; conv ² ; conv ³ }", [("E002", "²"), ("E002", "³")]),
        ("model m { input [3, 8, 8]; conv\u00a04 }", [("E002", "\u00a0")]),
        ('model m { input [3, 8, 8]; "a: conv 4 }', [("E002", '"')]),
        ("model m { input [3, 8, 8]; conv 4", [("E005", "{")]),
        ("block a {\nrelu\n" + MODEL, [("E005", "{")]),
        ("model m { input [3, 8, 8]; residual {\nconv 3\n" + "fn f(v) = v\n" + MODEL, [("E005", "{")] * 2),
        ("model m { input [3, 8, 8]; conv (4\nlet b = 4\nconv b }", [("E005", "(")]),
        ("model m { input [3, 8, 8]; conv (4 }", [("E005", "(")]),
        ("model m { input [3, 8, 8]; conv (4; relu }", [("E005", "(")]),
        ("model m { input [3, 8, 8]; conv [4); relu }", [("E005", ")")]),
        ("model m { input [3, 8, 8]; conv (4 = 5\nrelu }", [("E001", "=")]),
        (MODEL + "}\n", [("E001", "}")]),
        ("conv 4\nrelu\n" + MODEL, [("E001", "conv")]),
        ("block a conv 4 }\n" + MODEL, [("E001", "conv")]),
        ("block a\n{ conv 4\nrelu }\n" + MODEL, [("E001", "{")]),
        ("model m { input [3, 8, 8]; a { b { relu } }: conv 4 }", [("E001", ":")]),
        ("model m { input [3, 8, 8]; if true { conv 4 } else { relu } else { act } }", [("E001", "else")]),
        ("model m { input [3, 8, 8]; relu } model n { input [3, 8, 8]; relu }", [("E001", "model")]),
        ("fn f(v) = \nfn g(v) = *\n" + MODEL, [("E001", "\n"), ("E001", "*")]),
    ],
)
def test_every_syntax_mistake_is_reported_and_none_that_follows(text: str, expected: list[tuple[str, str]]) -> None:
    assert mistakes(text) == expected


@pytest.mark.parametrize(
    ("broken", "use"),
    [
        ("block a(c) { conv c = }", "a 4"),
        ("block a(c { conv c }", "a 4"),
        ("block a(c)\nconv c\nrelu }", "a 4; conv 4"),
        ("block a(c) {\nconv c\n", "a 4"),
        ("block a(c) { conv c ) }", "a 4; fc in"),
        ("blok a(c) { conv c }", "a 4"),
        ("inline a(c) { conv c }", "add { a 4; conv 3 }"),
        ("fn f(v) = v +", "conv f(3)"),
        ("let width = ", "conv width"),
        ("variant w of m {", "relu"),
        ("model other { input [3, 8, 8]; conv } 4 }", "relu"),
    ],
)
def test_what_parsed_whole_is_checked_in_the_same_run(broken: str, use: str) -> None:
    text = f"""
    {broken}
    block b {{ conv 4 kernle=3 }}
    model m {{ input [3, 8, 8]; cnov 4 }}
    model n {{ input [3, 8, 8]; b }}
    model all {{ input [3, 8, 8]; {use} }}
    """
    found = mistakes(text)
    assert found[1:] == [("E101", "cnov"), ("E102", "kernle")]
    assert found[0][0] in ("E001", "E005")


@pytest.mark.parametrize("broken", ["defaults { norm= }", "use )"])
def test_what_may_change_all_else_stops_the_check(broken: str) -> None:
    assert mistakes(f"{broken}\nmodel m {{ input [3, 8, 8]; cnov 4 }}")[1:] == []


def test_no_model_is_missed_where_one_does_not_parse() -> None:
    assert mistakes("modle m { input [3, 8, 8]; conv 4 }\nvariant v of m\nvariant w of v\n") == [("E001", "modle")]


def test_the_help_names_what_was_meant() -> None:
    (found,) = archdsl.check_text("model m { input [3, 8, 8]; conv(4) }")
    assert found.message == "arguments of a step stand beside its name, without parentheses or commas"
    assert found.help == "write `conv 4`"
    (found,) = archdsl.check_text("model m { input [3, 8, 8]; conv 4, 3 }")
    assert found.help == "write `conv 4 3`"


def test_mistakes_end_after_thirty() -> None:
    assert len(mistakes("model m { " + "= ;" * 1000 + "}")) == 30


def test_a_reference_is_an_expression_and_a_step() -> None:
    call, taken, indexed = statements("cell @x{i} [@a, @b.o{j}] before=@xs[0]; @a.out; @xs[i + 1]")
    assert isinstance(call, tree.Step)
    assert isinstance(call.action, tree.Call)
    first, listed, before = (argument.value for argument in call.action.arguments)
    assert isinstance(first, tree.Reference)
    assert isinstance(first.label.pieces[1], tree.Variable)
    assert isinstance(listed, tree.ListOf)
    assert isinstance(listed.items[1], tree.Reference)
    assert isinstance(listed.items[1].outputs[0].pieces[1], tree.Variable)
    assert isinstance(before, tree.Index)
    assert isinstance(taken, tree.Step)
    assert isinstance(taken.action, tree.Reference)
    assert isinstance(indexed, tree.Step)
    assert isinstance(indexed.action, tree.Index)


@pytest.mark.parametrize(
    ("written", "pieces", "has_body"),
    [
        ("output o", 1, False),
        ("output o{i}", 2, False),
        ("output o{i}_{j + 1}", 4, False),
        ("output o{i} { gap }", 2, True),
        ("output o{i} training { gap }", 2, True),
        ('output "o{i if i else j}"', 2, False),
        ("output aux{conv 8}", 1, True),
        ("output aux{gap; flatten}", 1, True),
        ("output aux{a: gap}", 1, True),
        ("output aux{@a}", 1, True),
        ("output aux{conv 8 x 2}", 1, True),
        ("output aux { gap }", 1, True),
        ("output aux training{gap}", 1, True),
        ("output aux{ fc in }", 1, True),
    ],
)
def test_an_outputs_name_may_be_put_together_and_its_body_stand_directly_behind_it(
    written: str, pieces: int, has_body: bool
) -> None:
    (found,) = statements(written)
    assert isinstance(found, tree.OutputStatement)
    assert (len(found.name.pieces), found.body is not None) == (pieces, has_body)


@pytest.mark.parametrize("label", ["down", "down{i}", "down{i}_{j}", '"down-{i}"', '"down"'])
def test_any_label_stands_behind_shortcut(label: str) -> None:
    (found,) = statements(f"residual {{ conv 8 }} shortcut {label} {{ conv 8 }}")
    assert isinstance(found, tree.Step)
    assert isinstance(found.action, tree.Residual)
    assert found.action.shortcut_label is not None
    assert found.action.shortcut_label.pieces[0] in ("down", "down-")
    (plain,) = statements("residual { conv 8 } shortcut down{ conv 8 }")
    assert isinstance(plain, tree.Step)
    assert isinstance(plain.action, tree.Residual)
    assert plain.action.shortcut_label is not None
    assert plain.action.shortcut_label.pieces == ("down",)
