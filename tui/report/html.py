"""A page as one HTML file: no script, no font, no picture and no style from anywhere else."""

from engine.model.secrets import masked
from tui.report.charts import chart_svg, lanes_svg, safe
from tui.report.page import Chart, Lanes, Page, Section, Table

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2128; --dim: #5c6570; --rule: #d5dae0;
  --price: #1f5fa8; --stop: #b3261e; --entry: #6b7280; --equity: #1f5fa8; --good: #1b6e3c;
  --bad: #b3261e; --busy: #8a5a00; --venue: #bfe3cb; --local: #f2dda4; --bare: #f2b8b5;
  --gone: #d8d8de; --buy: #1b6e3c; --sell: #b35900; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181d; --ink: #e3e7ec; --dim: #9aa4b0;
  --rule: #333b45; --price: #7fb4f0; --stop: #ff8a80; --entry: #a0a8b4; --equity: #7fb4f0;
  --good: #7fd19b; --bad: #ff8a80; --busy: #e8bf6a; --venue: #1f4a30; --local: #57451a;
  --bare: #6e2623; --gone: #3a3f48; --buy: #7fd19b; --sell: #ffb36b; } }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif;
  max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.lead { font-size: 1.05rem; } table { border-collapse: collapse; width: 100%; margin: .6rem 0; }
.wide { overflow-x: auto; }
th, td { text-align: left; padding: .18rem .7rem .18rem 0; border-bottom: 1px solid var(--rule);
  vertical-align: top; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
th { color: var(--dim); font-weight: 600; } td:first-child { white-space: nowrap; }
tr.bad td { color: var(--bad); } tr.good td { color: var(--good); }
tr.busy td { color: var(--busy); } p.note { color: var(--dim); }
svg { width: 100%; height: auto; margin: .4rem 0; } svg text { fill: var(--dim); font-size: 12px; }
svg text.word { fill: var(--ink); } .grid { stroke: var(--rule); stroke-width: 1; }
.line { fill: none; stroke-width: 1.8; } .line.price, .line.equity { stroke: var(--price); }
.line.stop { stroke: var(--stop); stroke-dasharray: 7 3; }
.line.entry { stroke: var(--entry); stroke-dasharray: 2 4; }
rect.venue { fill: var(--venue); } rect.local { fill: var(--local); }
rect.bare { fill: var(--bare); stroke: var(--bad); } rect.gone { fill: var(--gone); }
rect.plain { fill: var(--rule); } polygon.buy { fill: var(--buy); }
polygon.sell { fill: var(--sell); } .key { color: var(--dim); font-size: .85rem; }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def text(value: str) -> str:
    """Foreign text in the page: without secrets, escaped."""
    return safe(masked(value))


def html_page(page: Page) -> str:
    """The whole file."""
    body = "\n".join(_section(section) for section in page.sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{text(page.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{text(page.title)}</h1>\n<p class="lead">{text(page.lead)}</p>\n{body}\n'
        "</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    parts = "\n".join(_part(part) for part in section.parts)
    return f"<section>\n<h2>{text(section.title)}</h2>\n{parts}\n</section>"


def _part(part: str | Table | Chart | Lanes) -> str:
    match part:
        case Table():
            return _table(part)
        case Chart():
            return f"{chart_svg(part)}\n{_key(part)}"
        case Lanes():
            return lanes_svg(part)
        case _:
            return f'<p class="note">{text(part)}</p>'


def _key(chart: Chart) -> str:
    """What the lines are, in words: colour alone says nothing to some."""
    shapes = {"stop": "dashed", "entry": "dotted"}
    names = [f"{line.label} ({shapes.get(line.tone, 'full')} line)" for line in chart.lines]
    names += ["▲ bought, ▼ sold"] if chart.marks else []
    names += list(dict.fromkeys(f"shaded: {span.word}" for span in chart.spans))
    return f'<p class="key">{text("; ".join(names))}</p>'


def _table(table: Table) -> str:
    head = "".join(f"<th>{text(title)}</th>" for title in table.titles)
    rows = []
    for number, row in enumerate(table.rows):
        tone = table.tones[number] if number < len(table.tones) else "plain"
        cells = "".join(f"<td>{text(cell)}</td>" for cell in row)
        rows.append(f'<tr class="{safe(tone)}">{cells}</tr>')
    top = f"<thead><tr>{head}</tr></thead>" if any(table.titles) else ""
    return f'<div class="wide"><table>{top}<tbody>\n{"".join(rows)}\n</tbody></table></div>'
