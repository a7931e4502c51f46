"""Draw one network of each family for docs/gallery.md: python docs/make_gallery.py."""

from __future__ import annotations

from pathlib import Path

import archdsl

DOCS = Path(__file__).resolve().parent
GALLERY = DOCS / "gallery"
SHOWN = (
    ("resnet50", "ResNet", "blocks"),
    ("resnet18", "ResNet, every layer", "layers"),
    ("vgg16", "VGG", "stages"),
    ("googlenet", "GoogLeNet", "blocks"),
    ("inception_v3", "Inception v3", "blocks"),
    ("densenet121", "DenseNet", "blocks"),
    ("mobilenet_v2", "MobileNetV2", "blocks"),
    ("efficientnet_b0", "EfficientNet", "stages"),
    ("shufflenet_v2_x1_0", "ShuffleNetV2", "blocks"),
    ("squeezenet1_0", "SqueezeNet", "blocks"),
    ("regnet_y_400mf", "RegNetY", "blocks"),
    ("convnext_tiny", "ConvNeXt", "blocks"),
    ("repvgg_a0", "RepVGG", "blocks"),
    ("dpn68", "Dual Path Network", "blocks"),
    ("preresnet50", "Pre-activation ResNet", "blocks"),
    ("ghostnet_100", "GhostNet", "blocks"),
    ("convnextv2_atto", "ConvNeXt V2", "blocks"),
    ("dla34", "Deep Layer Aggregation", "blocks"),
    ("hrnet_w18_small", "HRNet", "stages"),
    ("nasnetalarge", "NASNet-A", "stages"),
    ("bifpn_d0", "EfficientDet's neck", "stages"),
    ("unet", "U-Net", "blocks"),
    ("fpn_resnet18", "Feature Pyramid Network", "stages"),
    ("dcgan_generator", "DCGAN", "stages"),
)
LOOKS = (
    ("resnet50", "stages", "dark", None, "The dark theme"),
    ("resnet50", "stages", "print", None, "For print: line styles in place of colours"),
    ("resnet50", "blocks", "light", "parameters", "Where the parameters are: `--cost parameters`"),
    ("mobilenet_v2", "stages", "light", "activations", "Where the activations are: `--cost activations`"),
)
INTRODUCTION = """# Gallery

One network of each family that comes with archdsl, as `archdsl draw NAME` draws it; [pictures.md](pictures.md) says
what is in a picture. `python docs/make_gallery.py` writes this page."""


def main() -> None:
    """Write the page and its images."""
    GALLERY.mkdir(exist_ok=True)
    parts = [INTRODUCTION]
    for name, title, level in SHOWN:
        file = f"{name}-{level}.svg"
        (GALLERY / file).write_text(archdsl.load(name).diagram(level).svg, encoding="utf-8")
        parts.append(f"## {title}\n\n`archdsl draw {name} --level {level}`\n\n![{title}](gallery/{file})")
    parts.append("## Looks")
    for name, level, theme, cost, title in LOOKS:
        file = f"{name}-{level}-{cost or theme}.svg"
        svg = archdsl.load(name).diagram(level, theme=theme, cost=cost).svg
        (GALLERY / file).write_text(svg, encoding="utf-8")
        parts.append(f"{title}:\n\n![{title}](gallery/{file})")
    (DOCS / "gallery.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
