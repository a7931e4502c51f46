"""What a text says of a network's weights, beside its steps: which file they start from, and what stays frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from archdsl.ir.freezing import EXCEPT, HEAD, FreezePattern, Freezing
from archdsl.ir.start import ADAPTIONS, BESIDE, InputAdaption, WeightsSource, outside
from archdsl.ir.trouble import Trouble
from archdsl.semantics.callables import find_callable
from archdsl.semantics.env import Env
from archdsl.semantics.evaluate import interpolated
from archdsl.syntax import tree
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Span
from archdsl.text.suggest import nearest

FREEZE = "freeze"
WEIGHTS = "weights"
_EDITS = ("set", "replace", "remove", FREEZE, WEIGHTS)
_FROM = "from"
_ADAPT = "adapt"
_BEHIND = "name what is drawn anew, whatever the file has: `except head`"
_FORM = 'write `weights "FILE"`, and behind it `from ORIGIN`, `adapt=mean` or `except head`'


@dataclass(slots=True)
class Said:
    """What was said so far; of several files the last one counts."""

    freezings: list[Freezing] = field(default_factory=list[Freezing])
    weights: WeightsSource | None = None

    def take(self, call: tree.Call, env: Env) -> None:
        """Read a statement.

        Errors: Trouble with E132 or E133 where it cannot be read, or names a second file
        """
        if call.name.text == FREEZE:
            self.freezings.append(_freezing(call, env))
            return
        source = _weights(call, env)
        if self.weights is not None:
            message = "two files of weights are named here"
            raise Trouble("E133", message, source.span, help="remove one of the two")
        self.weights = source


def is_said(action: tree.Action, env: Env) -> bool:
    """Return whether a step is such a statement: its word has no other meaning here."""
    if not isinstance(action, tree.Call) or action.name.text not in (FREEZE, WEIGHTS):
        return False
    word = action.name.text
    return word not in env.names and find_callable(word, env.module) is None


def take_edit(call: tree.Call, said: Said, env: Env) -> None:
    """Read an edit of a variant that begins with a word of its own.

    Errors: Trouble with E001 for another word; those of `Said.take`
    """
    word = call.name.text
    if word not in (FREEZE, WEIGHTS):
        near = nearest(word, _EDITS)
        listed = ", ".join(f"`{edit}`" for edit in _EDITS)
        help = f"the nearest is `{near}`" if near else f"an edit is NAME=VALUE, or begins with {listed}"
        raise Trouble("E001", f"`{word}` is no edit of a variant", call.name.span, help=help)
    said.take(call, env)


def _freezing(call: tree.Call, env: Env) -> Freezing:
    return _gathered(_operands(call, "E132"), call.span, env)


def _gathered(arguments: Sequence[tree.Argument], whole: Span, env: Env) -> Freezing:
    report = Reporter()
    found = Freezing.gather([(_pattern(argument, env), argument.span) for argument in arguments], whole, report)
    for diagnostic in report.diagnostics:
        raise Trouble(diagnostic.code, diagnostic.message, diagnostic.span, help=diagnostic.help)
    return found


def _pattern(argument: tree.Argument, env: Env) -> FreezePattern | None:
    match argument.value:
        case tree.Variable(name=str(word)) if word == EXCEPT:
            return None
        case tree.Variable(name=str(word)) if word == str(HEAD):
            return HEAD
        case value:
            text = _text(value, env)
            return (
                _fail("E132", argument.span, f'write a path in quotes: `"{argument.span.text}"`')
                if text is None
                else text
            )


def _weights(call: tree.Call, env: Env) -> WeightsSource:
    file, *rest = _operands(call, "E133", (_ADAPT,))
    named = [argument for argument in rest if argument.key is not None]
    adapt = _adaption(named[0]) if named else None
    rest = [argument for argument in rest if argument.key is None]
    text = _text(file.value, env)
    if not text:
        _fail("E133", file.span, 'name a file of the spec\'s folder: `weights "resnet50.pth"`')
    if problem := outside(text):
        raise Trouble("E133", problem, file.span, help=BESIDE)
    origin: str | None = None
    anew: Freezing | None = None
    if rest and _is_word(rest[0], _FROM):
        match rest[1].value if rest[1:] else None:
            case tree.Variable(name=str(word)) if word != EXCEPT:
                origin, rest = word, rest[2:]
            case _:
                _fail("E133", rest[0].span, "name whose file it is, as `keys` do: `from timm`")
    if rest and _is_word(rest[0], EXCEPT):
        if not rest[1:]:
            raise Trouble("E133", "nothing stands behind `except`", rest[0].span, help=_BEHIND)
        anew, rest = _gathered(rest[1:], call.span, env), []
    if rest:
        _fail("E133", rest[0].span, _FORM)
    return WeightsSource(text, origin, file.span, env.module.folder, adapt, anew)


def _is_word(argument: tree.Argument, word: str) -> bool:
    return isinstance(argument.value, tree.Variable) and argument.value.name == word


def _adaption(argument: tree.Argument) -> InputAdaption:
    for way in ADAPTIONS:
        if _is_word(argument, way):
            return way
    listed = ", ".join(f"`{way}`" for way in ADAPTIONS)
    return _fail("E133", argument.value.span, f"the first convolution gets one of {listed} of the file's weights")


def _operands(call: tree.Call, code: str, keys: Sequence[str] = ()) -> tuple[tree.Argument, ...]:
    """Return a statement's words; raise where there are none, or named ones but `keys`, each once."""
    given = [argument.key for argument in call.arguments if argument.key is not None]
    named = next((key for key in given if key.text not in keys), None)
    twice = next((key for index, key in enumerate(given) if key.text in [k.text for k in given[:index]]), None)
    if named is None and twice is not None:
        raise Trouble(code, f"`{twice.text}` is given twice", twice.span, help="remove one of the two")
    if named is not None:
        raise Trouble(code, f"`{call.name.text}` has no argument `{named.text}`", named.span, help="remove it")
    if call.body is not None:
        raise Trouble(code, f"`{call.name.text}` takes no body", call.body.span, help="remove it")
    if not call.arguments or call.arguments[0].key is not None:
        help = 'name paths: `freeze "layer1.*"`' if call.name.text == FREEZE else 'name a file: `weights "FILE"`'
        raise Trouble(code, f"`{call.name.text}` names nothing", call.name.span, help=help)
    return call.arguments


def _text(value: tree.Expression, env: Env) -> str | None:
    """Return a string's text, with what is put into it; None for anything else."""
    if isinstance(value, tree.Interpolated):
        return interpolated(value.text, env)
    return value.value if isinstance(value, tree.Literal) and isinstance(value.value, str) else None


def _fail(code: str, span: Span, help: str) -> NoReturn:
    raise Trouble(code, f"unexpected `{span.text}`", span, help=help)
