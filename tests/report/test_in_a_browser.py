"""The HTML report as a reviewer opens it: at a desk, on a phone, in the dark, on paper, by keyboard, without script."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_html
from jinja2 import Environment as Templates
from jinja2 import FileSystemLoader
from playwright.sync_api import ViewportSize

from readiness.environment import Environment, Settings
from readiness.report import html
from readiness.report.document import build
from tests.report import examples
from verification.probes.browser import started

FRAME = Path(pytest_html.__file__).parent / "resources"
PHONE = ViewportSize(width=360, height=760)
OUTCOMES = ("failed", "passed", "skipped", "xfailed", "xpassed", "error", "rerun", "retried")
SMALLEST = 24  # CSS pixels of whatever is pressed; WCAG 2.2, 2.5.8


def framed(fragment, file):
    """What pytest-html makes of it; tests/plugin/test_report.py sees that it really does."""
    frame = Templates(loader=FileSystemLoader(FRAME), autoescape=True).get_template("index.jinja2")
    data = '{"environment": {}, "tests": {}, "renderCollapsed": ["passed"], "initialSort": "result", "title": "t"}'
    page = frame.render(
        title="Verification",
        styles=(FRAME / "style.css").read_text(),
        running_state="finished",
        self_contained=True,
        outcomes={name: {"label": name, "value": 0} for name in OUTCOMES},
        test_data=data,
        table_head=["<th>Result</th>"],
        additional_summary={"prefix": [fragment], "summary": [], "postfix": []},
    )
    file.write_text(page, encoding="utf-8")
    html.correct(file)


@pytest.fixture(scope="module")
def browser(session):
    with started(Environment(Settings("staging", "s", "us-east-1"), session), "file:///") as browser:
        yield browser


@pytest.fixture
def show(make, tmp_path):
    """The path of a report of that kind."""

    def show(name):
        run = examples.kind(make, name, tmp_path / "history")
        file = tmp_path / "verification.html"
        framed(html.summary(build(run), run.pictures, folder=tmp_path, suite=tmp_path), file)
        return str(file)

    return show


@pytest.mark.parametrize("name", ["failing", "much-at-once", "emulated-staging"])
def test_axe_finds_nothing_by_day_and_by_night_and_the_script_works(browser, show, name):
    with browser.visit(show(name)) as visit:
        visit.page.locator("#open-all").click()
        for dark in (False, True):
            visit.prefer(dark=dark)
            assert visit.axe() == []
        assert visit.complaints == []


@pytest.mark.parametrize("name", examples.KINDS)
def test_on_a_phone_the_first_screen_says_what_is_wrong_and_nothing_is_cut_off(browser, show, name):
    with browser.visit(show(name), screen=PHONE, phone=True) as visit:
        verdict = visit.page.locator("h1:visible")
        assert visit.shows(verdict)
        assert verdict.count() == 1
        box = visit.page.locator(".advice").bounding_box()
        assert box["y"] + box["height"] < PHONE["height"] / 2
        assert visit.page.locator("main h2").first.bounding_box()["y"] < PHONE["height"]
        visit.page.locator("#open-all").click()
        assert visit.overflow() == ""
        small = [
            target
            for target in visit.targets()
            if target.height < SMALLEST and not target.what.startswith(("a ", "input"))
        ]
        assert small == []


def test_filters_hide_what_is_not_chosen_even_without_a_script(browser, show):
    page = browser.engine.new_context(java_script_enabled=False).new_page()
    page.goto(f"file://{show('failing')}")
    items = page.locator("details.item")

    def shown():
        return sum(item.is_visible() for item in items.all())

    assert shown() == len(examples.ITEMS)
    page.locator("#outcome-pass").uncheck()
    assert shown() == 4
    page.locator("#severity-critical").uncheck()
    assert shown() == 3
    page.locator("#section-cloudfront").uncheck()
    assert shown() == 2
    page.locator("#outcome-pass").check()
    page.locator("#severity-critical").check()
    assert not page.locator("#open-all").is_visible()
    page.context.close()


def test_by_keyboard_an_item_is_reached_and_opened(browser, show):
    with browser.visit(show("failing")) as visit:
        page = visit.page
        page.wait_for_load_state()
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "Skip to every item"
        page.get_by_role("link", name="Evidence of SEC-10").focus()
        page.keyboard.press("Enter")
        page.locator("#SEC-10 pre").first.wait_for(state="visible")
        page.locator("#outcome-fail").focus()
        page.keyboard.press("Space")
        assert (
            page.get_by_role("status").inner_text()
            == f"{len(examples.ITEMS) - 2} of {len(examples.ITEMS)} items shown"
        )
        page.evaluate("location.hash = '#INF-07'")
        page.wait_for_function("document.querySelector('#INF-07').open")
        assert page.locator("#INF-07").is_visible(), "a link shows what a filter hid"


def test_on_paper_it_is_black_on_white_without_controls_and_whatever_a_filter_hides(browser, show):
    with browser.visit(show("failing")) as visit:
        page = visit.page
        page.wait_for_load_state()
        page.locator("#outcome-pass").uncheck()
        page.emulate_media(media="print", color_scheme="dark")
        assert not page.locator(".choose").is_visible()
        assert page.locator("#CODE-01").is_visible()
        colours = "getComputedStyle(document.body).backgroundColor + getComputedStyle(document.body).color"
        assert page.evaluate(colours) == "rgb(255, 255, 255)rgb(0, 0, 0)"
        assert page.locator("article .do").first.is_visible()
