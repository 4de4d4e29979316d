"""What the dashboard looks like: HTML, CSS and SVG made from a training's report.

Pure functions from data to text. Every value passes through `text` or is formatted as a number.
"""

import html

STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf8; --card: #fff; --ink: #1f1a1c; --soft: #6b6266; --line: #e4dfe0;
  --wine: #8e2342; --mark: #8e234288; --rule: #b9b0b3; }
@media (prefers-color-scheme: dark) { :root { --paper: #171416; --card: #211d1f; --ink: #f2eeef; --soft: #a89fa3;
  --line: #383235; --wine: #e58aa3; --mark: #e58aa399; --rule: #6a6064; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 3rem; }
h1 { margin: 0; font-size: 1.9rem; letter-spacing: -.02em; }
h2 { margin: 0 0 .15rem; font-size: 1.05rem; }
p { margin: 0; }
.soft, figcaption, dt { color: var(--soft); }
.grid { display: grid; gap: 1rem; margin-top: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); }
.wide { margin-top: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); }
.card { margin: 0; padding: 1.1rem 1.25rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 12px; }
.number { display: block; font-size: 2.3rem; line-height: 1.2; font-weight: 650; font-variant-numeric: tabular-nums; }
.facts { margin-top: 1rem; }
.note { margin-top: 1.5rem; border-left: 4px solid var(--wine); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: 0; }
dd { margin: 0; overflow-wrap: anywhere; }
code { font: .92em ui-monospace, SFMono-Regular, Menlo, monospace; }
svg { display: block; width: 100%; height: auto; margin-top: .6rem; }
svg text { fill: var(--soft); font-size: 12px; paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
svg .name { fill: var(--ink); }
.axis { stroke: var(--line); } .rule { stroke: var(--rule); stroke-dasharray: 4 4; }
.dot { fill: var(--mark); } .whole { fill: var(--wine); } .span { stroke: var(--wine); stroke-width: 2; }
.vague .whole { fill: var(--rule); } .vague .span { stroke: var(--rule); }
"""


def trained(report: dict, commit: str) -> str:
    """The page once a training has reported."""
    metrics = report["metrics"]
    cards = [
        ("RMSE", f"{metrics['rmse']:.2f}", "points of quality, large misses weigh more"),
        ("MAE", f"{metrics['mae']:.2f}", "points of quality off on average"),
        ("R\u00b2", f"{metrics['r2']:.2f}", f"{metrics['r2'] * 100:.0f} % of what sets the wines apart is explained"),
    ]
    numbers = "".join(
        f'<section class="card"><h2>{text(name)}</h2><span class="number">{text(value)}</span>'
        f'<p class="soft">{text(meaning)}</p></section>'
        for name, value, meaning in cards
    )
    held_out = report["held-out"]
    other = (
        ""
        if report["commit"] == commit
        else ('<p class="card note">The model was trained at another commit than the one this page runs.</p>')
    )
    return document(
        f'<p class="soft">The last training, measured on {len(held_out)} wines it had not seen</p>'
        f'<p class="soft">{version(report)} \u00b7 commit {code(report["commit"])}</p>',
        f'<div class="grid">{numbers}</div>{other}'
        f'<div class="grid wide">'
        f'<figure class="card"><h2>Predicted against actual</h2>'
        f"<figcaption>One dot a wine; on the dashed line the model is right</figcaption>{scatter(held_out)}</figure>"
        f'<figure class="card"><h2>What makes the difference</h2>'
        f"<figcaption>Points of quality for one standard deviation more, with 95&nbsp;% intervals; "
        f"grey may be nothing</figcaption>{forest(report['coefficients'])}</figure></div>"
        f'<section class="card facts"><dl>{details(report, commit)}</dl></section>',
    )


def untrained(commit: str) -> str:
    """The page before the first training."""
    return document(
        '<p class="soft">Not trained yet</p>',
        '<p class="card note">There are no numbers to show. They appear here after the training job has run: '
        f"<code>src/project/jobs/train.py</code></p>{running(commit)}",
    )


def failing(problem: str, commit: str) -> str:
    """The page when what the training wrote cannot be shown."""
    return document(
        '<p class="soft">Out of order</p>',
        f'<p class="card note">{text(problem)}. Running the training job again repairs it.</p>{running(commit)}',
    )


def document(subtitle: str, content: str) -> str:
    """The frame around every page."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Wine quality</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head>\n<body><main><header><h1>Wine quality</h1>{subtitle}</header>"
        f"{content}</main></body></html>\n"
    )


