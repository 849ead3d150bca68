import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage, QPainter, QTextDocument
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.ui.fonts import interface
from desktop.ui.maths import formulas as module
from desktop.ui.maths.formulas import Formulas, formula_of
from desktop.ui.transcript.inline_pictures import Picture, put_pictures, with_sources

WORKER = Path(module.__file__).with_name("worker.py")
# A worker of ours that does what it is told by the TeX.
STANDIN = """
import json, os, sys, time
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    tex = asked["tex"]
    if tex == "crash":
        os._exit(3)
    if tex == "hang":
        time.sleep(600)
    if tex == "garbage":
        print("what?\\n[]\\n" + "[" * 9000, flush=True)
        print(json.dumps({"key": 0, "svg": "<svg/>"}), flush=True)
    svg = "<svg/>" if tex != "bad" else 7 * [0]
    answer = {"key": asked["key"], "svg": svg, "width": 24, "ascent": 12, "descent": 6}
    print(json.dumps(answer), flush=True)
"""


def asked(*requests: str) -> list[dict[str, object]]:
    lines = "".join(
        json.dumps({"key": "", "tex": tex, "display": False}) + "\n" for tex in requests
    )
    got = subprocess.run(
        [sys.executable, "-P", str(WORKER)],
        input=lines,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [json.loads(line) for line in got.stdout.splitlines()][1:]


@pytest.fixture
def standin() -> Iterator[Formulas]:
    made = Formulas([sys.executable, "-c", STANDIN], limit_ms=1500)
    yield made
    made.close()


def test_the_worker_typesets_what_models_write() -> None:
    made = asked(
        r"\frac{a}{b}",
        r"\begin{pmatrix}a&b\\c&d\end{pmatrix}^T",
        r"\begin{align*}a&=b\\c&=d\end{align*}",
        r"\operatorname{softmax}(x)_i \tag{1}",
    )
    assert [answer for answer in made if "error" in answer] == []
    assert all(str(answer["svg"]).startswith("<svg") for answer in made)


def test_the_worker_says_what_it_cannot() -> None:
    made = asked(r"\frac{1", r"\text{كلام}", r"\ce{H2O}")
    assert ["error" in answer for answer in made] == [True, True, True]


@pytest.mark.parametrize(
    ("tex", "letters"),
    [
        (r"\begin{cases}x,&\text{当 }x>0\text{ 时}\\0,&\text{其他}\end{cases}", "当时其他"),
        (r"\frac{\text{正确数}}{\text{总数}}", "正确数总数"),
        (r"S_{\text{圆}}^{最大}", "圆最大"),
        (r"\mathrm{召回率}、速度", "召回率、速度"),
        (r"\text{若 $x>0$ 且\textbf{大}}", "若且大"),
        (r"\text{の😀}", "の😀"),
    ],
)
def test_chinese_is_a_letter_in_the_picture(tex: str, letters: str) -> None:
    (made,) = asked(tex)
    found = re.findall(r'<text [^>]*fill="black"[^>]*>(.)</text>', str(made["svg"]))
    assert "".join(sorted(found)) == "".join(sorted(letters))


def test_a_wide_letter_is_as_wide_as_those_around_the_formula() -> None:
    one, two, small = asked("中", "中中", "x_{中}")
    em = 24.0
    advance = float(str(two["width"])) - float(str(one["width"]))
    assert advance == pytest.approx(0.94 * em, abs=0.1)
    sizes = re.findall(r'font-size="([\d.]+)"', f"{two['svg']}{small['svg']}")
    assert float(sizes[0]) == float(sizes[1]) > float(sizes[2]) > 0.5 * em


def test_what_stands_beside_a_formula_in_latex_is_drawn_or_left_out() -> None:
    tagged, bare, apart, rows = asked(
        r"x \tag{1}",
        "x",
        r"\begin{aligned}a\\[4pt]b\end{aligned}",
        r"\begin{aligned}a\\b\end{aligned}",
    )
    assert float(str(tagged["width"])) > float(str(bare["width"])) + 24
    assert apart["svg"] == rows["svg"]


@pytest.mark.parametrize(
    ("tex", "lines"),
    [
        (r"\begin{array}{cc}a&b\\c&d\end{array}", 0),
        (r"\begin{array}{c|c}a&b\\c&d\end{array}", 1),
        (r"\begin{array}{cc|c}a&b&c\\ \hline d&e&f\\ g&h&i\end{array}", 2),
        (r"\begin{array}{|c||c|}\hline a&b\\ \hline\hline c&d\\ \hline\end{array}", 2),
        (r"\begin{array}{c|c}a&\\ \hline &d\end{array}", 2),
        (r"\begin{array}{c|c}a\\ \hline b&c\end{array}", 2),
    ],
)
def test_an_array_has_the_lines_between_its_cells(tex: str, lines: int) -> None:
    (made,) = asked(tex)
    assert str(made["svg"]).count("<rect") == lines


def test_a_gap_of_rows_is_no_interval() -> None:
    interval, none = asked(
        r"\begin{aligned}a\\[0,1]\end{aligned}", r"\begin{aligned}a\\\end{aligned}"
    )
    assert interval["svg"] != none["svg"]


def test_the_worker_imports_no_qt() -> None:
    code = f"import sys, runpy; sys.stdin = open({str(WORKER)!r}); sys.stdin.read();"
    code += f"runpy.run_path({str(WORKER)!r}, run_name='__main__');"
    code += "sys.exit('PySide6' in sys.modules or 'desktop' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, capture_output=True)


def test_nothing_is_started_before_the_first_formula(standin: Formulas) -> None:
    assert not standin.running


def test_a_formula_comes_once_it_is_typeset(qtbot: QtBot, standin: Formulas) -> None:
    with qtbot.waitSignal(standin.drawn, timeout=20_000):
        assert standin.get("x", display=False) is None
    formula = standin.get("x", display=False)
    assert formula is not None
    assert (formula.width, formula.ascent, formula.descent) == (1.0, 0.5, 0.25)


@pytest.mark.parametrize("breaking", ["crash", "hang", "bad", "garbage"])
def test_what_breaks_the_worker_stays_text_and_the_next_is_drawn(
    qtbot: QtBot, standin: Formulas, breaking: str
) -> None:
    standin.get(breaking, display=False)
    standin.get("y", display=False)
    qtbot.waitUntil(lambda: not standin.waits("y", display=False), timeout=30_000)
    assert standin.get("y", display=False) is not None
    assert not standin.waits(breaking, display=False)
    if breaking in ("crash", "hang"):
        assert standin.get(breaking, display=False) is None


def test_a_worker_that_cannot_start_leaves_text(qtbot: QtBot) -> None:
    formulas = Formulas(["/nonexistent/python"])
    formulas.get("x", display=False)
    qtbot.waitUntil(lambda: not formulas.waits("x", display=False), timeout=10_000)
    assert formulas.get("x", display=False) is None


def test_a_worker_with_nothing_to_do_ends(qtbot: QtBot, standin: Formulas) -> None:
    with qtbot.waitSignal(standin.drawn, timeout=20_000):
        standin.get("x", display=False)
    standin._idle.start(1)
    qtbot.waitUntil(lambda: not standin.running, timeout=10_000)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"{}",
        b'{"svg": "x", "width": 1e9, "ascent": 1, "descent": 1}',
        b'{"svg": "x", "width": 9000, "ascent": 4000, "descent": 4000}',
    ],
)
def test_an_answer_that_is_none_is_no_formula(line: bytes) -> None:
    assert formula_of(line) is None


