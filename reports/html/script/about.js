// What made the report, and of what.
const aboutPage = (() => {
  const draw = (app) => {
    const { about, services } = model.data();
    fill(
      app,
      heading("About this report"),
      facts(
        ["Tree", about.root],
        ["Commit", about.commit && mono(about.commit)],
        ["Committed", about.committed.replace("T", " ").replace("Z", " UTC")],
        ["Repository", about.web && webText(about.web)],
        ["Folder", about.prefix && mono(about.prefix)],
        ["Size", `${count(about.files, "file")}, ${count(about.lines, "line")}`],
        ["Services", services.map(({ name }) => name).join(", ")],
        ["Standard", `edition ${about.edition}`],
        ["Assay", `${about.tool}, JSON reports of version ${about.schema}`],
        ["Configuration", about.configuration ? mono(about.configuration) : "the defaults"],
        ["Scan", about.execution],
        ["Compared with", about.base && [about.base[1], about.base[2] && [" ", mono(about.base[2].slice(0, 12))]]],
        [
          "Shown",
          about.since &&
            `only findings in lines changed since ${about.since[0]}; ${count(about.since[2], "other")} not shown`
        ],
        ["Verdicts", `${count(model.findings().length, "finding")}, ${count(model.others().length, "other")}`],
        ["Rules", link("#/rules", count(model.rules().length, "rule"))],
        ["Code", model.data().note || "the lines that show findings are part of this file"]
      ),
      about.notices.length > 0 && [h2("Notices"), rowList(about.notices.map((text) => li(text)))],
      h2("Keys"),
      keys.list(),
      para(
        "The same tree, configuration and version of Assay give the same bytes. The whole result, for programs: ",
        mono("assay scan --report json=results.json"),
        "."
      )
    );
    return "About";
  };
  return { draw };
})();
