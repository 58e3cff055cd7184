// A table of any length of which only the rows in sight are drawn. Rows may be of any height: each is measured when it
// is drawn, and until then counts as high as the first ones were on average.
const windowed = ({ label, columns, items, draw }) => {
  const MARGIN = 900;
  const heads = columns.length ? 1 : 0;
  const [above, below] = [el("div", { role: "presentation" }), el("div", { role: "presentation" })];
  const body = el(
    "div.rows",
    { role: "table", "aria-label": label, "aria-rowcount": items.length + heads },
    heads > 0 &&
      el(
        "div",
        { role: "row", class: "head", "aria-rowindex": 1 },
        columns.map((name) => el("div", { role: "columnheader" }, name))
      ),
    above,
    below
  );
  const drawn = new Map();
  const heights = new Float32Array(items.length);
  let [usual, offsets, current, isWhole] = [64, null, -1, false];
  const starts = () => {
    if (offsets) return offsets;
    offsets = new Float64Array(items.length + 1);
    for (let n = 0; n < items.length; n++) offsets[n + 1] = offsets[n] + (heights[n] || usual);
    return offsets;
  };
  const at = (y) => {
    // the row at that height
    let [low, high] = [0, items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts()[middle + 1] <= y) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const place = (first, end) => {
    for (const [n, row] of drawn)
      if (n < first || n >= end) {
        row.remove();
        drawn.delete(n);
      }
    let next = above;
    for (let n = first; n < end; n++) {
      let row = drawn.get(n);
      if (!row) {
        drawn.set(n, (row = draw(items[n], n)));
        row.setAttribute("role", "row");
        row.setAttribute("aria-rowindex", n + 1 + heads);
        row.dataset.n = n;
        next.after(row);
      }
      next = row;
    }
    let changed = false;
    for (const [n, row] of drawn) {
      const height = row.offsetHeight;
      if (height && Math.abs(height - heights[n]) > 0.5) {
        heights[n] = height;
        changed = true;
      }
    }
    if (changed) offsets = null;
    above.style.height = `${starts()[first]}px`;
    below.style.height = `${starts()[items.length] - starts()[end]}px`;
  };
  const update = () => {
    if (isWhole || !body.isConnected || !items.length) return;
    const top = above.getBoundingClientRect().top;
    const first = at(Math.max(0, -top - MARGIN));
    place(first, Math.min(items.length, at(innerHeight - top + MARGIN) + 1));
  };
  const start = () => {
    place(0, Math.min(items.length, 12));
    const sum = [...drawn.keys()].reduce((total, n) => total + heights[n], 0);
    if (drawn.size && sum) [usual, offsets] = [sum / drawn.size, null];
    update();
  };
  // Bring a row into sight; what was guessed above it may turn out wrong once it is drawn, so it is looked at again.
  const show = (n, delta = null) => {
    for (let turn = 0; turn < 3; turn++) {
      const goal = scrollY + above.getBoundingClientRect().top + starts()[n];
      scrollTo({ top: delta === null ? goal - innerHeight / 3 : goal + delta, behavior: "instant" });
      update();
    }
  };
  const end = () => {
    for (let turn = 0; turn < 3; turn++) {
      scrollTo({ top: document.body.scrollHeight, behavior: "instant" });
      update();
    }
  };
  const focus = (n) => {
    current = n;
    if (!drawn.has(n)) show(n);
    const row = drawn.get(n);
    row?.querySelector("a, button, summary")?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest", behavior: "instant" });
    update();
  };
  const focused = () => {
    const row = document.activeElement?.closest?.("[data-n]");
    return row && body.contains(row) ? Number(row.dataset.n) : current;
  };
  const inSight = () => {
    // which row is at the top of the screen, and how far it is scrolled over
    const y = -above.getBoundingClientRect().top;
    const row = at(Math.max(0, y));
    return { row, delta: y - starts()[row], focused: focused() };
  };
  // For paper: all rows up to a limit, each with what else is to be said of it.
  const whole = (limit, more) => {
    isWhole = true;
    place(0, Math.min(items.length, limit));
    for (const [n, row] of drawn) row.append(cell("on-paper", more(items[n])));
    below.style.height = 0;
    below.textContent = items.length > limit ? `${count(items.length - limit, "more row")}, not printed` : "";
  };
  const partly = () => {
    isWhole = false;
    below.textContent = "";
    for (const row of drawn.values()) row.querySelector(".on-paper")?.remove();
    update();
  };
  return { body, start, update, show, end, focus, focused, inSight, whole, partly, items };
};