@pytest.mark.parametrize("tex", ["x", "中"])
def test_a_picture_has_the_colour_of_the_text(qtbot: QtBot, tex: str) -> None:
    formulas = Formulas()
    with qtbot.waitSignal(formulas.drawn, timeout=60_000):
        formulas.get(tex, display=False)
    image = formulas.image(tex, display=False, em=48, colour="#ff0000", font=interface(), ratio=2.0)
    formulas.close()
    assert image is not None
    seen = {
        QColor.fromRgba(image.pixel(x, y)).name()
        for x in range(image.width())
        for y in range(image.height())
        if QColor.fromRgba(image.pixel(x, y)).alpha() == 255
    }
    assert seen == {"#ff0000"}


@pytest.mark.parametrize("depth", [0.0, 3.0, 12.0])
def test_a_picture_stands_on_the_baseline_of_its_line(qapp: QApplication, depth: float) -> None:
    document = QTextDocument()
    document.setDocumentMargin(0)
    image = QImage(20, round(9 + depth), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(QColor("red"))
    document.setHtml('HHH <img src="maths"> HHH')
    put_pictures(document, [Picture(image, 20, 9, depth, "$x$")])
    canvas = QImage(200, 60, QImage.Format.Format_RGB32)
    canvas.fill(QColor("white"))
    painter = QPainter(canvas)
    document.drawContents(painter)
    painter.end()
    rows = [y for y in range(60) for x in range(200) if canvas.pixelColor(x, y) == QColor("red")]
    letters = [y for y in range(60) for x in range(20) if canvas.pixelColor(x, y).lightness() < 90]
    assert abs(max(rows) - depth - max(letters)) <= 1
    assert document.size().height() >= max(rows)
    drawn = [Picture(image, 20, 9, depth, "$x$")]
    assert with_sources(document, (0, 99), drawn, document.toPlainText()) == "HHH $x$ HHH"
