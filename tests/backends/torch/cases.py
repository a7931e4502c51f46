"""Networks whose files several tests look at, and ruff's word on a file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import archdsl
from archdsl.specs import bundled_models

# One of each family.
DISTINCT = list({path: name for name, path in reversed(bundled_models())}.values())

# Everything that a careful reader would stumble over, in one network.
ODD = """\
## Everything odd at once: "quotes", a \\ backslash, and a line that is so long that it has to be wrapped somewhere.
block head(classes) { gap; flatten; fc: fc classes }

## Two results: the block's own, and what came before the activation.
block tapped(c) { conv: conv c; output before; norm; act }

block shared(c) { residual { norm; act; conv: conv c; dropout 0.1 } }

model odd(classes=5) {
  left: input [3, 32, 32]
  right: input [1, 64, 64]
  down: conv 3 s=2
  add { @left; @down }
  "stem-0": { "conv-a": conv 8; norm; act }
  t: tapped 8
  twice: shared 8
  reuse twice
  for i in 1..5 { grow{i}: { conv in+4; norm; act } }
  many: { conv 8; shared 8 x 3; for i in 0..4 { { shared 8; drop_path 0.2*i/5 } } }
  "factor-1": scale 0.5
  output seen { @t.before; conv 2 k=1 }
  output aux training { help: head 3 }
  split 2 concat { pass; { conv 4; act } }
  shuffle 2
  head classes
}
"""
UNET = """\
block pair(c) { conv c; norm; act; conv c; norm; act }

## A U-Net of two levels for 32x32 images.
model unet(c=8, classes=2) {
  input [1, 32, 32]
  enter: pair c
  maxpool k=2
  middle: pair 2*c
  maxpool k=2
  bottom: pair 4*c
  up1: deconv 2*c k=2 s=2
  concat { @middle; pass }
  left: pair 2*c
  up2: deconv c k=2 s=2
  concat { @enter; pass }
  right: pair c
  head: conv classes k=1 bias=true
}
"""
GOLDENS: Mapping[str, Callable[[], archdsl.Network]] = {
    "resnet50": lambda: archdsl.load("resnet50"),
    "mobilenet_v2": lambda: archdsl.load("mobilenet_v2"),
    "googlenet": lambda: archdsl.load("googlenet"),
    "densenet121": lambda: archdsl.load("densenet121"),
    "efficientnet_b0": lambda: archdsl.load("efficientnet_b0"),
    "regnet_x_400mf": lambda: archdsl.load("regnet_x_400mf"),
    "unet_small": lambda: archdsl.load_text(UNET, name="unet_small.arch"),
    "odd": lambda: archdsl.load_text(ODD, name="odd.arch"),
}


def ruff(*arguments: str | Path) -> str:
    """Return what ruff, with its own defaults, has to say; nothing if it is content."""
    command = [sys.executable, "-m", "ruff", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr
