"""Generated source to an nn.Module, and to one again where a pickle of it is read."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from torch import nn


def build(source: str, name: str) -> nn.Module:
    """Run generated source and make its network, which is its last class.

    Equal sources share their classes. What is built can be pickled, and so sent to other processes: a pickle holds the
    source once.

    Requires: `source` is what `emit` gave; torch is installed. Tracebacks and `inspect` show the source's lines.
    """
    module: nn.Module = generated(source, name).network()
    return module


def generated(source: str, name: str) -> GeneratedCode:
    """Return the classes of generated source, the same ones as long as any of them lives. Pickles call it by name."""
    key = (source, name)
    found = _LIVING.get(key)
    if found is None:
        found = _LIVING[key] = GeneratedCode(source, name)
    return found


def blank(code: GeneratedCode, name: str) -> object:
    """Return an instance of a class without its state, which follows in the pickle that calls this by name."""
    cls = code.classes[name]
    return cls.__new__(cls)


def outputs(code: GeneratedCode, name: str, *values: object) -> object:
    """Return named outputs. Pickles call it by name."""
    return code.classes[name](*values)


class GeneratedCode:
    """Generated source and the classes that it makes; each of its instances is pickled by way of it."""

    def __init__(self, source: str, name: str) -> None:
        self.source, self.name = source, name

    @cached_property
    def classes(self) -> dict[str, Any]:
        """Map names to the source's own classes, in its order."""
        filename = f"<archdsl {self.name} {sha256(self.source.encode()).hexdigest()[:12]}>"
        linecache.cache[filename] = (len(self.source), None, self.source.splitlines(keepends=True), filename)
        namespace: dict[str, Any] = {"__name__": f"archdsl.generated.{self.name}"}
        # As a file would be: without the `annotations` of this one, which leaves strings that torch.fx cannot write.
        exec(compile(self.source, filename, "exec", dont_inherit=True), namespace)
        found = {
            name: value
            for name, value in namespace.items()
            if isinstance(value, type) and value.__module__ == namespace["__name__"]
        }
        for name, value in found.items():
            _look_names_up(value, namespace)
            type.__setattr__(value, "__reduce_ex__", self._reducer(name, value))
        return found

    @property
    def network(self) -> Any:
        """The network's class, which is the last."""
        return [*self.classes.values()][-1]

    def _reducer(self, name: str, cls: type) -> Callable[[Any, Any], object]:
        def reduce(instance: Any, protocol: Any) -> object:
            if type(instance) is not cls:  # of a class derived from it, which is found by its own name
                return super(cls, instance).__reduce_ex__(protocol)
            if issubclass(cls, tuple):
                return outputs, (self, name, *instance)
            return blank, (self, name), instance.__getstate__()

        return reduce

    def __reduce__(self) -> tuple[Any, ...]:
        return generated, (self.source, self.name)

    def __deepcopy__(self, _memo: object) -> GeneratedCode:
        return self


_CHAIN: str = """\
def forward(self, input):
    for module in self:
        input = module(input)
    return input
"""


def _look_names_up(cls: Any, namespace: dict[str, Any]) -> None:
    """Give a plain chain a `forward` of its own, equal to torch's, that finds names where those of its steps are found.

    torch.compile begins in a function of torch's for a module whose `forward` is torch's, and then imports the file
    that a step's names are in; generated code is in no file.
    """
    chain: Any = namespace["nn"].Sequential
    if getattr(cls, "forward", None) is chain.forward:
        filename = "<archdsl chain>"
        linecache.cache[filename] = (len(_CHAIN), None, list(_CHAIN.splitlines(keepends=True)), filename)
        made: dict[str, Any] = {}
        exec(compile(_CHAIN, filename, "exec", dont_inherit=True), namespace, made)
        cls.forward = made["forward"]


_LIVING: WeakValueDictionary[tuple[str, str], GeneratedCode] = WeakValueDictionary()
