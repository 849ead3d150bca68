import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage, QPainter, QTextDocument
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

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
    made = asked(r"\frac{1", r"\text{中文}", r"\ce{H2O}")
    assert ["error" in answer for answer in made] == [True, True, True]


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
    "line", [b"", b"[]", b"{}", b'{"svg": "x", "width": 1e9, "ascent": 1, "descent": 1}']
)
def test_an_answer_that_is_none_is_no_formula(line: bytes) -> None:
    assert formula_of(line) is None


def test_a_picture_has_the_colour_of_the_text(qtbot: QtBot) -> None:
    formulas = Formulas()
    with qtbot.waitSignal(formulas.drawn, timeout=60_000):
        formulas.get("x", display=False)
    image = formulas.image("x", display=False, em=48, colour="#ff0000", ratio=2.0)
    formulas.close()
    assert image is not None
    seen = [
        QColor.fromRgba(image.pixel(x, y))
        for x in range(image.width())
        for y in range(image.height())
    ]
    assert any(colour.red() > 200 and colour.green() < 20 for colour in seen)


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
