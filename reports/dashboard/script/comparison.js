// What differs between two scans, and why.
const SEVERITIES = ["critical", "high", "medium", "low"];
const LISTED = 100;
const every = document.getElementById("every");
const link = (address, text, more = {}) =>
  address ? element("a", { href: address, ...more }, text) : element("span", more, text);
const score = (value) => (value === null || value === undefined ? "–" : value.toFixed(1));
const count = (number, one) => `${number.toLocaleString("en")} ${one}${number === 1 ? "" : "s"}`;
const difference = (before, after, { isGood = true, digits = 1 } = {}) => {
  if (typeof before !== "number" || typeof after !== "number") return "";
  const moved = Number((after - before).toFixed(digits));
  if (!moved) return element("span", { class: "move same" }, "=");
  const isUp = moved > 0;
  return element(
    "span",
    { class: `move ${isUp === isGood ? "better" : "worse"}` },
    element("span", { "aria-hidden": "true" }, isUp ? "▲" : "▼"),
    element("span", { class: "away" }, isUp ? " up" : " down"),
    ` ${Math.abs(moved).toFixed(digits)}`,
  );
};
const table = (label, heads, bodies) =>
  element(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": `Table: ${label}` },
    element(
      "table",
      { class: "standing" },
      element("caption", { class: "away" }, label),
      element(
        "thead",
        {},
        element("tr", {}, ...heads.map(([head, isNumber]) => element("th", { scope: "col", class: isNumber && "number" }, ...[head].flat()))),
      ),
      ...bodies.map((rows) => element("tbody", {}, ...rows)),
    ),
  );
const block = (id, title, ...children) =>
  element("section", { class: "block", "aria-labelledby": id }, element("h2", { id }, ...title), ...children);
const number = (...children) => element("td", { class: "number" }, ...children);
const headOf = ({ name, told }, isSame) =>
  isSame ? [element("span", { class: "date" }, dayOf(told)), element("small", {}, ` ${told[1]}`)] : `${labels.get(name)} ${dayOf(told)}`;

