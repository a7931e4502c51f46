"""Which labels a module can bear, and what a step without one is called."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from keyword import iskeyword

# What every nn.Module answers to: a submodule of that name would hide it, or be refused by torch.
MODULE_ATTRIBUTES = frozenset(
    [
        "T_destination",
        "add_module",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "compile",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extra_repr",
        "float",
        "forward",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "ipu",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "parameters",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "xpu",
        "zero_grad",
    ]
)
SEQUENTIAL_ATTRIBUTES = frozenset(("append", "extend", "insert", "pop"))
LONGEST_LABEL = 80


def objection(label: str) -> str:
    """Say why a label cannot name a module, or "" if it can."""
    if not label:
        return "a label is not empty"
    if len(label) > LONGEST_LABEL:
        return f"a label has at most {LONGEST_LABEL} characters"
    if label in MODULE_ATTRIBUTES:
        return f"every nn.Module has its own `{label}`"
    if label in SEQUENTIAL_ATTRIBUTES:
        return f"every nn.Sequential has its own `{label}`"
    if iskeyword(label):
        return f"`{label}` is a word of Python's, so the compiled code could not use it"
    if label.startswith("_"):
        return "names that start with `_` belong to torch and Python"
    if not all(character.isalnum() or character in "_-" for character in label) or not label.isascii():
        return "a label consists of ASCII letters, digits, `_` and `-`"
    return ""


@lru_cache(maxsize=1024)
def unlabelled_name(hint: str) -> str:
    """Return what an unlabelled step goes by: its operator's or block's name, or `block` where that cannot be one."""
    return "block" if objection(hint) else hint


class UnlabelledNames:
    """The names of a level's steps that have no label: `conv`, `conv_2` and so on, past those that are taken."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._counts: dict[str, int] = {}

    def next(self, hint: str) -> str:
        """Return the name of the next step that goes by this."""
        hint = unlabelled_name(hint)
        while True:
            self._counts[hint] = count = self._counts.get(hint, 0) + 1
            name = hint if count == 1 else f"{hint}_{count}"
            if name not in self._taken:
                self._taken.add(name)
                return name
