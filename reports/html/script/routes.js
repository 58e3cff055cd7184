// Which page is shown. Some stand in the document, the overview first; any other is drawn when it is asked for.
// `pages` maps the first part of an address to what draws it: (app, parts, query) => title.
const pages = new Map();
const route = (() => {
  const under = { f: "findings", p: "principles" }; // pages that are a part of another one in the navigation
  const app = document.getElementById("app");
  const links = [...document.querySelectorAll(".top nav a")];
  const name = document.title;
  history.scrollRestoration = "manual";
  const fixed = [...document.querySelectorAll("main > section")];
  const only = (shown) => {
    for (const element of [...fixed, app]) element.hidden = element !== shown;
  };
  const decoded = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  const show = (isFirst) => {
    const hash = location.hash.slice(1);
    if (hash !== "" && !hash.startsWith("/")) {
      // an element of this page, such as a service on the overview
      const element = document.getElementById(decoded(hash));
      const section = element?.closest("main > section");
      if (section) only(section);
      for (let at = element; at; at = at.parentElement) if (at.matches("details")) at.open = true;
      element?.scrollIntoView();
      return;
    }
    const [path, query = ""] = hash.split(/\?(.*)/s);
    const parts = path.split("/").slice(1).map(decoded);
    const page = parts[0] ?? "";
    const draw = pages.get(page);
    const shown = draw ? app : (fixed.find(({ id }) => id === page) ?? fixed[0]);
    only(shown);
    const title = draw
      ? draw(app, parts.slice(1), new URLSearchParams(query))
      : shown === fixed[0]
        ? ""
        : shown.querySelector("h1").textContent;
    document.title = title ? `${title} · ${name}` : name;
    for (const link of links) {
      if (link.getAttribute("href").slice(2) === (under[page] ?? page)) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (isFirst) return;
    shown.querySelector("h1")?.focus({ preventScroll: true });
    const { y = 0, list } = history.state ?? {};
    if (list) listing.restore(list);
    else scrollTo({ top: y, behavior: "instant" });
  };
  // Where the reader was is kept with the address, for the way back.
  document.addEventListener(
    "click",
    (event) => {
      if (event.target.closest("a[href^='#']")) history.replaceState({ y: scrollY, list: listing.inSight() }, "");
    },
    true
  );
  addEventListener("hashchange", () => show(false));
  return () => show(true);
})();
