"""The Train page in a browser: live curves, reloads, links, failures."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from digits.data.datasets import Split
from digits.recipes.recipe import Conv, Recipe
from digits.store import learning_rate, runs
from digits.store.runs import Run
from digits.store.status import DONE
from docs.scenes import draw
from tests.conftest import PATIENCE, App, new_page, until

pytestmark = pytest.mark.browser

LONG = "recipe=fast;dataset=uci;conv=64x5p,64x3p;batch_size=16;epochs=40"
GOING = re.compile(r"epoch \d+ of 40 .* images/s")
SHORT = "recipe=fast;dataset=uci;conv=8x5p;epochs=2"


@pytest.fixture
def opened(page: Page, app: App, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Page]:
    """Open the page with a set-up in its link; what trains is stopped in the end."""
    monkeypatch.setenv("DIGITS_RUNS", str(app.runs))

    def go(link: str) -> Page:
        page.goto(f"{app.url}/?{link}")
        expect(page.get_by_role("button", name="Train", exact=True)).to_be_visible()
        return page

    return go


def press_train(page: Page) -> None:
    page.get_by_role("button", name="Train", exact=True).last.click()


def press_stop(page: Page) -> None:
    """The run's Stop; Streamlit shows one of its own in the header while a script is running."""
    page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True).click()


def newest() -> Run:
    return runs.all()[0]


def test_the_curve_moves_while_it_trains_and_stop_ends_it(
    opened: Callable[[str], Page], tmp_path: Path
) -> None:
    page = opened(LONG)
    press_train(page)
    expect(page.get_by_text(GOING)).to_be_visible()
    curve = page.get_by_role("img", name=re.compile("^Loss"))
    first, before = curve.screenshot(path=tmp_path / "1.png"), _points(page)
    until(lambda: _points(page) > before, "more points on the curve")
    assert curve.screenshot(path=tmp_path / "2.png") != first
    press_stop(page)
    expect(page.get_by_text(re.compile("stopped (after|in)"))).to_be_visible()
    expect(page.get_by_text("Test accuracy", exact=True)).to_be_visible()
    assert newest().status.state == "stopped"


def test_the_curve_moves_by_looks_alone_where_the_feed_cannot_be_fetched(
    opened: Callable[[str], Page], page: Page
) -> None:
    page.route("**/static/live/*", lambda route: route.abort())
    opened(LONG)
    press_train(page)
    expect(page.get_by_text(GOING)).to_be_visible()
    before = _points(page)
    until(lambda: _points(page) > before, "more points on the curve")
    press_stop(page)
    expect(page.get_by_text(re.compile("stopped (after|in)"))).to_be_visible()


def test_a_page_opened_in_the_background_follows_the_feed_once_it_is_seen(
    opened: Callable[[str], Page], page: Page, browser: Browser
) -> None:
    opened(LONG)
    press_train(page)
    expect(page.get_by_text(GOING)).to_be_visible()
    other = new_page(browser)
    asked: list[str] = []
    other.on("request", lambda request: asked.append(request.url))
    other.add_init_script(
        "Object.defineProperty(document, 'hidden', { get: () => !window.seen, configurable: true })"
    )
    other.goto(page.url.split("?")[0] + f"?run={newest().id}")
    expect(other.get_by_text(GOING)).to_be_visible()
    other.wait_for_timeout(2000)
    assert not [url for url in asked if "/static/live/" in url]
    other.evaluate("window.seen = true")
    with other.expect_request("**/static/live/*"):
        pass
    other.context.close()
    press_stop(page)
    expect(page.get_by_text(re.compile("stopped (after|in)"))).to_be_visible()


def test_a_drawing_beside_the_curves_is_read_anew_while_the_network_learns(
    opened: Callable[[str], Page],
) -> None:
    page = opened(LONG)
    press_train(page)
    expect(page.get_by_text(GOING)).to_be_visible()
    page.get_by_role("radio", name="Your own").click()
    expect(page.get_by_text("Draw a digit, and see")).to_be_visible()
    draw(page, [(0.25, 0.15), (0.7, 0.15), (0.5, 0.6), (0.4, 0.85)])
    shares = page.get_by_role("img", name=re.compile("^Probability of each digit: 0 "))
    expect(shares).to_be_visible()
    before = shares.get_attribute("aria-label")
    until(lambda: shares.get_attribute("aria-label") != before, "other probabilities")
    press_stop(page)
    expect(page.get_by_text(re.compile("stopped (after|in)"))).to_be_visible()
    expect(shares).to_be_visible()  # of the final model
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Draw a digit, and see")).to_be_visible()


def _points(page: Page) -> int:
    """How many points the training curve of the page's own run shows, not those of earlier runs."""
    shown = """[...document.querySelectorAll('.plot')].flatMap(plot => plot.data ?? [])
      .find(trace => trace.name?.endsWith(', training'))?.x.length ?? 0"""
    return page.evaluate(shown)


