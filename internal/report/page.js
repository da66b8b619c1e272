
"use strict";
document.documentElement.classList.add("scripted");
// Tables of class sort: a button in every head, ascending, then descending.
for (const table of document.querySelectorAll("table.sort")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const key = (row, i) => { const c = row.cells[i]; return c ? (c.dataset.v !== undefined ? c.dataset.v : c.textContent.trim()) : ""; };
  // Where rows are stacked, on a narrow screen, every cell says what it is.
  if (table.classList.contains("stack"))
    for (const row of body.rows)
      [...row.cells].forEach((cell, i) => { if (i && cell.textContent) cell.dataset.l = heads[i].textContent; });
  heads.forEach((th, i) => {
    const b = document.createElement("button");
    b.type = "button";
    b.append(...th.childNodes);
    th.append(b);
    b.addEventListener("click", () => {
      const down = th.getAttribute("aria-sort") === "ascending";
      heads.forEach(h => h.removeAttribute("aria-sort"));
      th.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].map((row, at) => ({ row, at, k: key(row, i) }));
      const number = s => s === "" ? NaN : Number(s.replace(/[+,%\u202f ]/g, ""));
      const all = rows.every(r => r.k === "" || r.k === "–" || !isNaN(number(r.k)));
      rows.sort((a, b) => {
        const none = s => s === "" || s === "–";
        if (none(a.k) || none(b.k)) return none(a.k) - none(b.k) || a.at - b.at;
        const d = all ? number(a.k) - number(b.k) : a.k.localeCompare(b.k, document.documentElement.lang);
        return (down ? -d : d) || a.at - b.at;
      });
      body.append(...rows.map(r => r.row));
    });
  });
}
// Tables of class find: a field above them keeps the rows that hold its text.
for (const table of document.querySelectorAll("table.find")) {
  const label = document.createElement("label"), input = document.createElement("input");
  label.className = "finder";
  input.type = "search";
  label.append(document.getElementById("report").dataset.find + " ", input);
  table.parentElement.before(label);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every(w => text.includes(w));
    }
  });
}
// Charts: what a mark says, under the pointer, at a touch, or by the arrow keys.
const tip = document.createElement("div");
tip.id = "tip";
tip.setAttribute("role", "status");
document.body.append(tip);
const show = (mark, text) => {
  for (const old of document.querySelectorAll(".here")) old.classList.remove("here");
  tip.textContent = text || "";
  if (!mark) return;
  mark.classList.add("here");
  const dot = mark.querySelector("circle") || mark, box = dot.getBoundingClientRect();
  const left = Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - 8);
  tip.style.left = Math.max(8, left) + scrollX + "px";
  tip.style.top = box.bottom + scrollY + 8 + "px";
};
for (const chart of document.querySelectorAll("svg.chart")) {
  const marks = [];
  for (const t of chart.querySelectorAll("title")) {
    const mark = t.parentElement, text = t.textContent;
    t.remove(); // or the browser shows it a second time
    marks.push({ mark, text });
    mark.addEventListener("pointerenter", () => show(mark, text));
    mark.addEventListener("pointerleave", () => show());
  }
  if (!marks.length) continue;
  chart.tabIndex = 0;
  let at = -1;
  chart.addEventListener("keydown", e => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -1e9, End: 1e9 }[e.key];
    if (e.key === "Escape") { show(); return; }
    if (!step) return;
    e.preventDefault();
    at = Math.max(0, Math.min(marks.length - 1, at + step));
    show(marks[at].mark, marks[at].text);
  });
  chart.addEventListener("blur", () => { at = -1; show(); });
}
for (const wide of document.querySelectorAll(".scroll")) if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
