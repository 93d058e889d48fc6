"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const body = at("reports").tBodies[0];
  const rows = [...body.rows];
  const texts = new Map(rows.map((row) => [row, (row.cells[0].title + " " + row.textContent).toLowerCase()]));
  const show = () => {
    const words = at("words").value.toLowerCase().split(/\s+/), state = at("state").value, year = at("year").value;
    let shown = 0;
    for (const row of rows) {
      row.hidden = !(words.every((word) => texts.get(row).includes(word))
        && (!state || row.dataset.state.split(" ").includes(state)) && (!year || row.cells[1].firstChild.data === year));
      shown += !row.hidden;
    }
    at("shown").textContent = shown;
  };
  for (const id of ["words", "state", "year"]) at(id).addEventListener("input", show);
  at("words").form.addEventListener("submit", (event) => event.preventDefault());
  const heads = [...at("reports").tHead.rows[0].cells];
  const compare = new Intl.Collator(document.documentElement.lang).compare;
  heads.forEach((head, column) => head.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const numbers = head.className === "n", value = (row) => row.cells[column].textContent;
    // Empty cells stay at the end, in whichever order.
    const order = (a, b) => (!a || !b ? 0 : numbers ? a - b : compare(a, b)) * (down ? -1 : 1) || !a - !b;
    body.append(...rows.sort((a, b) => order(value(a), value(b))));
  }));
  show();
})();
