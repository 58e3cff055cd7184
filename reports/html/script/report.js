"use strict";
(() => {
  const UNFOLDED_AT_ONCE = 300;
  const byId = (id) => document.getElementById(id);

  // Theme: follows the system until the button is pressed; the choice stays in this browser.
  const root = document.documentElement;
  const theme = byId("theme");
  const remembered = () => { try { return localStorage.getItem("assay-theme"); } catch { return null; } };
  const remember = (value) => { try { localStorage.setItem("assay-theme", value); } catch { /* storage is forbidden */ } };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const showTheme = () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
    theme.setAttribute("aria-pressed", String(dark));
  };
  const saved = remembered();
  if (saved === "dark" || saved === "light") root.dataset.theme = saved;
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = theme.getAttribute("aria-pressed") === "true" ? "light" : "dark";
    remember(root.dataset.theme);
    showTheme();
  });
  system.addEventListener("change", showTheme);
  showTheme();

  // Print what the filter shows, unfolded.
  let unfoldedForPrint = [];
  addEventListener("beforeprint", () => {
    unfoldedForPrint = [...document.querySelectorAll("details:not([open])")];
    for (const element of unfoldedForPrint) element.open = true;
  });
  addEventListener("afterprint", () => { for (const element of unfoldedForPrint) element.open = false; });

  const form = byId("filters");
  if (!form) return;
  form.hidden = false;

  const groups = [...document.querySelectorAll(".group")].map((element) => ({
    element,
    wasOpen: element.open,
    help: [element.querySelector("summary"), element.querySelector(".help")],
    findings: [...element.querySelectorAll(".finding")].map((finding) => ({
      element: finding,
      facts: { ...element.dataset, ...finding.dataset },
      text: null,
    })),
  }));
  const total = groups.reduce((sum, group) => sum + group.findings.length, 0);
  const textOf = (group, finding) => {
    group.text ??= group.help.map((part) => part.textContent).join(" ").toLowerCase();
    finding.text ??= finding.element.textContent.toLowerCase();
    return `${group.text} ${finding.text}`;
  };

  const filter = () => {
    const wanted = [...new FormData(form)].filter(([, value]) => value.trim());
    const words = (form.elements.q.value.toLowerCase().match(/\S+/g)) ?? [];
    const facts = wanted.filter(([name]) => name !== "q");
    let shown = 0;
    for (const group of groups) {
      group.shown = 0;
      for (const finding of group.findings) {
        const matches = facts.every(([name, value]) => finding.facts[name] === value)
          && (!words.length || words.every((word) => textOf(group, finding).includes(word)));
        finding.element.hidden = !matches;
        group.shown += matches;
      }
      group.element.hidden = !group.shown;
      shown += group.shown;
    }
    // What a filter leaves is unfolded, unless it is so much that laying it out would take a while.
    for (const group of groups) {
      const unfolded = wanted.length && (shown <= UNFOLDED_AT_ONCE || group.shown === shown);
      group.element.open = group.wasOpen || (unfolded && group.shown > 0);
    }
    byId("shown").textContent = wanted.length ? `${shown} of ${total} findings shown` : `${total} findings`;
    byId("none").hidden = shown > 0;
    return new URLSearchParams(wanted).toString();
  };
  const filterAndKeep = () => {
    const state = filter();
    history.replaceState(null, "", state ? `#${state}` : location.pathname + location.search);
  };

  const reveal = (element) => {
    for (let at = element; at; at = at.parentElement?.closest("details")) if (at.matches("details")) at.open = true;
    element.scrollIntoView();
  };
  const follow = () => {
    const hash = location.hash.slice(1);
    if (hash.includes("=")) {
      const state = new URLSearchParams(hash);
      for (const control of form.elements) if (control.name) control.value = state.get(control.name) ?? "";
      filter();
      return;
    }
    const target = hash && byId(decodeURIComponent(hash));
    if (!target || !target.matches("details")) return;
    if (target.closest("[hidden]")) { form.reset(); filter(); }
    reveal(target);
  };

  let waiting = 0;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filterAndKeep, 80); });
  form.addEventListener("submit", (event) => { event.preventDefault(); filterAndKeep(); });
  form.addEventListener("reset", () => setTimeout(filterAndKeep));
  addEventListener("hashchange", follow);

  const unfold = byId("unfold");
  unfold.addEventListener("click", () => {
    const open = unfold.getAttribute("aria-pressed") !== "true";
    unfold.setAttribute("aria-pressed", String(open));
    for (const group of groups) {
      if (open && !group.element.hidden) group.element.open = true;
      for (const finding of group.findings) if (!finding.element.hidden) finding.element.open = open;
    }
  });

  const step = (by) => {
    const rows = [...document.querySelectorAll(".group[open]:not([hidden]) > .finding:not([hidden]) > summary")];
    const at = rows.indexOf(document.activeElement?.closest(".finding")?.querySelector("summary"));
    const next = rows[at < 0 ? 0 : at + by];
    if (next) { next.focus(); next.scrollIntoView({ block: "center" }); }
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select")) return;
    if (event.key === "/") { event.preventDefault(); form.elements.q.focus(); }
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
  });

  filter();
  follow();
})();