def details(report: dict, commit: str) -> str:
    """The facts below the charts."""
    wines = report["wines"]
    rows = [
        ("Model", version(report)),
        ("Trained at", text(report["trained-at"].replace("T", " ").replace("+00:00", " UTC"))),
        ("Trained on", f"{int(wines['training'])} wines, ridge strength {float(report['strength']):g}"),
        ("Training commit", code(report["commit"])),
        ("This page runs", code(commit)),
        ("Project", text(report["project"])),
    ]
    return "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)


def version(report: dict) -> str:
    """The registered model's name and version."""
    registered = report["registered"]
    return f"{text(registered['name'])} version {text(registered['version'])}" if registered else "not registered"


def running(commit: str) -> str:
    """The commit alone."""
    return f'<p class="soft" style="margin-top:1rem">This page runs {code(commit)}</p>'


def scatter(pairs: list) -> str:
    """Predicted quality over actual quality, on equal axes."""
    values = [float(value) for pair in pairs for value in pair]
    low, high = int(min(values)), int(max(values)) + 1
    size, left, top, bottom = 360, 34, 8, 40

    def across(value: float) -> float:
        return left + (value - low) / (high - low) * size

    def down(value: float) -> float:
        return top + size - (value - low) / (high - low) * size

    parts = []
    for tick in range(low, high + 1):
        x, y = across(tick), down(tick)
        parts.append(f'<line class="axis" x1="{left}" x2="{left + size}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<line class="axis" y1="{top}" y2="{top + size}" x1="{x:.1f}" x2="{x:.1f}"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{tick}</text>')
        parts.append(f'<text x="{x:.1f}" y="{top + size + 16}" text-anchor="middle">{tick}</text>')
    parts.append(f'<line class="rule" x1="{across(low)}" y1="{down(low)}" x2="{across(high)}" y2="{down(high)}"/>')
    parts += [
        f'<circle class="dot" cx="{across(actual):.1f}" cy="{down(predicted):.1f}" r="4">'
        f"<title>actual {actual:.1f}, predicted {predicted:.2f}</title></circle>"
        for actual, predicted in pairs
    ]
    parts.append(f'<text x="{left + size / 2}" y="{top + size + 34}" text-anchor="middle">actual quality</text>')
    parts.append(
        f'<text transform="translate(10 {top + size / 2}) rotate(-90)" text-anchor="middle">predicted quality</text>'
    )
    return svg(left + size + 8, top + size + bottom, "Predicted quality over actual quality", parts)


def forest(coefficients: list[dict]) -> str:
    """One row a feature: its coefficient and the interval around it, the strongest first."""
    rows = sorted(coefficients, key=lambda row: -abs(row["value"]))
    furthest = max(max(abs(bound) for bound in row["interval"]) for row in rows) or 1.0
    left, width, height, top = 120, 274, 46, 8
    bottom = top + height * len(rows)

    def across(value: float) -> float:
        return left + width / 2 + value / furthest * (width / 2 - 34)

    parts = [f'<line class="rule" x1="{across(0)}" x2="{across(0)}" y1="{top}" y2="{bottom}"/>']
    for at, row in enumerate(rows):
        low, high = row["interval"]
        y = top + height * at + height / 2
        vague = ' class="vague"' if low <= 0 <= high else ""
        parts.append(
            f'<g{vague}><text class="name" x="0" y="{y + 4}">{text(row["name"].replace("_", " "))}</text>'
            f'<line class="span" x1="{across(low):.1f}" x2="{across(high):.1f}" y1="{y}" y2="{y}"/>'
            f'<circle class="whole" cx="{across(row["value"]):.1f}" cy="{y}" r="5"/>'
            f'<text x="{across(row["value"]):.1f}" y="{y - 9}" text-anchor="middle">{signed(row["value"])}</text></g>'
        )
    parts.append(f'<text x="{across(0)}" y="{bottom + 18}" text-anchor="middle">no effect</text>')
    return svg(left + width + 8, bottom + 26, "The effect of each feature on quality", parts)


def signed(value: float) -> str:
    """A number with its sign, a typographer's minus included."""
    return f"{value:+.2f}".replace("-", "\u2212")


def svg(width: float, height: float, title: str, parts: list[str]) -> str:
    """A drawing that scales with the page."""
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{text(title)}">{"".join(parts)}</svg>'


def code(commit: str) -> str:
    """A commit, short enough to read and whole for who points at it."""
    ending = "-dirty" if commit.endswith("-dirty") and len(commit) > 18 else ""
    return f'<code title="{text(commit)}">{text(commit[:12] + ending)}</code>'


def text(value) -> str:
    """Any value as harmless HTML."""
    return html.escape(str(value))
