"use strict";
const rows = [...document.querySelectorAll("#cells tbody tr:not(.cube)")];
const cellsOf = new Map(rows.map((row) => [row, [...row.querySelectorAll("a.cell")]]));
const heads = [...document.querySelectorAll("#cells tbody tr.cube")];
const byId = (id) => document.getElementById(id);
const [text, verdict, platform] = ["text", "verdict", "platform"].map(byId);

// Filters
function fits(cell) {
  const state = cell.dataset.state;
  const column = cell.parentNode.dataset.column;
  if (platform && platform.value && column !== undefined && column !== platform.value) return false;
  return !verdict.value || state === verdict.value || (verdict.value === "open" && state !== "good");
}
let shownColumn = "";
function filter() {
  const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = platform ? platform.value : "";
  let seen = 0;
  for (const row of rows) {
    const cells = cellsOf.get(row).filter(fits);
    const hidden = !cells.length || !words.every((word) => row.dataset.text.includes(word));
    if (row.hidden !== hidden) row.hidden = hidden;
    seen += row.hidden ? 0 : cells.length;
  }
  for (const row of heads) {
    row.hidden = true;
    for (let next = row.nextElementSibling; next && !next.matches(".cube"); next = next.nextElementSibling)
      if (!next.hidden) row.hidden = false;
  }
  if (chosen !== shownColumn)
    for (const cell of document.querySelectorAll("#cells [data-column]"))
      cell.hidden = Boolean(chosen) && cell.dataset.column !== chosen;
  shownColumn = chosen;
  const narrowed = words.length || verdict.value || chosen;
  byId("seen").textContent = narrowed ? `${seen} shown` : "";
  byId("nothing").hidden = seen > 0;
}
for (const each of [text, verdict, platform]) if (each) each.addEventListener("input", filter);
byId("filters").addEventListener("submit", (event) => event.preventDefault());

// One case
let last = null;
function opened() {
  return document.querySelector("section.case:target");
}
function show() {
  const section = opened();
  const packed = section?.querySelector("script");
  if (packed) section.innerHTML = packed.textContent; // Escaped when the page was written.
  if (section) section.querySelector(".panel").focus();
  else if (last) last.focus();
}
document.addEventListener("click", (event) => {
  const cell = event.target.closest("a.cell");
  if (cell) last = cell;
  if (event.target.matches("section.case")) location.hash = "none";
});
addEventListener("hashchange", show);
show();

// Keyboard
function visible() {
  return rows.filter((row) => !row.hidden).flatMap((row) =>
    cellsOf.get(row).filter((cell) => !cell.parentNode.hidden && fits(cell)));
}
function step(by) {
  const cells = visible();
  if (!cells.length) return;
  const section = opened();
  const at = section ? cells.findIndex((cell) => cell.hash === `#${section.id}`) : cells.indexOf(document.activeElement);
  const next = cells[at < 0 ? (by > 0 ? 0 : cells.length - 1) : Math.min(cells.length - 1, Math.max(0, at + by))];
  last = next;
  if (section) location.replace(next.hash);
  else next.focus();
}
function move(by) {
  const cell = document.activeElement;
  const column = [...cell.parentNode.parentNode.children].indexOf(cell.parentNode);
  const open = rows.filter((row) => !row.hidden);
  for (let at = open.indexOf(cell.closest("tr")) + by; open[at]; at += by) {
    const place = open[at].children[column] || open[at].lastElementChild;
    const next = place.querySelector("a.cell") || open[at].querySelector("a.cell");
    if (next) return next.focus();
  }
}
const KEYS = { n: () => step(1), p: () => step(-1), ArrowRight: () => step(1), ArrowLeft: () => step(-1),
  ArrowDown: () => move(1), ArrowUp: () => move(-1), "/": () => (opened()?.querySelector(".find input") || text).focus() };
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    if (opened()) location.hash = "none";
    else if (typing) event.target.blur();
    return;
  }
  const act = KEYS[event.key];
  if (typing || !act) return;
  const arrow = event.key.startsWith("Arrow");
  if (arrow && (opened() || !event.target.matches("a.cell"))) return;
  event.preventDefault();
  act();
});

// Find in logs
function mark(pre, word) {
  const whole = pre.textContent;
  const low = whole.toLowerCase();
  const found = [];
  let from = 0, count = 0;
  for (let at = low.indexOf(word); word && at >= 0; at = low.indexOf(word, from)) {
    const hit = document.createElement("mark");
    hit.textContent = whole.slice(at, at + word.length);
    found.push(whole.slice(from, at), hit);
    from = at + word.length;
    count += 1;
  }
  pre.replaceChildren(...found, whole.slice(from));
  return count;
}
document.addEventListener("input", (event) => {
  const box = event.target.closest(".find");
  if (!box) return;
  const word = event.target.value.toLowerCase();
  let count = 0;
  for (const log of box.closest(".panel").querySelectorAll("details.log")) {
    const hits = mark(log.querySelector("pre"), word);
    if (hits) log.open = true;
    count += hits;
  }
  box.querySelector("output").textContent = word ? `${count} found` : "";
  box.closest(".panel").querySelector("mark")?.scrollIntoView({ block: "nearest" });
});
addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll("section.case.bad details")) each.open = true;
});