def test_reloading_closing_and_moving_sliders_leave_a_run_alone(
    opened: Callable[[str], Page], browser: Browser
) -> None:
    page = opened(LONG)
    press_train(page)
    expect(page.get_by_text(GOING)).to_be_visible()
    page.reload()
    expect(page.get_by_text(GOING)).to_be_visible()
    page.get_by_role("slider", name="Epochs").press("ArrowLeft")
    expect(page.get_by_role("group", name="Epochs").get_by_text("39")).to_be_visible()
    link = page.url
    page.close()
    visitor = new_page(browser)  # somebody else, with the link
    visitor.goto(link)
    expect(visitor.get_by_text(GOING)).to_be_visible()
    press_stop(visitor)
    expect(visitor.get_by_text(re.compile("stopped (after|in)"))).to_be_visible()
    steps = newest().step_metrics()["step"]
    assert steps.tolist() == list(range(1, len(steps) + 1))
    visitor.close()


def test_a_run_is_paused_resumed_at_another_rate_kept_and_trained_on(
    opened: Callable[[str], Page],
) -> None:
    page = opened("recipe=fast;dataset=uci;conv=8x5p;batch_size=16;epochs=50")
    press_train(page)
    expect(page.get_by_text(re.compile(r"epoch \d+ of 50 .* images/s"))).to_be_visible()
    until(lambda: newest().status.epoch >= 1, "the first epoch")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_text(re.compile("Paused after epoch"))).to_be_visible()
    run = newest()
    assert run.result() is None
    page.get_by_role("button", name=re.compile(r"lr \d")).click()
    page.get_by_role("slider", name="Learning rate (peak)").last.press("ArrowLeft")
    page.get_by_role("button", name="Change", exact=True).click()
    until(lambda: learning_rate.requested(run), "the request")
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("Resume after epoch")).click()
    until(lambda: learning_rate.changes(run), "the change")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name="Stop and keep").click()
    expect(page.get_by_text(re.compile("stopped after"))).to_be_visible()
    expect(page.get_by_text(re.compile("Learning rate changed under way"))).to_be_visible()
    page.get_by_role("button", name="Train more").click()
    page.get_by_role("spinbutton", name="More epochs").fill("1")
    page.get_by_role("button", name="Train", exact=True).last.click()
    expect(page.get_by_text(re.compile("1 more epoch.* finished"))).to_be_visible()
    expect(page.get_by_text(re.compile("Forked from .* after epoch"))).to_be_visible()


def test_visitors_queue_and_see_each_other(opened: Callable[[str], Page], browser: Browser) -> None:
    first = opened(LONG)
    press_train(first)
    expect(first.get_by_role("button", name="Queue · 1")).to_be_visible()
    expect(first.get_by_text(GOING)).to_be_visible()
    second = new_page(browser)
    second.goto(first.url.split("?")[0] + f"?{SHORT}")
    expect(second.get_by_role("button", name="Queue · 1")).to_be_visible()
    press_train(second)
    expect(second.get_by_text(re.compile("queued: 1 run ahead"))).to_be_visible()
    press_stop(first)
    expect(second.get_by_text("Test accuracy", exact=True)).to_be_visible()
    second.context.close()


def test_the_link_carries_the_recipe_and_back_leaves_the_page(
    opened: Callable[[str], Page],
) -> None:
    page = opened(SHORT)
    page.get_by_role("slider", name="Epochs").press("ArrowRight")
    expect(page.get_by_text("· 3 epochs")).to_be_visible()
    page.get_by_role("button", name="Link").click()
    link = page.get_by_text("epochs=3")
    expect(link).to_be_visible()
    address = link.inner_text()
    page.goto("about:blank")
    page.goto(address)
    expect(page.get_by_text("· 3 epochs")).to_be_visible()
    page.get_by_role("slider", name="Dropout before output").press("ArrowRight")
    expect(page.get_by_text("dropout 0.05")).to_be_visible()
    page.go_back()
    expect(page).to_have_url("about:blank")


def test_a_preset_moves_the_controls_and_the_layer_table(opened: Callable[[str], Page]) -> None:
    page = opened("")
    page.get_by_role("combobox", name="Preset").click()
    page.get_by_role("option", name="Three blocks").click()
    expect(page.get_by_text("81,066 parameters")).to_be_visible()
    page.get_by_role("button", name="Network", exact=True).click()
    expect(page.get_by_role("cell", name="3 × 3 × 64")).to_be_visible()


def test_a_kernel_that_does_not_fit_is_told_at_its_block(opened: Callable[[str], Page]) -> None:
    page = opened("recipe=fast;conv=32x5p,64x3p,128x11")
    message = page.get_by_text(re.compile("11×11 kernel is larger than the 5×5 that block 3"))
    expect(message.filter(visible=True).first).to_be_visible()
    expect(page.get_by_role("button", name="Train", exact=True).last).to_be_disabled()


