"""Write docs/recipes.md from the classes in archdsl/recipes: python docs/make_recipes.py."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import cleandoc
from pathlib import Path

from archdsl.ops.base import attribute_docs
from archdsl.recipe_specs import bundled_recipes, declaration_text
from archdsl.recipes.base import RecipeStatement
from archdsl.recipes.recipe import CHANGES_BY_WORD, STATEMENTS

PAGE = Path(__file__).resolve().parent / "recipes.md"
INTRODUCTION = """\
# Recipes

<!-- Written by docs/make_recipes.py from archdsl/recipes and specs/recipes; edit those. -->

A recipe says how a network is trained. It is a text like the network's own, checked and formatted by the same commands,
without torch:

```arch recipes.arch
## Forty epochs of the paper's recipe, for a small set of photographs.
recipe photographs of resnet_paper {
  epochs 40
  batch_size 32
  schedule step after=[20, 30]
  images train { random_resized_crop area=[0.35, 1]; flip 0.5; color brightness=0.2; normalize imagenet }
}
```

```console
$ archdsl check recipes.arch
recipes.arch: ok, 1 recipe
$ archdsl recipes photographs --spec recipes.arch --whole
recipe photographs {
…
```

`recipe NAME of BASE` takes over every statement of BASE but those that it gives itself; a list of `images` is
replaced as a whole. Each word stands once. Values are [expressions](language.md#expressions), and `let` names them. A
recipe may stand beside a model, in a file of its own, or in one that the spec uses; `archdsl train` finds it by its
name:

- `--recipe photographs` is a recipe of the spec's file, of a file that it uses, or one that comes with archdsl;
- `--recipe recipes.arch:photographs` is one of another file;
- `--recipe "photographs(epochs=10, lr=0.02)"` changes values;
- `--set recipe.optimizer.lr=0.02` changes one, `--set "recipe.schedule=cosine"` a statement as a whole. A bare
  `--set` stays the network's.

Recipes hold neither initial values nor dropout: those are the spec's. What a recipe assumes of them is in its
comment. The words below are words of the language inside recipes alone.
"""


def page() -> str:
    """Return the page's text."""
    parts = [INTRODUCTION, "## Recipes that come with it\n"]
    parts += [f"```arch\n{_doc(one.doc)}{declaration_text(one.name)}\n```\n" for one in bundled_recipes()]
    parts += ["## Statements\n", *(_section(keyword, kinds) for keyword, kinds in STATEMENTS.items())]
    parts += [
        "## Images\n",
        "`images train { … }` lists what is done to training images in this order, and `images eval { … }` what is\n"
        "done to those that are measured, where nothing is random. Sizes are ratios of the network's own height and\n"
        "width, so that one recipe serves any input. What comes out in another size is resized to the network's, both\n"
        "sides by themselves. Grey images are repeated for a network of three channels; `grey` makes colour ones fit\n"
        "a network of one.\n",
        *(_section(keyword, (kind,)) for keyword, kind in CHANGES_BY_WORD.items()),
    ]
    return "\n".join(parts)


def _doc(text: str) -> str:
    return "".join(f"## {line}\n" for line in text.splitlines())


def _section(keyword: str, kinds: Iterable[type[RecipeStatement]]) -> str:
    return "\n".join([f"### {keyword}\n", *map(_entry, kinds)])


def _entry(kind: type[RecipeStatement]) -> str:
    lines = [f"`{kind.example}`\n", f"{cleandoc(kind.__doc__ or '')}\n"]
    docs = attribute_docs(kind)
    fields = kind.model_fields
    for name, field in fields.items():
        default = "needed" if field.is_required() else f"`{_shown(field.default)}` if left out"
        lines.append(f"- `{name}`, {default}: {' '.join(docs[name].split())}")
    return "\n".join(lines) + ("\n" if fields else "")


def _shown(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return f"[{', '.join(map(_shown, value))}]"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
