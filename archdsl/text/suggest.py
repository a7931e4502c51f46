"""The name that was meant."""

from collections.abc import Collection, Iterable
from itertools import takewhile

_MOST_COMPARED = 500
LONGEST = 64
"""Longer names are not compared, which bounds the time that one in a hostile spec can take."""


# What other tools call it, without case and underscores: the one list of such words. How the arguments of a layer are
# said is for `syntax/habits/layers.py`.
_WORDS = {
    "activation": "act",
    "activations": "activation_bytes",
    "adaptiveavgpool2d": "adaptive_avgpool",
    "adaptivemaxpool2d": "adaptive_maxpool",
    "averagepooling2d": "avgpool",
    "avgpool2d": "avgpool",
    "batchnorm": "batch",
    "batchnorm1d": "batch",
    "batchnorm2d": "batch",
    "batchnormalization": "batch",
    "bn": "norm",
    "cat": "concat",
    "ceilmode": "ceil",
    "channelshuffle": "shuffle",
    "concatenate": "concat",
    "conv2d": "conv",
    "conv2dtranspose": "deconv",
    "convbnact": "cna",
    "convbnrelu": "cna",
    "convolution2d": "conv",
    "convtranspose2d": "deconv",
    "countincludepad": "count_padding",
    "dense": "fc",
    "depth": "channels",
    "depthwise": "dw",
    "depthwiseconv2d": "dw",
    "dilationrate": "dilation",
    "downscalefactor": "factor",
    "dropoutrate": "p",
    "droppath": "drop_path",
    "dropprob": "p",
    "dwconv": "dw",
    "elementwise": "add",
    "eltwise": "add",
    "epsilon": "eps",
    "filters": "channels",
    "fullyconnected": "fc",
    "globalaveragepooling2d": "gap",
    "globalavgpool": "gap",
    "globalavgpool2d": "gap",
    "globalmaxpooling2d": "gmp",
    "groupnorm": "group",
    "hsigmoid": "hardsigmoid",
    "hswish": "hardswish",
    "identity": "pass",
    "innerproduct": "fc",
    "inputlayer": "input",
    "instancenorm2d": "instance",
    "interpolate": "upsample",
    "kernelinitializer": "init",
    "kernelsize": "kernel",
    "ksize": "kernel",
    "layernorm": "layer",
    "layernormalization": "layer",
    "leakyrelu": "leaky_relu",
    "linear": "fc",
    "logsoftmax": "log_softmax",
    "madds": "macs",
    "maxpool2d": "maxpool",
    "maxpooling2d": "maxpool",
    "multadds": "macs",
    "multiply": "mul",
    "negativeslope": "slope",
    "nparams": "parameters",
    "numchannels": "channels",
    "numfilters": "channels",
    "numgroups": "groups",
    "numparams": "parameters",
    "outchannels": "channels",
    "outfeatures": "features",
    "outplanes": "channels",
    "outputchannels": "channels",
    "outputsize": "size",
    "pad": "padding",
    "padtype": "padding",
    "params": "parameters",
    "pixelshuffle": "pixel_shuffle",
    "pixelunshuffle": "pixel_unshuffle",
    "poolsize": "kernel",
    "rate": "p",
    "scalefactor": "factor",
    "size": "kernel",
    "skip": "residual",
    "softmax2d": "softmax",
    "spatialdropout2d": "dropout2d",
    "squeezeexcite": "se",
    "stochasticdepth": "drop_path",
    "strides": "stride",
    "subtract": "sub",
    "sum": "add",
    "swish": "silu",
    "syncbatchnorm": "sync_batch",
    "trackrunningstats": "track",
    "units": "features",
    "upsampling2d": "upsample",
    "upscalefactor": "factor",
    "usebias": "bias",
    "width": "channels",
    "zeropad2d": "pad",
    "zeropadding2d": "pad",
}


