"""The style sheet of the HTML page: light and dark, wide and narrow, and for paper."""

STYLE = """
:root { color-scheme: light dark;
  --ink: #1d1d1f; --quiet: #5c5c64; --paper: #fcfbf8; --card: #f4f2ec; --line: #dcd9d0;
  --accent: #1b5e9e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececf0; --quiet: #a8a8b2; --paper: #131316; --card: #1e1e23; --line: #34343b;
    --accent: #7db8ee }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 74rem; padding: 2rem 1.25rem 4rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
h1 { font-size: clamp(1.6rem, 4vw, 2.4rem); line-height: 1.15; margin: 0 0 .5rem;
  overflow-wrap: anywhere }
h2 { font-size: 1.3rem; margin: 3rem 0 .25rem; padding-top: 1.5rem;
  border-top: 1px solid var(--line) }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; overflow-wrap: anywhere }
p { max-width: 44rem; margin: .25rem 0 1rem; color: var(--quiet); overflow-wrap: anywhere }
nav { background: var(--card); border-radius: .5rem; padding: .6rem 1rem; margin: 1rem 0 0 }
nav ol { display: flex; flex-wrap: wrap; gap: .1rem 2rem; margin: 0; padding-left: 1.2rem }
a { color: var(--accent); display: inline-block; padding: .2rem 0 }
table { border-collapse: collapse; width: 100%; max-width: 44rem; margin: 0 0 1rem;
  font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .2rem .75rem .2rem 0; border-bottom: 1px solid var(--line) }
thead th { font-size: .8rem; font-weight: 400; color: var(--quiet) }
tbody th { font-weight: 400; overflow-wrap: anywhere }
tbody tr:first-child > * { font-weight: 700 }
td:nth-last-child(-n+2), thead th:last-child { text-align: right }
.bar { width: 40% }
.bar div { height: .8rem; min-width: 2px; border-radius: .2rem; background: var(--accent) }
.row { display: grid; gap: .75rem; margin: .75rem 0; align-items: start;
  grid-template-columns: repeat(var(--wide), minmax(0, 1fr)); max-width: calc(var(--wide) * 24rem) }
figure { position: relative; margin: 0; background: var(--card); border-radius: .5rem;
  overflow: hidden }
figure:not(:popover-open) { display: block; inset: auto; width: auto; height: auto; border: 0;
  padding: 0; color: inherit }
figure:not(:popover-open):has(button:focus-visible) { outline: 3px solid var(--accent) }
figure:popover-open { position: fixed; inset: 0; width: 100vw; height: 100dvh; border: 0;
  max-width: none; max-height: none; padding: 1rem; border-radius: 0; display: flex;
  flex-direction: column; gap: .5rem; background: var(--paper); color: var(--ink) }
figure:popover-open img { flex: 1; min-height: 0; object-fit: contain; image-rendering: pixelated }
figure:popover-open figcaption { font-size: 1rem; text-align: center }
figure:popover-open .scale { width: min(100%, 30rem); margin: 0 auto }
figure:popover-open button { cursor: zoom-out }
img { display: block; width: 100%; height: auto }
button { position: absolute; inset: 0; width: 100%; border: 0; padding: 0; background: none;
  cursor: zoom-in }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: -3px }
figcaption { padding: .35rem .6rem .5rem; font-size: .8rem; line-height: 1.35;
  color: var(--quiet); overflow-wrap: anywhere; white-space: pre-line }
.scale { display: flex; align-items: center; gap: .4rem; padding: .4rem .6rem 0; font-size: .75rem;
  color: var(--quiet); font-variant-numeric: tabular-nums }
.scale i { flex: 1; min-width: 1rem; height: .5rem; border-radius: .15rem }
footer { margin-top: 3rem; font-size: .8rem; color: var(--quiet); overflow-wrap: anywhere }
@media (max-width: 60rem) {
  .row { grid-template-columns: repeat(var(--medium), minmax(0, 1fr)) }
}
@media (max-width: 36rem) {
  body { padding: 1.25rem .9rem 3rem }
  .row { gap: .5rem; grid-template-columns: repeat(var(--narrow), minmax(0, 1fr)) }
  .row.odd { grid-template-columns: repeat(6, minmax(0, 1fr)) }
  .row.odd > * { grid-column: span 3 }
  .row.odd > :nth-last-child(-n+3) { grid-column: span 2 }
  figcaption { padding: .3rem .4rem .4rem; font-size: .75rem }
  .scale { padding: .3rem .4rem 0; gap: .25rem }
}
@media print {
  :root { color-scheme: light; --ink: #000; --quiet: #444; --paper: #fff; --card: #f6f6f6;
    --line: #bbb; --accent: #114a80 }
  body { padding: 0; max-width: none; font-size: 10.5pt; print-color-adjust: exact }
  nav, button { display: none }
  h2, h3 { break-after: avoid }
  h2 { margin-top: 1.5rem }
  figure, tr { break-inside: avoid }
}
"""
