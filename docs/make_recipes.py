"""Write docs/recipes.md from the classes in archdsl/recipes: python docs/make_recipes.py."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import cleandoc
from pathlib import Path

from archdsl.ops.base import attribute_docs
from archdsl.recipe_specs import bundled_recipes, declaration_text
from archdsl.recipes.base import RecipeStatement
from archdsl.recipes.recipe import CHANGES_BY_WORD, PHASE_WORDS, STATEMENTS, Phase

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
replaced as a whole, and so are all phases. Each word but `phase` stands once. Values are
[expressions](language.md#expressions), and `let` names them. A recipe may stand beside a model, in a file of its own,
or in one that the spec uses; `archdsl train` finds it by its name:

- `--recipe photographs` is a recipe of the spec's file, of a file that it uses, or one that comes with archdsl;
- `--recipe recipes.arch:photographs` is one of another file;
- `--recipe "photographs(epochs=10, lr=0.02)"` changes values;
- `--set recipe.optimizer.lr=0.02` changes one, `--set "recipe.schedule=cosine"` a statement as a whole. A bare
  `--set` stays the network's.

Recipes hold neither initial values nor dropout: those are the spec's. What a recipe assumes of them is in its
comment. The words below are words of the language inside recipes alone.
"""

PHASES = f"""\
A phase may hold {", ".join(f"`{word}`" for word in PHASE_WORDS[:-1])} and `{PHASE_WORDS[-1]}`. Here a network
learns from its end, and in the end as a whole, its first layers slowly:

```arch
recipe from_the_end of fine_tune {{
  epochs 3
  phase {{ freeze "*" except head; optimizer sgd lr=0.1 momentum=0.9 }}
  phase {{ freeze "*" except "layer4" head }}
  phase {{ epochs 10; rates "conv1" "layer1" 0.1 decay=0.85 }}
}}
```

`epochs` of the recipe are those of each phase that has none of its own. Paths are those of edits: `"layer4"` covers all
inside, and `*` stands for the letters of one segment. `head` without quotes is the last step with weights before each
output of the classes' shape, training outputs included; `"head"` with quotes is a path.

At the beginning of a phase the module is emitted anew, under what is frozen then, and takes over the state of the one
before; nothing is frozen or thawed in a module that is there. The running mean of `ema` goes on, but for what is
frozen, where it is what the module has. The best weights are the best of all phases. `early_stop` ends a phase, and the
run in the last one. A run that is stopped in any phase goes on exactly there.

`--set recipe.phase.2.epochs=5` changes a value in a phase, and `--set recipe.epochs=5` in all that do not say it.
"""


def page() -> str:
    """Return the page's text."""
    parts = [INTRODUCTION, "## Recipes that come with it\n"]
    parts += [f"```arch\n{_doc(one.doc)}{declaration_text(one.name)}\n```\n" for one in bundled_recipes()]
    parts += ["## Statements\n", *(_section(keyword, kinds) for keyword, kinds in STATEMENTS.items())]
    parts += ["## Phases\n", f"`{Phase.example}`\n", f"{cleandoc(Phase.__doc__ or '')}\n", PHASES]
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
        default = ", needed" if field.is_required() else f", `{_shown(field.default)}` if left out"
        # What it then is, its own text says.
        default = "" if field.default is None else default
        lines.append(f"- `{name}`{default}: {' '.join(docs[name].split())}")
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
