// Tables are sorted by their columns, and narrowed by what is typed; without the script they are read as they are.
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const valueOf = (row, column) => {
  const cell = row.cells[column];
  return cell.dataset.value ?? cell.textContent.trim();
};
const compare = (left, right) => {
  const [a, b] = [Number(left), Number(right)];
  return left !== "" && right !== "" && !Number.isNaN(a) && !Number.isNaN(b) ? a - b : collator.compare(left, right);
};
const sortBy = (table, head, column) => {
  const isNumber = head.classList.contains("number");
  const now = head.getAttribute("aria-sort");
  const isDown = now ? now === "ascending" : isNumber;
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [valueOf(row, column), row]);
  rows.sort(([a], [b]) => (isDown ? compare(b, a) : compare(a, b)));
  body.append(...rows.map(([, row]) => row));
};
for (const table of document.querySelectorAll("table.sortable")) {
  for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
    if ("fixed" in head.dataset) continue;
    const button = document.createElement("button");
    button.type = "button";
    const link = head.querySelector("a");
    if (link) {
      button.textContent = "⇅";
      button.setAttribute("aria-label", `Sort by ${link.textContent}`);
    } else {
      button.append(...head.childNodes);
    }
    head.append(button);
    button.addEventListener("click", () => sortBy(table, head, column));
  }
}
for (const filters of document.querySelectorAll(".filters")) {
  const table = document.getElementById(filters.dataset.for);
  const [text, select, told] = ["input", "select", "output"].map((name) => filters.querySelector(name));
  const rows = [...table.tBodies[0].rows].map((row) => [row, row.textContent.toLowerCase()]);
  const narrow = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const [row, content] of rows) {
      const isWanted = !select || !select.value || valueOf(row, Number(select.dataset.column)) === select.value;
      row.hidden = !(isWanted && words.every((word) => content.includes(word)));
      shown += row.hidden ? 0 : 1;
    }
    told.textContent = shown === rows.length ? "" : `${shown} of ${rows.length}`;
  };
  text.addEventListener("input", narrow);
  if (select) select.addEventListener("change", narrow);
  // A browser may have kept what was typed before the page was left.
  narrow();
}
