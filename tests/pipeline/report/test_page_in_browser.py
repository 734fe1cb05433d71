"""The page in a real browser (Debian's chromium): what is pointed at, switched, sorted, turned and saved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, executable
from fake_results import write_study
from fake_structures import with_structures

from pipeline import report

pytestmark = pytest.mark.skipif(executable() is None, reason="no chromium here (Debian: apt-get install chromium)")

SECTIONS = ("answer", "result", "structure", "comparison", "mechanism", "macro", "activity", "truth", "limits")
MORE = ("recordings", "quality", "methods", "parameters", "glossary")
# Contrast of every text with what is behind it, as WCAG 2 defines it.
CONTRAST = """(() => {
  const numbers = color => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      if (color !== "rgba(0, 0, 0, 0)" && color !== "transparent") return numbers(color);
    }
    return [255, 255, 255];
  };
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || ["STYLE", "SCRIPT", "title", "OPTION"].includes(element.tagName)) continue;
    if (!element.getClientRects().length) continue;
    const style = getComputedStyle(element), drawn = element.namespaceURI.endsWith("svg");
    const [a, b] = [light(numbers(drawn ? style.fill : style.color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(`${text.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return found;
})()"""
# Texts of a panel that lie on each other, or leave it.
COLLISIONS = """(() => {
  const found = [];
  for (const panel of document.querySelectorAll(".panel:not(.off)")) {
    const frame = panel.getBoundingClientRect();
    if (!frame.width) continue;
    const texts = [...panel.querySelectorAll("text")].filter(t => !t.closest("[data-v]"));
    const steep = t => (t.getAttribute("transform") || "").startsWith("rotate(-3");
    const boxes = texts.map(t => [t.textContent, t.getBoundingClientRect(), steep(t)]);
    boxes.forEach(([a, p, tilted], i) => {
      if (p.left < frame.left - 3 || p.right > frame.right + 3 || p.top < frame.top - 3 || p.bottom > frame.bottom + 3)
        found.push(`${panel.getAttribute("aria-label")}: "${a}" leaves it`);
      for (const [b, q, also] of boxes.slice(i + 1)) {
        const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
        const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
        if (!(tilted && also) && wide > 1.5 && high > 3)
          found.push(`${panel.getAttribute("aria-label")}: "${a}" and "${b}"`);
      }
    });
  }
  return found;
})()"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = with_structures(write_study(tmp_path_factory.mktemp("browser"), subjects=2))
    made.parameters["study"] = "<script>window.taken = 1</script>"
    return report.build(made.results, made.parameters, made.failures, made.windows, made.recordings)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


@pytest.fixture
def shown(browser: Browser, page: Path) -> Browser:
    browser.open(page, prefers_color_scheme="light")
    browser.run('document.documentElement.style.scrollBehavior = "auto"')
    return browser


def centre(browser: Browser, selector: str) -> tuple[float, float]:
    """Scroll an element into view and return its middle."""
    script = f"""new Promise(done => {{ const e = document.querySelector({json.dumps(selector)});
        e.scrollIntoView({{block: "center"}}); const b = e.getBoundingClientRect();
        setTimeout(() => done([b.left + b.width / 2, b.top + b.height / 2]), 150) }})"""
    x, y = browser.run(script)
    return x, y


def test_nothing_is_fetched_nothing_fails_and_every_section_is_there(browser: Browser, page: Path) -> None:
    browser.requests.clear()
    browser.errors.clear()
    browser.open(page)
    assert browser.errors == []
    assert browser.requests == [page.resolve().as_uri()]
    assert browser.run("window.taken") is None
    height = "[s.id, s.getBoundingClientRect().height]"
    heights = browser.run(f'Object.fromEntries([...document.querySelectorAll("section")].map(s => {height}))')
    assert set(SECTIONS + MORE) <= set(heights)
    assert all(height > 40 for height in heights.values())
    metrics = {m["name"]: m["value"] for m in _metrics(browser)}
    assert metrics["TaskDuration"] < 2.0  # of the processor: the machine may have other things to do
    assert page.stat().st_size < 10e6


def _metrics(browser: Browser) -> list[dict[str, object]]:
    browser.call("Performance.enable")
    browser.call("Page.reload")
    browser.run("new Promise(done => setTimeout(done, 100))")
    return browser.call("Performance.getMetrics")["metrics"]


def test_the_first_screen_answers(shown: Browser) -> None:
    asked = shown.run('[...document.querySelectorAll("#answer dt")].map(e => e.textContent)')
    assert asked[:4] == ["Which scale?", "What does the state do?", "How sure?", "What would change it?"]
    bottom = shown.run('document.querySelector("#answer .panel").getBoundingClientRect().top')
    assert bottom < 900  # the figure begins on the screen


def test_a_mark_tells_its_value_to_the_mouse_and_to_the_keyboard(shown: Browser) -> None:
    shown.point(*centre(shown, '#figure-scales .panel:not(.off) .c0.m[data-condition="awake"] circle'))
    told = shown.run('document.getElementById("tip").textContent')
    assert told.startswith("m1, awake, 4 micro units: 0.")
    assert "ibit [" in told
    assert not shown.run('document.getElementById("tip").hidden')
    shown.run('document.querySelector("#figure-activity .panel").focus()')
    seen = []
    for _ in range(3):
        shown.press("ArrowRight")
        seen.append(shown.run('document.getElementById("tip").textContent'))
    assert len(set(seen)) == 3
    assert all("Hz" in text for text in seen)
    shown.press("Escape")
    assert shown.run('document.getElementById("tip").hidden')


def test_conditions_scales_and_measures_are_switched(shown: Browser) -> None:
    def count(selector: str) -> int:
        every = f'[...document.querySelectorAll("#figure-scales {selector}")]'
        return int(shown.run(f"{every}.filter(e => e.getClientRects().length).length"))

    awake = '.m[data-condition=\\"awake\\"]'
    before, panels = count(awake), count(".panel")
    assert before > 0
    shown.run("""document.querySelector('#figure-scales [data-hide="condition"][value="awake"]').click()""")
    assert count(awake) == 0
    assert count('.m[data-condition=\\"recovery\\"]') > 0
    shown.run("""document.querySelector('#figure-scales [data-hide="condition"][value="awake"]').click()""")
    assert count(awake) == before
    shown.run("""document.querySelector('#figure-scales [data-hide="scale"][value="2 macro units"]').click()""")
    assert 0 < count(".panel") < panels
    shown.run("""(() => { const pick = document.querySelector('#figure-scales [data-pick="measure"]');
        pick.value = "effective_information"; pick.dispatchEvent(new Event("change")) })()""")
    assert count(".panel") == 1
    assert count('.panel[data-measure=\\"effective_information\\"]') == 1


def test_tables_are_sorted_as_numbers(shown: Browser) -> None:
    shown.run('for (const d of document.querySelectorAll("details")) d.open = true')
    head = "#comparison table:first-of-type thead th.n:nth-of-type(7)"

    def column() -> list[float]:
        return [
            float(text.replace("−", "-"))
            for text in shown.run(
                '[...document.querySelector("#comparison table").tBodies[0].rows].map(r => r.cells[6].textContent)'
            )
        ]

    before = column()
    shown.run(f"document.querySelector({json.dumps(head)} + ' button').click()")
    assert column() == sorted(before)
    assert shown.run(f"document.querySelector({json.dumps(head)}).getAttribute('aria-sort')") == "ascending"
    shown.run(f"document.querySelector({json.dumps(head)} + ' button').click()")
    assert column() == sorted(before, reverse=True)


def test_structures_turn_by_keyboard_and_mouse_and_tell_their_purviews(shown: Browser) -> None:
    def places() -> list[str]:
        parts = '[...document.querySelectorAll("#figure-structures .panel:not(.off) [data-v]")]'
        return shown.run(f'{parts}.map(e => e.getAttribute(e.tagName == "path" ? "d" : "transform"))')

    flat = places()
    x, y = centre(shown, "#figure-structures .panel")
    shown.run('document.querySelector("#figure-structures .panel").focus()')
    shown.press("ArrowRight")
    turned = places()
    assert sum(a != b for a, b in zip(flat, turned, strict=True)) > 0.9 * len(flat)
    shown.press("ArrowLeft")
    close = [
        abs(float(a) - float(b)) < 0.2
        for one, other in zip(flat, places(), strict=True)
        for a, b in zip(*(_numbers(text) for text in (one, other)), strict=True)
    ]
    assert all(close)
    shown.point(x, y, "mousePressed")
    shown.call("Input.dispatchMouseEvent", type="mouseMoved", x=x + 60, y=y + 20, button="left", buttons=1)
    shown.call("Input.dispatchMouseEvent", type="mouseReleased", x=x + 60, y=y + 20, button="left")
    assert places() != flat
    shown.press("n")
    assert "φ" in shown.run('document.getElementById("tip").textContent')
    every = shown.run('[...document.querySelectorAll("#figure-structures .m title")].map(e => e.textContent).join("|")')
    for word in ("2-relation, φ", "3-relation, φ", "cause e", "effect e", "mechanism e"):
        assert word in every, word


def _numbers(text: str) -> list[str]:
    return text.replace("M", " ").replace("L", " ").replace("Z", " ").replace("translate(", "").replace(")", "").split()


def test_figures_and_tables_are_saved(shown: Browser) -> None:
    for selector, name in (
        ("#figure-scales [data-save=csv]", "scales.csv"),
        ("#figure-scales [data-save=svg]", "scales.svg"),
        ("#comparison .tabled [data-save=csv]", "comparison-1.csv"),
        ("#methods [data-save=md]", "methods.md"),
    ):
        shown.run(f"document.querySelector({json.dumps(selector)}).click()")
        saved, size = shown.run("document.documentElement.dataset.saved").split()
        assert saved == name
        assert int(size) > 200


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_texts_can_be_read_and_do_not_collide(browser: Browser, page: Path, theme: str, width: int) -> None:
    browser.open(page, width=width, prefers_color_scheme=theme)
    browser.run('for (const d of document.querySelectorAll("details")) d.open = true')
    assert browser.run("getComputedStyle(document.documentElement).colorScheme") == theme
    assert browser.run(CONTRAST) == []
    assert browser.run(COLLISIONS) == []
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")


def test_the_theme_is_the_readers_until_a_button_says_otherwise(shown: Browser) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light = shown.run(paper)
    shown.run('document.querySelector(".theme").click()')
    assert shown.run(paper) != light
    shown.run('document.querySelector(".theme").click()')
    assert shown.run(paper) == light


def test_everything_is_reached_by_keyboard(shown: Browser) -> None:
    shown.run("document.activeElement.blur()")
    reached = []
    for _ in range(12):
        shown.press("Tab")
        reached.append(
            shown.run(
                "(e => [e.className?.baseVal ?? e.className, e.tagName, getComputedStyle(e).outlineStyle])"
                "(document.activeElement)"
            )
        )
    assert reached[0][0] == "skip"
    assert ["theme", "BUTTON", "solid"] in reached
    assert ["panel", "svg", "solid"] in reached
    assert all(outline == "solid" for *_, outline in reached)
    named = '!(e.textContent.trim() || e.getAttribute("aria-label"))'
    touched = 'document.querySelectorAll("button, select, a, .panel, .table")'
    unnamed = shown.run(f"[...{touched}].filter(e => {named}).length")
    assert unnamed == 0


def test_on_paper_there_is_all_but_what_can_be_touched(shown: Browser, tmp_path: Path) -> None:
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    shown.call("Emulation.setEmulatedMedia", media="print", features=dark)
    assert shown.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    shown.call("Emulation.setDeviceMetricsOverride", width=718, height=1000, deviceScaleFactor=1, mobile=False)
    assert shown.run("document.documentElement.scrollWidth") <= 718  # A4 without its margins
    assert shown.run('[...document.querySelectorAll(".save, .pick, nav")].every(e => !e.getClientRects().length)')
    assert shown.run('document.querySelector("#figure-structures .panel").getClientRects().length') == 1
    shown.printed(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").stat().st_size > 50_000


def test_without_its_script_the_page_shows_the_same_figures(browser: Browser, page: Path) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(page)
        root = browser.call("DOM.getDocument", depth=0)["root"]["nodeId"]
        panels = browser.call("DOM.querySelectorAll", nodeId=root, selector=".panel:not(.off)")["nodeIds"]
        assert len(panels) > 15
        save = browser.call("DOM.querySelector", nodeId=root, selector=".save")["nodeId"]
        with pytest.raises(AssertionError, match="box model"):
            browser.call("DOM.getBoxModel", nodeId=save)
        assert browser.call("DOM.getBoxModel", nodeId=panels[0])["model"]["height"] > 50
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
