// Tables are sorted by their columns, and narrowed by what is typed or chosen; without the script they are read as they
// are. What was chosen is in the address, after its #, so that it can be sent on, and comes back with the browser's back.
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const valueOf = (row, column) => {
  const cell = row.cells[column];
  return cell.dataset.value ?? cell.textContent.trim();
};
const compare = (left, right) => {
  const [a, b] = [Number(left), Number(right)];
  return left !== "" && right !== "" && !Number.isNaN(a) && !Number.isNaN(b) ? a - b : collator.compare(left, right);
};
const nameOf = (head) => (head.querySelector("a") ?? head).textContent.trim();
// A column's name, with a minus where the largest comes first; nothing is the order that the page came in.
const sortable = (table, changed) => {
  const heads = [...table.tHead.rows[0].cells];
  const [body] = table.tBodies;
  const asWritten = [...body.rows];
  let order = "";
  const sort = (wanted) => {
    const isDown = wanted.startsWith("-");
    const column = heads.findIndex((head) => !("fixed" in head.dataset) && nameOf(head) === wanted.slice(isDown ? 1 : 0));
    for (const head of heads) head.removeAttribute("aria-sort");
    order = column < 0 ? "" : wanted;
    if (column < 0) {
      body.append(...asWritten);
      return;
    }
    heads[column].setAttribute("aria-sort", isDown ? "descending" : "ascending");
    const rows = asWritten.map((row) => [valueOf(row, column), row]);
    rows.sort(([a], [b]) => (isDown ? compare(b, a) : compare(a, b)));
    body.append(...rows.map(([, row]) => row));
  };
  for (const head of heads) {
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
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const isDown = now ? now === "ascending" : head.classList.contains("number");
      sort((isDown ? "-" : "") + nameOf(head));
      changed();
    });
  }
  return { sort, order: () => order };
};
const narrowable = (filters, table, { sort, order }) => {
  const fields = [...filters.querySelectorAll("[name]")];
  const told = filters.querySelector("output");
  const rows = [...table.tBodies[0].rows].map((row) => [row, row.textContent.toLowerCase()]);
  const narrow = () => {
    const words = fields[0].value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = fields.slice(1).filter((field) => field.value);
    let shown = 0;
    for (const [row, content] of rows) {
      const isWanted = chosen.every((field) => row.dataset[field.name] === field.value);
      row.hidden = !(isWanted && words.every((word) => content.includes(word)));
      shown += row.hidden ? 0 : 1;
    }
    told.textContent = shown === rows.length ? "" : `${shown} of ${rows.length}`;
  };
  const remember = (isStep) => {
    const said = new URLSearchParams();
    for (const field of fields) if (field.value) said.set(field.name, field.value);
    if (order()) said.set("sort", order());
    const [page] = location.href.split("#");
    history[isStep ? "pushState" : "replaceState"](null, "", said.size ? `${page}#${said}` : page);
  };
  const restore = () => {
    const hash = location.hash.slice(1);
    // The address of a place in the page says nothing about the table.
    if (hash && !hash.includes("=")) return;
    const said = new URLSearchParams(hash);
    for (const field of fields) {
      field.value = said.get(field.name) ?? "";
      if (field.selectedIndex < 0) field.value = "";
    }
    sort(said.get("sort") ?? "");
    narrow();
  };
  for (const field of fields) {
    field.addEventListener("input", () => {
      narrow();
      remember(field.type !== "search");
    });
  }
  window.addEventListener("popstate", restore);
  restore();
  return () => remember(true);
};
for (const table of document.querySelectorAll("table.sortable")) {
  let changed = () => {};
  const order = sortable(table, () => changed());
  const filters = document.querySelector(`.filters[data-for="${table.id}"]`);
  if (filters) changed = narrowable(filters, table, order);
}
