"""Names of generated code: what a name from the spec is called in Python."""

from __future__ import annotations

import re
from keyword import iskeyword, issoftkeyword

# Names that generated code needs for something else.
RESERVED = frozenset(
    [
        "torch",
        "nn",
        "F",
        "Tensor",
        "OrderedDict",
        "NamedTuple",
        "Outputs",
        "TrainingOutputs",
        "self",
        "super",
        "x",
        "range",
        "print",
        "min",
        "max",
        "getattr",
        "setattr",
        "ValueError",
        "int",
        "float",
        "bool",
    ]
)


def class_name(name: str, otherwise: str) -> str:
    """Return a name as classes are called, resnet50 as Resnet50; `otherwise` begins what would be no name."""
    words = re.split(r"[^0-9A-Za-z]+", name)
    text = "".join(word[:1].upper() + word[1:] for word in words)
    return text if text.isidentifier() else f"{otherwise}{text}"


def parameter_name(name: str) -> str:
    """Return the name of a constructor's parameter, or of an attribute that holds it."""
    name = name.replace("-", "_")
    name = name if name.isidentifier() else f"p_{name}"
    # A comprehension counts with `i`.
    is_taken = iskeyword(name) or issoftkeyword(name) or name in RESERVED or name == "i" or name.startswith("__")
    if not is_taken:
        return name
    bare = name.strip("_")
    return f"{bare}_" if bare.isidentifier() else f"p_{bare}"


def variable_name(label: str) -> str:
    """Return the name of a variable in `forward`."""
    name = label.replace("-", "_").replace(".", "_")
    return name if name == "x" or (name.isidentifier() and name not in RESERVED) else f"v_{name}"


def self_attribute(name: str, getter: str = "get_submodule") -> str:
    """Return the attribute of a submodule or parameter, whose name may be none that Python can spell, or a path."""
    if name.isidentifier():
        return f"self.{name}"
    return f'self.{getter}("{name}")' if "." in name else f'getattr(self, "{name}")'
