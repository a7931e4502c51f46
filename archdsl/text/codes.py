"""Every diagnostic's code: E0xx syntax, E1xx names and values, E2xx shapes, E3xx backends, Wxxx warnings.

A code keeps its meaning for ever: one that is no longer reported is not given to another mistake.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of mistake: why it is one, and what to do about it."""

    code: str
    title: str
    explanation: str


_ALL = (
    Code(
        "E001",
        "unexpected text",
        "Something stands where the grammar has no place for it. The message lists what may stand there. Often "
        "the cause is just before it: a missing `;` or new line between two steps, or a missing bracket.",
    ),
    Code(
        "E002",
        "unexpected character",
        "No word of the language contains this character. It may be invisible, such as a no-break space copied "
        "from a web page; invisible characters are shown by their number. Remove it, or put it in quotes where it "
        "belongs to a label.",
    ),
    Code(
        "E003",
        "nesting too deep",
        "Brackets or statements are nested deeper than the compiler follows, so that a hostile text cannot "
        "exhaust its stack. Name an inner part with `let` or `block` and use the name.",
    ),
    Code(
        "E004",
        "file too large or not text",
        "A spec is UTF-8 text of limited size. A file beyond that is most likely not a spec. Save it as UTF-8, or "
        "split it into files and take blocks from one to another.",
    ),
    Code(
        "E005",
        "unclosed bracket",
        "A bracket is opened here and never closed, so that everything after it belongs to it. Close it where its "
        "content ends.",
    ),
    Code(
        "E101",
        "unknown name",
        "Nothing of this name is in scope: no operator, block, function, type, parameter or variable. The nearest "
        "known name is offered if it is near. Names are case-sensitive, and a block's parameters are known only "
        "inside it.",
    ),
    Code(
        "E102",
        "unknown argument",
        "The operator or block has no argument of this name. An ignored setting would build another network than "
        "the one written down, so it is an error. The help lists the arguments there are.",
    ),
    Code(
        "E103",
        "missing argument",
        "An argument without a default is not given. Give it in its place or by its name, or give the block's "
        "parameter a default.",
    ),
    Code(
        "E104",
        "wrong kind of value",
        "The value is of another kind than its place takes: text for a number, a fraction for a whole number, a "
        "number out of its range. Values are not converted; write the one that is meant.",
    ),
    Code(
        "E105",
        "inexact division",
        "`/` divides whole numbers exactly, and here it would leave a remainder. Rounding changes a network, so "
        "it has to be written: `//` rounds down, `ceil(…)` up, `round8(…)` to a multiple.",
    ),
    Code(
        "E106",
        "name defined twice",
        "Two definitions, labels or outputs share one name in one scope, or one argument is given twice. Labels "
        "are segments of the keys in `state_dict` and have to differ. Rename one, or remove it.",
    ),
    Code(
        "E107",
        "too many arguments",
        "More values are given than there are arguments to take them, or a body in braces is given to what takes "
        "none. Remove what is too much.",
    ),
    Code(
        "E108",
        "recursion without end",
        "A block, a function or a variant refers to itself, directly or through others, and no condition stops "
        "it. A network is finite: let a parameter count down and a condition end it, or write a repeat.",
    ),
    Code(
        "E109",
        "network too large",
        "Written out, the network has more layers, or the text more steps to evaluate, than the compiler takes. A "
        "repeat count or a list is most likely larger than meant; blocks that call each other multiply.",
    ),
    Code(
        "E110",
        "nothing takes the stage's stride",
        "Stages after the first halve the image through their block's `stride` parameter, and this block has "
        "none, so no stage would shrink anything. Declare the parameter, as in `block b(c, stride s=1)`, and use "
        "it; or ask for no stride in the stages.",
    ),
    Code(
        "E111",
        "list lengths differ",
        "Lists that are walked together, or a list and the names it is unpacked to, differ in length. Cutting to "
        "the shorter would drop stages in silence. Make them equally long.",
    ),
    Code(
        "E112",
        "bad label",
        "A label becomes an attribute of a Python module and a segment of a path in `state_dict`. It is fixed "
        "text and names put into it, `layer{i}`, and cannot be empty, contain a dot, be a word of Python, or hide "
        "what `nn.Module` needs, such as `forward`.",
    ),
    Code(
        "E113",
        "unknown label reference",
        "`@name` takes up the result of a labelled step that stands before it, in the same body or around it. No "
        "step so labelled has a result by then. Label the step, or move the reference after it.",
    ),
    Code(
        "E114",
        "a used file cannot be found or used",
        "A spec does not exist, cannot be read, lies outside the folder of the one that uses it, or uses itself "
        "through others. Paths are relative to the file that uses them; bundled specs are found by name.",
    ),
    Code(
        "E115",
        "a variant's path matches nothing",
        "A variant changes steps of its base by path, and no step has this one, or the step takes no arguments, "
        "so the change would be lost in silence. Look the path up in the base's summary; a label in the base may "
        "have been renamed.",
    ),
    Code(
        "E116",
        "arithmetic error",
        "An expression has no value: a division by zero, a result too large, an index beyond a list, a list "
        "longer than the compiler takes. The message shows the values.",
    ),
    Code(
        "E117",
        "not in this version",
        "The text is well formed and asks for something that this version of archdsl does not do, such as choices "
        "for a search or modules written in Python. Write the part out with what there is.",
    ),
    Code(
        "E118",
        "a channel count depends on the image size",
        "Structure and parameters have to be the same for every image size, or weights trained at one could not "
        "be used at another. Pool to a fixed size before `flatten`, or give the input's size as numbers.",
    ),
    Code(
        "E119",
        "assertion fails",
        "An `assert` in the spec does not hold for the network. The message shows the values it compares. Change "
        "the network, or the claim.",
    ),
    Code(
        "E120",
        "unknown model",
        "The file defines no model of this name, or none at all, or several and none was chosen. The help lists "
        "those there are.",
    ),
    Code(
        "E121",
        "no input, or one out of place",
        "A model begins with `input [C, H, W]`, the shape of one image, since all other shapes follow from it. "
        "The step has nothing to work on, or an `input` stands inside a block or after other steps. A block takes "
        "what flows in where it is called.",
    ),
    Code(
        "E122",
        "nothing in a block or group",
        "A block or a group of steps in braces has no step, at least not for these arguments, and would be a "
        "module that does nothing. Give it a step, remove it, or write `pass` for a branch that hands on what it "
        "gets.",
    ),
    Code(
        "E123",
        "bad name map",
        "A rule of `keys` says how a file of another origin names weights: the beginning of a key here, and of the "
        "same key there. A name in braces on the left stands for a number and may be used in braces on the right. "
        "Here braces do not match, or hold something else.",
    ),
    Code(
        "E210",
        "groups do not divide the channels",
        "A grouped operator gives each group the same share of the channels, so `groups` has to divide the number "
        "that comes in and the number that goes out. Change the groups or the width.",
    ),
    Code(
        "E211",
        "window larger than its input",
        "A kernel or pooling window is larger than the image it slides over, padding included, and has not one "
        "position. Too many strides before it are the usual cause. Use a smaller window, a padding, a larger "
        "input, or fewer strides.",
    ),
    Code(
        "E212",
        "wrong number of axes",
        "The operator takes another kind of tensor than reaches it, such as a feature map [C, H, W] where only a "
        "vector [C] is left after `flatten`. Move the step, or reshape before it.",
    ),
    Code(
        "E213",
        "shapes of a join differ",
        "The branches of a join have to agree: in every axis for `add` and `mul`, in all but the joined axis for "
        "`concat`, in the sizes that are summed over for `matmul`. The message lists the shape of each. Bring "
        "them to one shape by stride, padding or channels.",
    ),
    Code(
        "E214",
        "channels not divisible",
        "The operator shares the channels out in equal parts, as `split`, `shuffle` and group normalisation do, "
        "and the number of parts does not divide them. Change the number of parts or the width before it.",
    ),
    Code(
        "E215",
        "padding too large",
        "The padding exceeds what its operator can fill: half the window for a pool, less than the image for "
        "reflection, the image for circular padding. Use less, or another kind of padding.",
    ),
    Code(
        "E216",
        "sizes do not fit",
        "A rearrangement keeps every element: the sizes asked for have to hold as many as come in, an order has "
        "to name each axis once, and a side has to be a multiple of the factor it is divided by. The message "
        "shows both.",
    ),
    Code(
        "E217",
        "slice out of range",
        "A slice, an axis or a part is asked for that the tensor does not have. Indices count from 0, and the "
        "batch axis is not counted. The message shows the shape.",
    ),
    Code(
        "E218",
        "padding=same with a stride pads with zeros",
        "`padding=same` with a stride pads by an amount that depends on the image, and torch does that with zeros "
        "only. Give the padding as a number to use another `padding_mode`.",
    ),
    Code(
        "E219",
        "bad initialisation",
        "The initial values name a function that does not exist, or give it arguments it does not take. The "
        "functions are those of `torch.nn.init`; the help lists them, or the arguments of the one named.",
    ),
    Code(
        "E220",
        "a residual changes shape without a shortcut",
        "A residual adds its input to its body's result. The body changes the stride or the channels, and no "
        "`shortcut` says how the input follows. Add `shortcut { conv … }`, or keep the shape.",
    ),
    Code(
        "E221",
        "output padding too large",
        "`output_padding` picks one of the sizes that a strided convolution maps to the same output, and there "
        "are only as many as its stride or its dilation. Use less than the larger of the two.",
    ),
    Code(
        "E222",
        "wrong number of branches",
        "A join takes two branches or more, and some exactly two. A join of one branch does nothing, and is most "
        "likely a branch forgotten. Add it, or drop the join.",
    ),
    Code(
        "E223",
        "settings that exclude each other",
        "Two settings of an operator contradict each other, or one says nothing beside the other, such as a "
        "factor and a size to resize to. Ignoring one would build another network than the one written down. Drop "
        "one of them.",
    ),
    Code(
        "E224",
        "nothing to normalise over",
        "A norm over the positions of each channel has only one position left, so that the mean is the value "
        "itself and every result is zero. Normalise before the pooling, or use another norm.",
    ),
    Code(
        "E301",
        "weights cannot be read",
        "A file of weights is missing, damaged, or holds something else than tensors under names. Files of PyTorch "
        "are read without running code from them, so objects other than tensors cannot be loaded: save a "
        "`state_dict` alone, or use safetensors.",
    ),
    Code(
        "E302",
        "weights do not fit",
        "A file lacks weights that the network has, has others, or some in another shape. The report lists them; "
        "`archdsl weights` shows it at once. Name the origin of the file's keys, change the network, or load only "
        "what fits with `strict=False`.",
    ),
    Code(
        "W400",
        "an allow that drops nothing",
        "An `allow` stands where nothing gives rise to the warning that it names, or no longer does. Left there, it "
        "would hide a later mistake. Remove it. Whether it is of use is told only where a file is checked as a whole.",
    ),
)

CODES: Mapping[str, Code] = MappingProxyType({entry.code: entry for entry in _ALL})
"""All codes, in order."""
