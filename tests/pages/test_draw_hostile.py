"""The Draw page says a sentence whatever a browser sends as its canvas."""

import base64
import io
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.conftest import PATIENCE, ROOT


def picture(side: int) -> str:
    png = io.BytesIO()
    Image.new("RGBA", (side, side)).save(png, "PNG")
    return f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"


@pytest.mark.parametrize(
    "state",
    [
        {"drawing": [1]},
        {"drawing": {"raw": {"objects": []}, "data": 5}},
        {"drawing": {"raw": {"objects": []}, "data": "data:image/png;base64,x"}},
        {"drawing": {"raw": {"objects": []}, "data": picture(900)}},
        {"drawing": {"raw": None, "data": picture(420)}},
        {"drawing": {"raw": {"objects": [{"path": "x"}]}, "data": picture(420)}},
        {"drawing": {"raw": {"objects": []}, "data": None}, "backgroundFit": 5},
    ],
)
def test_what_is_no_drawing_is_answered_in_a_sentence(
    state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITS_SCHEDULER", "tcp://127.0.0.1:9")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    app.switch_page("pages/draw.py").run()
    app.session_state["draw-canvas-0-280"] = state
    app.run()
    assert not app.exception
    assert any("Clear the canvas and draw again." in error.value for error in app.error)
