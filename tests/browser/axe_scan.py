"""What axe-core finds on a page."""

from importlib.resources import files

AXE = files("axe_playwright_python").joinpath("axe.min.js")

RUN = """async (rules) => {
  const found = await axe.run(document, {resultTypes: ['violations'], ...(rules && {runOnly: rules})});
  const counts = ({id, impact}) => ['serious', 'critical'].includes(impact) || id === 'heading-order';
  return found.violations.filter(counts).flatMap(
    ({id, nodes}) => nodes.map(({target, html, any}) => [id, target.join(' '), html.slice(0, 160), any[0]?.message]));
}"""


def scan(page, rules=None):
    """Serious and critical violations, and headings that skip a level; with `rules`, of these alone."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    return page.evaluate(RUN, rules)


def scan_both_themes(page):
    """All rules, and those of colours in the other theme too."""
    found = scan(page)
    page.click("#theme")
    found += scan(page, ["color-contrast"])
    page.click("#theme")
    return found
