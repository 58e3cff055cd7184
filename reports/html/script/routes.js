// Which page is shown. The overview and the principles stand in the document; any other is drawn when it is asked for.
// `pages` maps the first part of an address to what draws it: (app, parts, query) => title.
const pages = new Map();
const route = (() => {
  const fixed = { "": "overview", principles: "principles" };
  const under = { f: "findings", p: "principles" }; // pages that are a part of another one in the navigation
  const titles = { overview: "", principles: "Principles" };
  const app = document.getElementById("app");
  const links = [...document.querySelectorAll(".top nav a")];
  const name = document.title;
  history.scrollRestoration = "manual";
  const only = (shown) => {
    for (const id of ["overview", "principles", "app"]) document.getElementById(id).hidden = id !== shown;
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
      const section = element?.closest("#overview, #principles");
      if (section) only(section.id);
      for (let at = element; at; at = at.parentElement) if (at.matches("details")) at.open = true;
      element?.scrollIntoView();
      return;
    }
    const [path, query = ""] = hash.split(/\?(.*)/s);
    const parts = path.split("/").slice(1).map(decoded);
    const page = parts[0] ?? "";
    const draw = pages.get(page);
    const shown = fixed[page] ?? (draw ? "app" : "overview");
    only(shown);
    const title = draw ? draw(app, parts.slice(1), new URLSearchParams(query)) : titles[shown];
    document.title = title ? `${title} · ${name}` : name;
    for (const link of links) {
      if (link.getAttribute("href").slice(2) === (under[page] ?? page)) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (isFirst) return;
    document.querySelector(`#${shown} h1`)?.focus({ preventScroll: true });
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
