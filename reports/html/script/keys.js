// The keyboard alone reaches everything; these keys are quicker.
const keys = (() => {
  const KEYS = [
    ["j / k", "next and previous row or finding"],
    ["Enter", "open it"],
    ["u", "back to the list"],
    ["/", "search"],
    ["?", "show these keys"],
    ["Esc", "close"]
  ];
  const list = () =>
    el(
      "dl.keys",
      KEYS.map(([key, what]) =>
        el(
          "div",
          el(
            "dt",
            key.split(" / ").flatMap((one, n) => (n ? [" ", el("kbd", one)] : [el("kbd", one)]))
          ),
          el("dd", what)
        )
      )
    );
  const help = () => {
    const dialog = el(
      "dialog",
      { "aria-label": "Keys", onclose: () => dialog.remove() },
      h2("Keys"),
      list(),
      el("form", { method: "dialog" }, el("button", "Close"))
    );
    document.body.append(dialog);
    dialog.showModal();
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea, dialog"))
      return;
    const beside = (name) => document.querySelector(`#app:not([hidden]) [data-step=${name}]`);
    const act = {
      "?": help,
      "/": () => {
        if (listing.isHere()) listing.search();
        else location.hash = "#/findings";
      },
      j: () => (listing.isHere() ? listing.step(1) : beside("on")?.click()),
      k: () => (listing.isHere() ? listing.step(-1) : beside("back")?.click()),
      u: () => document.querySelector("#app:not([hidden]) .beside a")?.click(),
      End: listing.isHere() && listing.end
    }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
  return { list };
})();
pages.set("findings", findingsPage.draw);
pages.set("f", findingPage.draw);
pages.set("subjects", subjectsPage.draw);
pages.set("passes", passesPage.draw);
pages.set("review", reviewPage.draw);
pages.set("accepted", acceptedPage.draw);
pages.set("coverage", coveragePage.draw);
pages.set("rules", rulesPage.draw);
pages.set("p", principlePage.draw);
pages.set("about", aboutPage.draw);