# Those of them that mean other things elsewhere as well, or what takes other arguments.
_LIKELY = frozenset(
    ["activation", "batchnorm", "batchnorm1d", "batchnorm2d", "batchnormalization", "bn", "conv", "convbnact",
     "convbnrelu", "convolution", "depth", "depthwise", "dwconv", "elementwise", "eltwise", "groupnorm", "identity",
     "instancenorm2d", "interpolate", "layernorm", "layernormalization", "linear", "pad", "padtype", "rate", "size",
     "skip", "squeezeexcite", "syncbatchnorm", "width", "zeropad2d", "zeropadding2d"]
)  # fmt: skip


def known_as(name: str) -> str | None:
    """Return what a name of another tool is called here.

    >>> known_as("kernel_size"), known_as("Conv2D"), known_as("conv")
    ('kernel', 'conv', None)
    """
    return _WORDS.get(name.casefold().replace("_", ""))


def nearest(name: str, candidates: Iterable[str], own: Collection[str] = ()) -> str | None:
    """Return the candidate that other tools call so, or the one fewest edits away, if near.

    `own` are candidates that the spec's author named, of which other tools know nothing.

    Near is at most one edit per three letters, and one if there are fewer.

    Case does not count, and swapping two neighbours is one edit. Of equals the one with more of the same letters in
    front wins, and then the first in the alphabet.

    >>> nearest("chanels", ["kernel", "channels"])
    'channels'
    >>> nearest("ReLU", ["relu", "gelu"])
    'relu'
    >>> nearest("con", ["cn", "conv"])
    'conv'
    >>> nearest("attention", ["conv", "pool"])
    >>> nearest("width", ["Width", "channels"])
    'Width'
    >>> nearest("width", ["channels"], own=["channels"])
    """
    if not 0 < len(name) <= LONGEST:
        return None
    candidates = list(candidates)
    if same := sorted(c for c in candidates if c.casefold() == name.casefold()):
        return same[0]
    meant = known_as(name)
    if meant in candidates and meant not in own:
        return meant
    limit = max(1, len(name) // 3)
    close = [c for c in candidates if abs(len(c) - len(name)) <= limit][:_MOST_COMPARED]
    # A letter and a digit are a name of its own, such as `C3`.
    close = [c for c in close if len(name) > 2 or name.isalpha() or not c.isalpha()]
    ranked = [(edit_distance(name.casefold(), c.casefold(), limit), c) for c in close]
    # A single letter is one edit away from every other: something must be shared.
    near = [(edits, c) for edits, c in ranked if edits <= limit and edits < max(len(name), len(c))]
    return min((edits, edit_distance(name, c), -_shared(name, c), c) for edits, c in near)[3] if near else None


def _shared(a: str, b: str) -> int:
    """Count the letters that two names begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def suggestion(name: str, candidates: Iterable[str], what: str = "name", own: Collection[str] = ()) -> str:
    """Say what was most likely meant, or "" where nothing is near.

    >>> suggestion("swish", ["silu", "relu"])
    'it is called `silu` here'
    >>> suggestion("rellu", ["silu", "relu"])
    'the nearest name is `relu`'
    """
    near = nearest(name, candidates, own)
    if near is None:
        return ""
    is_habit = known_as(name) == near and near.casefold() != name.casefold()
    return f"it is called `{near}` here" if is_habit else f"the nearest {what} is `{near}`"


def is_synonym(name: str, meant: str) -> bool:
    """Return whether a name is another tool's for the one meant and nothing else, or differs from it in case alone."""
    is_certain = name.casefold().replace("_", "") not in _LIKELY
    return is_certain and (meant == known_as(name) or name.casefold() == meant.casefold())


def edit_distance(a: str, b: str, limit: int = LONGEST) -> int:
    """Count insertions, deletions, replacements and swaps of neighbours that turn one text into the other.

    More than `limit` are not counted to the end: the result is then some number above it.

    Source: Damerau-Levenshtein distance, optimal string alignment: no piece is edited twice.

    >>> edit_distance("kernle", "kernel")
    1
    """
    table = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(table[i - 1][j] + 1, row[j - 1] + 1, table[i - 1][j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                best = min(best, table[i - 2][j - 2] + 1)
            row.append(best)
        table.append(row)
        if min(row) > limit and min(table[-2]) > limit:
            return limit + 1
    return table[-1][-1]
