from __future__ import annotations

import stat
from pathlib import Path

import pytest

from archdsl import check_text, load
from archdsl.backends.picture import DiagramLevel
from archdsl.cli.new import STARTER
from archdsl.text.marks import marked
from tests.cli.conftest import Run


def test_compile_writes_to_stdout_or_to_a_file(run: Run, tiny: Path) -> None:
    code, out, err = run("compile", "tiny.arch")
    assert (code, err) == (0, "")
    compile(out, "tiny.py", "exec")
    assert run("compile", "tiny.arch", "-o", "tiny.py").out == ""
    written = tiny.with_suffix(".py")
    assert written.read_bytes() == marked(out.encode(), "py")
    assert stat.S_IMODE(written.stat().st_mode) == stat.S_IMODE(tiny.stat().st_mode)


def test_a_folder_that_does_not_exist_is_a_failure(run: Run, tiny: Path) -> None:
    for command in (["compile", "tiny.arch", "-o", "no/x.py"], ["draw", "tiny.arch", "-o", "no/x.dot"]):
        code, out, err = run(*command)
        assert (code, out) == (2, "")
        assert "no such file or directory" in err


def test_a_mistake_leaves_the_old_file(run: Run, tiny: Path) -> None:
    output = tiny.with_suffix(".py")
    output.write_text("old", encoding="utf-8")
    assert run("compile", "tiny.arch", "--set", "classes=0", "-o", "tiny.py").code == 1
    assert output.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("level", ["stages", "blocks", "layers"])
def test_draw_writes_a_file_or_to_stdout(run: Run, tiny: Path, level: DiagramLevel) -> None:
    drawn = load(tiny).diagram(level)
    assert run("draw", "tiny.arch", "--level", level, "-o", "-") == (0, drawn.svg, "")
    assert run("draw", "tiny.arch", "--level", level, "-o", "-", "--format", "dot").out == drawn.dot
    assert run("draw", "tiny.arch", "--level", level, "-o", "tiny.dot") == (0, "", "wrote tiny.dot\n")
    assert tiny.with_suffix(".dot").read_bytes() == marked(drawn.dot.encode(), "dot")


@pytest.mark.parametrize(
    "option", [("--level", "blocks"), ("--theme", "light"), ("--cost", "macs"), ("--engine", "dot")], ids=str
)
def test_a_page_takes_no_setting_that_it_has_a_control_for(run: Run, tiny: Path, option: tuple[str, str]) -> None:
    ran = run("draw", "tiny.arch", "-o", "tiny.html", *option)
    assert (ran.code, ran.out) == (2, "")
    assert "takes no --level, --theme, --cost or --engine" in ran.err
    assert not tiny.with_suffix(".html").exists()


def test_a_file_is_not_named_for_another_format_than_it_has(run: Run, tiny: Path) -> None:
    ran = run("draw", "tiny.arch", "-o", "tiny.svg", "--format", "png")
    assert (ran.code, ran.err) == (2, "error: `tiny.svg` is no name for png\n  = help: name it `tiny.png`\n")
    assert run("draw", "tiny.arch", "-o", "tiny.picture", "--format", "png").code == 0


def test_draw_names_the_file_after_the_network(run: Run, tiny: Path) -> None:
    assert run("draw", "tiny.arch").err == "wrote tiny.svg\n"
    assert run("draw", "tiny.arch", "-f", "pdf").err == "wrote tiny.pdf\n"
    assert tiny.with_suffix(".svg").read_bytes() == marked(load(tiny).diagram().svg.encode(), "svg")


def test_draw_takes_a_theme_and_a_cost(run: Run, tiny: Path) -> None:
    out = run("draw", "tiny.arch", "--theme", "dark", "--cost", "activations", "-o", "-").out
    assert out == load(tiny).diagram(theme="dark", cost="activations").svg
    assert "% of the network's activations" in out


def test_draw_writes_a_page(run: Run, tiny: Path) -> None:
    assert run("draw", "tiny.arch", "-o", "tiny.html") == (0, "", "wrote tiny.html\n")
    assert (tiny.parent / "tiny.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_draw_refuses_another_format_before_it_compiles(run: Run) -> None:
    code, _, err = run("draw", "absent.arch", "-o", "x.gif")
    assert code == 2
    assert ".svg, .png, .pdf, .dot, .mmd, .tex, .html" in " ".join(err.split())


def test_a_new_spec_checks_clean_and_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("new", "first")
    assert (code, out) == (0, "first.arch\n")
    path = tmp_path / "first.arch"
    assert run("check", "first.arch").code == 0
    assert load(path).name == "first"
    path.write_text("mine", encoding="utf-8")
    code, out, err = run("new", "first")
    assert (code, out) == (2, "")
    assert "E331" in err
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_new_spec_goes_where_it_is_told(run: Run, tmp_path: Path) -> None:
    assert run("new", "first", "--dir", "a/b").code == 0
    assert (tmp_path / "a" / "b" / "first.arch").is_file()


@pytest.mark.parametrize("name", ["class", "my-net", "1st", "../x", "a b", "", "forward", "netz.arch", "ü"])
def test_a_bad_name_makes_no_file(run: Run, tmp_path: Path, name: str) -> None:
    code, out, err = run("new", "--", name)
    if code == 0:
        assert not check_text((tmp_path / f"{name}.arch").read_text(encoding="utf-8"))
        return
    assert (code, out) == (2, "")
    assert "cannot be called" in err
    assert not list(tmp_path.rglob("*.arch"))


def test_the_starter_shows_no_diagnostic() -> None:
    assert check_text(STARTER.replace("NAME", "net")) == ()
