// Building blocks. All text becomes text nodes, and no address but one of this report or of the web becomes a link.
const fill = (element, ...children) => {
  const isThere = (child) => child !== null && child !== undefined && child !== false && child !== "";
  element.replaceChildren(...children.flat(Infinity).filter(isThere));
  return element;
};
// `el("p.quiet", { title: "why" }, "text")`: its classes after its tag; attributes only where it has any.
const el = (name, ...parts) => {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  const attributes = parts[0]?.constructor === Object ? parts.shift() : {};
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  return fill(element, ...parts);
};
const shorthand =
  (name) =>
  (...children) =>
    el(name, ...children);
const [para, h2, li, mono] = ["p", "h2", "li", "code"].map((tag) => shorthand(tag));
const lead = shorthand("p.lead");
const quiet = shorthand("span.quiet");
const unseen = shorthand("span.away"); // for those who listen
const rowList = shorthand("ul.verdicts");
const cell = (kind, ...children) => el(`div.${kind}`, { role: "cell" }, ...children);
// A message with what it has between backticks as code.
const prose = (text) =>
  text.split("`").map((part, n, all) => (n % 2 === 0 ? part : n === all.length - 1 ? `\`${part}` : mono(part)));
// What a subject is called: a long path breaks after a slash.
const named = (label) =>
  prose(label).flatMap((part) =>
    typeof part === "string" ? part.split(/(?<=\/)/).flatMap((piece, n) => (n ? [el("wbr"), piece] : [piece])) : [part]
  );
const sentence = (text) => prose(/^[a-z]+[ ,']/.test(text) ? text[0].toUpperCase() + text.slice(1) : text);
const link = (address, ...children) => {
  const isSafe = address.startsWith("#/") || /^https?:\/\/[^\s"'<>]+$/.test(address);
  if (!isSafe) return el("span", ...children);
  return address.startsWith("#")
    ? el("a", { href: address }, ...children)
    : el("a", { href: address, rel: "noopener noreferrer", target: "_blank" }, ...children);
};
const to = {
  finding: (finding) => `#/f/${encodeURIComponent(finding.id)}`,
  rule: (code) => `#/rules/${encodeURIComponent(code)}`,
  principle: (id) => `#/p/${encodeURIComponent(id)}`,
  page: (name, query = {}) => {
    const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
    return `#/${name}${text && `?${text}`}`;
  }
};
const figure = (number) => number.toLocaleString("en");
const count = (number, one, many = `${one}s`) => `${figure(number)} ${number === 1 ? one : many}`;
const mark = (kind) =>
  el("span", { class: `mark ${kind.name}` }, el("span", { "aria-hidden": "true" }, kind.symbol), ` ${kind.word}`);
// A verdict of a rule: its symbol with its word for those who listen, leading to the finding that it is.
const sign = (verdict) => {
  const { kind, rule, acceptance, message } = verdict;
  const text = el(
    "span",
    { class: `mark ${acceptance ? "notApplicable" : kind.name}`, title: message },
    `${kind.symbol} `,
    unseen(`${kind.word} `),
    el("span.code-word", rule.code)
  );
  return verdict.fingerprint ? link(to.finding(verdict), text) : text;
};
const severity = (name) => el("span", { class: `severity ${name}` }, name);
const tag = (text, kind = "") => el("span", { class: `tag ${kind}` }, text);
const placeText = ({ path, line }) => `${path}:${line}`;
const placeCode = (place) => el("code.place", placeText(place));
const placeLink = (place) => {
  const address = model.web(place.path, place.line);
  return address ? link(address, placeCode(place)) : placeCode(place);
};
const ruleLink = (rule) => link(to.rule(rule.code), rule.code);
const webText = (text) => (/^https?:\/\/\S+$/.test(text) ? link(text, text) : text);
const facts = (...pairs) =>
  el(
    "dl.facts-list",
    pairs
      .filter(([, value]) => value !== "" && value !== undefined && value !== null)
      .map(([term, ...value]) => el("div", el("dt", term), el("dd", ...value)))
  );
const heading = (text, ...more) => el("h1", { tabindex: "-1" }, text, ...more);
const table = (caption, columns, rows) =>
  el(
    "div.scroll",
    { tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      el("caption.away", caption),
      el(
        "thead",
        el(
          "tr",
          columns.map(([name, kind]) => el("th", { scope: "col", class: kind }, name))
        )
      ),
      el(
        "tbody",
        rows.map((row) =>
          el(
            "tr",
            row.map((cell, n) =>
              n === 0 ? el("th", { scope: "row" }, cell) : el("td", { class: columns[n][1] }, cell)
            )
          )
        )
      )
    )
  );

// What was done is told to everybody, by voice too.
const tell = (text) => {
  let box = document.getElementById("told");
  if (!box) document.body.append((box = el("p", { id: "told", role: "status" })));
  box.textContent = text;
  box.classList.add("shown");
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => box.classList.remove("shown"), 4000);
};
const copy = async (text, what) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // a browser that allows it only so
    const area = el("textarea.away", { "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) return tell("This browser does not let a page copy; select the text instead.");
  }
  tell(`Copied ${what}.`);
};
const copyButton = (text, what, label = "Copy") =>
  el("button.small", { type: "button", onclick: () => copy(text, what) }, label, unseen(` ${what}`));
const command = (text, what) => el("div.command", mono(text), copyButton(text, what));
const save = (name, type, text) => {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const anchor = el("a", { href: address, download: name });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
  tell(`Saved ${name}.`);
};

// A table for spreadsheets (RFC 4180), in which no cell is a formula (OWASP, CSV Injection).
const csv = (columns, rows) => {
  const cell = (value) => {
    if (typeof value === "number") return String(value);
    const text = String(value ?? "")
      .split(/\s+/)
      .filter(Boolean)
      .join(" ");
    const guarded = /^[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
    return /[",]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
  };
  return [columns, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
};
const markdown = {
  text: (text) =>
    text
      .replace(/\s+/g, " ")
      .replace(/[!-\/:-@[-`{-~]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign] ?? `\\${sign}`),
  code: (text) => {
    const fence = "`".repeat(Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length)) + 1);
    const space = fence.length > 1 ? " " : "";
    return `${fence}${space}${text}${space}${fence}`;
  }
};
