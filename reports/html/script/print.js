// The whole report goes to paper from its main pages: overview, principles, what was accepted, and the findings that the
// filter leaves; any other page goes alone. What is folded is unfolded, and a link to the web has a number whose address
// stands at the end.
{
  const WHOLE = ["", "principles", "findings", "accepted"];
  let undo = [];
  const main = document.getElementById("main");
  const accepted = (page) => {
    if (page === "accepted" || !model.findings().some((finding) => finding.acceptance ?? finding.lapsed)) return;
    const box = el("div.printed");
    pages.get("accepted")(box);
    document.getElementById("app").before(box);
    undo.push(() => box.remove());
  };
  const unfold = () => {
    for (const details of document.querySelectorAll("details:not([open], .arithmetic)")) {
      details.open = true;
      undo.push(() => {
        details.open = false;
      });
    }
  };
  const number = () => {
    const addresses = [];
    for (const link of main.querySelectorAll("a[href^=http]")) {
      if (!link.checkVisibility()) continue;
      if (!addresses.includes(link.href)) addresses.push(link.href);
      const mark = el("sup", `[${addresses.indexOf(link.href) + 1}]`);
      link.after(mark);
      undo.push(() => mark.remove());
    }
    if (!addresses.length) return;
    const notes = el(
      "section.footnotes",
      h2("Links"),
      el(
        "ol",
        addresses.map((address) => li(address))
      )
    );
    main.append(notes);
    undo.push(() => notes.remove());
  };
  addEventListener("beforeprint", () => {
    const page = location.hash.split(/[/?]/)[1] ?? "";
    if (WHOLE.includes(page)) {
      document.documentElement.classList.add("whole");
      undo.push(() => document.documentElement.classList.remove("whole"));
      accepted(page);
    }
    unfold();
    number();
  });
  addEventListener("afterprint", () => {
    for (const step of undo) step();
    undo = [];
  });
}
