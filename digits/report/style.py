"""The look of the report: light or dark, as wide as a screen or a phone, and light on paper."""

LIGHT = ("#1666c0", "#c2410c", "#15803d", "#7e22ce", "#b91c1c", "#0e7490", "#a16207", "#475569")
DARK = ("#6ea8fe", "#fb923c", "#4ade80", "#c084fc", "#f87171", "#22d3ee", "#facc15", "#94a3b8")
CURVES = len(LIGHT)  # colors of curves: var(--curve0) and on


def _curve_colors(colors: tuple[str, ...]) -> str:
    return " ".join(f"--curve{number}: {color};" for number, color in enumerate(colors))


COLORS = f"""
:root {{ --text: #1f2328; --faint: #57606a; --page: #fff; --box: #f6f8fa; --rule: #d8dee4;
  {_curve_colors(LIGHT)} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ color-scheme: dark;
  --text: #e6e9ed; --faint: #a3adb8; --page: #16191d; --box: #22272e; --rule: #3a424b;
  {_curve_colors(DARK)} }} }}
"""
LAYOUT = """
body { font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--page);
  max-width: 1080px; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
h1 { margin: 0 } h2 { margin: 1.8rem 0 .5rem; font-size: 1.15rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal }
th, td { padding: .15rem .6rem; border-bottom: 1px solid var(--rule); text-align: left }
th:first-child { position: sticky; left: 0; background: var(--page) }
table:not(.matrix) th:first-child { min-width: 8rem; overflow-wrap: anywhere }
.names th, .names td { min-width: 4.5rem; overflow-wrap: anywhere }
.matrix td, .matrix th { text-align: right; padding: .15em .45em; min-width: 2em }
.charts, .digits { display: flex; flex-wrap: wrap; gap: 1rem }
figure { margin: 0 } .charts figure { flex: 1 1 460px; max-width: 520px }
.digits figure { width: 90px } .digits figcaption { font-size: .8rem }
figcaption ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap;
  gap: 0 1rem; font-size: .85rem } .key { width: 24px; height: 4px; margin-right: .4rem;
  vertical-align: middle }
svg text { font-size: 11px; fill: var(--faint) } svg path { stroke-width: 2 }
.grid { stroke: var(--rule) } small { color: var(--faint) }
.notes, pre { white-space: pre-wrap; background: var(--box); padding: .7rem; border-radius: 6px }
pre { font-size: 12px }
@media (max-width: 480px) { svg text { font-size: 14px }
  .matrix { font-size: 13px } .matrix td, .matrix th { padding: .15em .2em; min-width: 1.5em } }
@media print { * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  body { margin: 0; max-width: none; font-size: 10pt } h2, h2 + p, .digits { break-after: avoid }
  .scroll { overflow: visible } .names th, .names td { min-width: 0; padding: .15rem .2rem }
  figure, tr, .matrix, .notes { break-inside: avoid } .charts figure { flex-basis: 40% } }
"""
STYLE = COLORS + LAYOUT
