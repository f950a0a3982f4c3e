"""How the class page looks and how it sorts: one style sheet and one small script, both part of the page.

Blue and orange, which colour-blind people can tell apart; never colour alone. The script only sorts, opens what a link
points to, and opens or closes everything: without it the page still says all it has to say.
"""

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --soft: #5a5a5a; --paper: #fff; --line: #d9d9d9; --tint: #f4f5f7;
  --good: #0072b2; --bad: #b34700; --track: #dfe3e8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --soft: #a9adb3; --paper: #16181b; --line: #3a3e44;
  --tint: #202328; --good: #56b4e9; --bad: #f0a15e; --track: #3a3e44; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem; max-width: 84rem; color: var(--ink); background: var(--paper);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0 0 .2rem; font-size: 1.6rem; overflow-wrap: anywhere; }
h2 { margin: 2.2rem 0 .6rem; font-size: 1.25rem; }
h3 { margin: 1.6rem 0 .3rem; font-size: 1.05rem; }
p { margin: .3rem 0; max-width: 60rem; }
a { color: var(--good); }
.soft { color: var(--soft); }
.alert { margin: 1rem 0; padding: .6rem .9rem; border: 1px solid var(--bad); border-left-width: 6px; }
.alert h2 { margin: 0 0 .2rem; font-size: 1.05rem; color: var(--bad); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .4rem; color: var(--soft); }
th, td { padding: .22rem .5rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th.t, td.t { text-align: left; overflow-wrap: anywhere; }
thead th { position: sticky; top: 0; padding: 0; background: var(--tint); vertical-align: bottom; }
thead button { width: 100%; padding: .35rem .5rem; border: 0; font: inherit; font-weight: 600; color: inherit;
  background: none; text-align: inherit; cursor: pointer; white-space: nowrap; }
thead button:hover, thead button:focus-visible { text-decoration: underline; outline: 2px solid var(--good);
  outline-offset: -2px; }
thead button::after { content: "\\2195"; padding-left: .25em; opacity: .35; }
th[aria-sort=ascending] button::after { content: "\\2191"; opacity: 1; }
th[aria-sort=descending] button::after { content: "\\2193"; opacity: 1; }
tbody th { font-weight: 400; min-width: 9rem; max-width: 18rem; }
tbody tr:hover { background: var(--tint); }
tbody th a { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
td.status { max-width: 16rem; }
.open { color: var(--bad); }
.exercise { display: grid; grid-template-columns: 19rem 1fr; gap: 0 1.5rem; padding: .5rem 0;
  border-top: 1px solid var(--line); break-inside: avoid; }
.exercise h4 { margin: 0; font-size: 1rem; font-weight: 600; }
.exercise ol { margin: 0; padding-left: 1.2rem; }
.bar { display: block; width: 100%; height: .7rem; margin: .3rem 0 .1rem; }
.bar .all { fill: var(--track); }
.bar .part { fill: var(--good); }
.names a { display: inline-block; max-width: 16rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  vertical-align: bottom; }
details { border-top: 1px solid var(--line); padding: .3rem 0; content-visibility: auto;
  contain-intrinsic-size: auto 2.1rem; }
summary { cursor: pointer; overflow-wrap: anywhere; }
details:target > summary { font-weight: 700; }
pre { margin: .3rem 0 .8rem; padding: .4rem .7rem; border-left: 3px solid var(--line); background: var(--tint);
  white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.4 ui-monospace, Consolas, Menlo, monospace; }
.tools button { font: inherit; }
code { font: 13px/1.4 ui-monospace, Consolas, Menlo, monospace; }
@media (max-width: 64rem) { .wide { overflow-x: auto; } }
@media (max-width: 50rem) { .exercise { grid-template-columns: 1fr; } body { padding: .7rem; } }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff; --line: #bbb; --tint: #fff;
    --good: #0072b2; --bad: #b34700; --track: #ddd; }
  @page { margin: 12mm; }
  body { padding: 0; max-width: none; font-size: 9.5pt; }
  a { color: inherit; text-decoration: none; }
  .wide { overflow: visible; }
  thead th { position: static; }
  thead button { padding: .2rem .3rem; }
  thead button::after, .tools { display: none; }
  tr, pre { break-inside: avoid; }
  th, td { padding: .1rem .3rem; }
  h2, h3, h4 { break-after: avoid; }
  .bar .all, .bar .part { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  details { content-visibility: visible; }
  details:not([open]), .each:not(:has(details[open])) { display: none; } }
""".strip()

SCRIPT = """
"use strict";
const table = document.querySelector("table.sortable");
if (table) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const words = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const value = (row, at) => row.cells[at].dataset.v ?? row.cells[at].textContent;
  const order = (a, b) => a === "" || b === "" ? (a === "") - (b === "") : null;
  heads.forEach((head, at) => head.querySelector("button").addEventListener("click", () => {
    const was = head.getAttribute("aria-sort"), number = head.dataset.kind === "number";
    const first = number ? "descending" : "ascending";
    const now = was === "none" ? first : was === "ascending" ? "descending" : "ascending";
    const turn = now === "ascending" ? 1 : -1;
    heads.forEach(other => other.setAttribute("aria-sort", other === head ? now : "none"));
    body.append(...[...body.rows].sort((one, two) => {
      const a = value(one, at), b = value(two, at);
      return order(a, b) ?? turn * (number ? a - b : words.compare(a, b));
    }));
  }));
}
const all = [...document.querySelectorAll("details")];
const show = () => {
  const target = document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "DETAILS") { target.open = true; target.scrollIntoView(); }
};
addEventListener("hashchange", show);
document.addEventListener("click", event => {
  const link = event.target.closest("a[href^='#']");
  if (link && link.hash === location.hash) show();
});
document.querySelectorAll("[data-open]").forEach(button =>
  button.addEventListener("click", () => all.forEach(one => { one.open = button.dataset.open === "yes"; })));
show();
""".strip()