const notes = (left, right) => {
  const found = [];
  const [, , , , , , editionA, settingsA, isWholeA] = left.told;
  const [, , , , , , editionB, settingsB, isWholeB] = right.told;
  if (editionA !== editionB)
    found.push(`Not the same standard: edition ${editionA} and edition ${editionB}. What differs may be the standard's doing.`);
  if (settingsA !== settingsB)
    found.push("Not the same configuration: rules that are off, their options and severities may differ.");
  if (!isWholeA || !isWholeB) found.push("One of the two could not read or judge everything: what is missing is unknown.");
  return found.map((text) =>
    element("p", { class: "notice", role: "note" }, element("span", { "aria-hidden": "true" }, "! "), text),
  );
};
const figures = (left, right, heads) => {
  const row = (title, a, b, moved = "") =>
    element("tr", {}, element("th", { scope: "row" }, title), number(a), number(b), number(moved));
  const [a, b] = [left.told, right.told];
  return table(
    "Figures",
    [["Figure", false], ...heads.map((head) => [head, true]), ["Difference", true]],
    [
      [
        row("Score", score(a[2]), score(b[2]), difference(a[2], b[2])),
        row("Grade", a[3], b[3]),
        row("Judged", `${score(a[4])} %`, `${score(b[4])} %`, difference(a[4], b[4])),
        ...SEVERITIES.map((name, at) =>
          row(`Open fails, ${name}`, a[5][at], b[5][at], difference(a[5][at], b[5][at], { isGood: false, digits: 0 })),
        ),
        row("Edition", a[6], b[6]),
      ],
    ],
  );
};
const inWords = (counts) => (counts ? count(counts[1], "fail") : "not judged");
const why = (principle, left, right) => {
  const moved = [];
  for (const [code, of, title, address] of standard.rules) {
    if (of !== principle) continue;
    const [a, b] = [left, right].map(({ course, place }) => spanAt(course.rules[code], place));
    if ((a?.[1] ?? -1) === (b?.[1] ?? -1) && (a?.[0] ?? -1) === (b?.[0] ?? -1)) continue;
    const words =
      inWords(a) === inWords(b) ? `${a[0]} → ${b[0]} pass` : a && b ? `${a[1]} → ${inWords(b)}` : `${inWords(a)} → ${inWords(b)}`;
    moved.push(element("span", {}, link(address, code, { class: "code", title }), ` ${words}`));
  }
  const [c, d] = [left, right].map(({ course, place }) => spanAt(course.principles[principle], place)?.[0] ?? null);
  if (!moved.length && c !== d) {
    if (left.told[6] !== right.told[6]) return ["the standard's edition"];
    if (left.told[7] !== right.told[7]) return ["the configuration"];
  }
  return moved.flatMap((each, at) => (at ? [", ", each] : [each]));
};
const principles = (left, right, heads) => {
  const bodies = [];
  for (const [section, title] of standard.sections) {
    const [a, b] = [left, right].map(({ course, place }) => spanAt(course.sections[section], place)?.[0]);
    const rows = [];
    for (const [id, of, name, address] of standard.principles) {
      if (of !== section) continue;
      const [c, d] = [left, right].map(({ course, place }) => spanAt(course.principles[id], place));
      if (!c && !d) continue;
      const causes = why(id, left, right);
      if (!every.checked && !causes.length && (c?.[0] ?? null) === (d?.[0] ?? null)) continue;
      const told = (counts) =>
        counts && counts[0] !== null ? [score(counts[0]), " ", element("small", {}, `${counts[1]} of ${counts[1] + counts[2]}`)] : ["–"];
      rows.push(
        element(
          "tr",
          {},
          element("th", { scope: "row" }, link(address, id)),
          element("td", {}, name),
          number(...told(c)),
          number(...told(d)),
          number(difference(c?.[0], d?.[0])),
          element("td", { class: "small" }, ...causes),
        ),
      );
    }
    if (!rows.length) continue;
    const head = element(
      "tr",
      { class: "section" },
      element("th", { scope: "rowgroup" }, section),
      element("th", { scope: "rowgroup" }, title),
      number(score(a)),
      number(score(b)),
      number(difference(a, b)),
      element("td"),
    );
    bodies.push([head, ...rows]);
  }
  if (!bodies.length) return element("p", { class: "quiet" }, "No principle differs.");
  const titles = [["Principle", false], ["Title", false], ...heads.map((head) => [head, true]), ["Difference", true], ["Why", false]];
  return table("Sections and principles", titles, bodies);
};
const findings = (left, right) => {
  const turns = { new: [], fixed: [], accepted: [], "open again": [] };
  for (const [rule, severity, subject, where, ...spans] of left.course.findings) {
    const at = ({ place }) => spanAt(spans, place)?.[0];
    const [before, after] = [at(left), at(right)];
    let turn = null;
    if (before === undefined && after !== undefined) turn = after ? null : "new";
    else if (before !== undefined && after === undefined) turn = before ? null : "fixed";
    else if (before === 0 && after === 1) turn = "accepted";
    else if (before === 1 && after === 0) turn = "open again";
    if (turn) turns[turn].push({ rule, severity, subject, where });
  }
  const worse = new Set(["new", "open again"]);
  const lists = Object.entries(turns).map(([turn, found]) => {
    found.sort((a, b) => a.severity - b.severity);
    const items = found.slice(0, LISTED).map(({ rule, severity, subject, where }) =>
      element(
        "li",
        {},
        element("span", { class: `severity ${SEVERITIES[severity]}` }, SEVERITIES[severity]),
        " ",
        element("span", { class: "code" }, rule),
        ` ${subject} `,
        element("code", {}, where),
      ),
    );
    const rest = found.length - items.length;
    if (rest > 0) items.push(element("li", {}, `and ${rest.toLocaleString("en")} more`));
    const words = `${found.length.toLocaleString("en")} ${turn}`;
    const title = element("summary", {}, element("b", { class: worse.has(turn) ? "worse" : "better" }, words));
    return found.length ? element("details", { class: "plain" }, title, element("ul", { class: "items" }, ...items)) : null;
  });
  const there = lists.filter(Boolean);
  return there.length ? there : [element("p", { class: "quiet" }, "None came, none went.")];
};
const compare = (left, right) => {
  const isSame = left.name === right.name;
  if (isSame && left.place === right.place) return [element("p", { class: "quiet" }, "The two are one and the same scan.")];
  const heads = () => [headOf(left, isSame), headOf(right, isSame)];
  const told = isSame
    ? findings(left, right)
    : [element("p", { class: "quiet" }, "Two services have no finding in common; above are the rules that each fails.")];
  return [
    ...notes(left, right),
    block("figures-title", ["Figures"], figures(left, right, heads())),
    block("differences-title", [every.checked ? "Principles" : "Principles that differ"], principles(left, right, heads())),
    block("turns-title", ["Findings ", element("small", {}, "from the first to the second")], ...told),
  ];
};