def test_a_diverging_run_fails_with_a_sentence(opened: Callable[[str], Page]) -> None:
    recipe = Recipe(
        dataset="uci",
        conv=(Conv(16), Conv(16)),
        dense=(32, 32),
        activation="elu",
        optimizer="sgd",
        learning_rate=100.0,
    )
    run = runs.create(recipe, "Diverging")
    page = opened(f"run={run.id}")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text(re.compile("learning rate of 100 is too high"))).to_be_visible()


@pytest.mark.parametrize("id", ["..%2F..%2Fetc%2Fpasswd", "%3Cscript%3E", "20260101-000000-abcdef"])
def test_a_hostile_or_stale_run_in_the_link_is_a_sentence(
    opened: Callable[[str], Page], id: str
) -> None:
    page = opened(f"run={id}")
    expect(page.get_by_text(re.compile("names no run|no run 20260101"))).to_be_visible()
    expect(page.get_by_role("button", name="Train", exact=True).last).to_be_enabled()


def test_a_run_with_a_torn_file_is_a_sentence(opened: Callable[[str], Page]) -> None:
    run = runs.create(Recipe(dataset="uci"), "Torn")
    (run.folder / "status.json").write_text('{"state": "runn')
    page = opened(f"run={run.id}")
    expect(page.get_by_text(re.compile(r"status\.json of run .* is damaged"))).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)
    run.delete()


def test_a_killed_server_leaves_a_run_that_one_button_resumes(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path_factory.mktemp("killed") / "runs"
    monkeypatch.setenv("DIGITS_RUNS", str(runs))
    app = App(runs)
    page = new_page(browser)
    page.goto(f"{app.url}/?{LONG}")
    press_train(page)
    expect(page.get_by_text(re.compile("epoch ([3-9]|[1-3][0-9]) of 40")).first).to_be_visible()
    below = psutil.Process(app.process.pid).children(recursive=True)
    app.process.kill()
    app.process.wait()
    assert psutil.wait_procs(below, timeout=PATIENCE)[1] == []
    link = page.url.split("?")[1]
    page.close()
    again = App(runs)
    page = new_page(browser)
    page.goto(f"{again.url}/?{link}")
    expect(page.get_by_text(re.compile(r"Interrupted after epoch \d+"))).to_be_visible()
    page.get_by_role("button", name=re.compile("Resume after epoch")).click()
    expect(page.get_by_text(GOING)).to_be_visible()
    press_stop(page)
    expect(page.get_by_text(re.compile("stopped (after|in)"))).to_be_visible()
    steps = newest().step_metrics()["step"]
    assert steps.tolist() == list(range(1, len(steps) + 1))
    page.close()
    again.close()


def test_a_recipe_file_sets_the_controls_and_three_seeds_train_as_a_group(
    opened: Callable[[str], Page],
) -> None:
    page = opened(SHORT)
    page.get_by_role("button", name="Link").click()
    upload = page.get_by_test_id("stFileUploaderDropzoneInput")
    file = {"name": "recipe.json", "mimeType": "application/json"}
    upload.set_input_files({**file, "buffer": b"{"})
    expect(page.get_by_text("This is not a recipe")).to_be_visible()
    recipe = Recipe(dataset="uci", conv=(Conv(8),), epochs=1, learning_rate=0.02, train_images=500)
    upload.set_input_files({**file, "buffer": recipe.to_json().encode()})
    expect(page.get_by_role("slider", name="Learning rate")).to_have_attribute(
        "aria-valuetext", "0.02"
    )
    expect(page.get_by_text("This is not a recipe")).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Seeds").click()
    page.get_by_role("option", name="3 runs").click()
    page.wait_for_selector("[data-test-script-state=notRunning]")
    press_train(page)
    until(lambda: len([run for run in runs.all() if run.group]) == 3, "three runs")
    group = runs.all()[:3]
    assert {run.recipe for run in group} == {replace(recipe, seed=seed) for seed in range(3)}
    assert {run.name.partition(" × ")[2] for run in group} == {f"3 · seed {n}" for n in range(3)}
    until(lambda: all(run.status.state in DONE for run in group), "their end")


def test_ten_folds_train_at_one_click_and_are_read_as_one(
    opened: Callable[[str], Page], app: App
) -> None:
    page = opened("recipe=fast;dataset=uci;conv=8x3;epochs=1;train_images=500")
    page.get_by_role("combobox", name="Seeds").click()
    page.get_by_role("option", name="10 folds").click()
    page.wait_for_selector("[data-test-script-state=notRunning]")
    press_train(page)
    until(lambda: sum(run.name.endswith("fold 10") for run in runs.all()) == 1, "ten runs")
    group = runs.all()[:10]
    assert {run.recipe.split for run in group} == {Split(fold=fold) for fold in range(1, 11)}
    until(lambda: all(run.status.state in DONE for run in group), "their end")
    page.goto(f"{app.url}/runs?compare={','.join(run.id for run in group)}")
    told = re.compile("Cross-validated accuracy .*: 1,437 images of 10 folds")
    expect(page.get_by_text(told)).to_be_visible()
    expect(page.get_by_role("combobox", name="Group by")).to_have_value("Group seeds and folds")
