"""Which labels a module can bear."""

from __future__ import annotations

from keyword import iskeyword

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
"""What every nn.Module answers to: a submodule of that name would hide it, or be refused by torch."""

SEQUENTIAL_ATTRIBUTES = frozenset(("append", "extend", "insert", "pop"))
LONGEST_LABEL = 80


def path_objection(path: str) -> str:
    """Say why a label, which may be a path of several segments, cannot name a module, or "" if it can."""
    if len(path) > LONGEST_LABEL:
        return f"a label has at most {LONGEST_LABEL} characters"
    segments = path.split(".")
    if len(segments) > 1 and not all(segments):
        return "a segment of it is empty"
    return next((problem for problem in map(objection, segments) if problem), "")


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
