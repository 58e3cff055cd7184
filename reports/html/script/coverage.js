// What the verdicts do not cover.
const coveragePage = (() => {
  const draw = (app) => {
    const { diagnostics, services, about, ignores } = model.data();
    const reasons = model.groups(diagnostics, (one) => one.reason);
    const none = model.groups(
      model.others().filter(({ kind }) => kind !== PASS),
      (v) => `${v.rule.code}\n${v.message}`
    );
    const unscored = model.groups(
      [...model.principles().values()].filter((p) => p.in.every(({ score }) => score === null)),
      (p) => p.in[0].status
    );
    const unread = new Set(diagnostics.filter((one) => one.unread).map((one) => one.path)).size;
    fill(
      app,
      heading("Coverage"),
      lead(
        "What the verdicts do not cover: files that were not read, code that was not understood, and what rules do not apply to."
      ),
      table(
        "Coverage by service",
        [["Service"], ["Files read", "number"], ["Judged", "number"]],
        services.map((s) => [
          s.name,
          `${figure(s.read)} of ${figure(s.wanted)}`,
          `${principlePage.score(s.coverage * 100)} %`
        ])
      ),
      para(
        "“Judged” is the share of files that were read, times the share of subjects that got a pass or a fail: the others wait in ",
        link("#/review", "Review"),
        "."
      ),
      h2("Not read or not understood"),
      diagnostics.length
        ? [
            para(
              unread ? `${count(unread, "file")} could not be read: what they hold is unknown.` : "Every file was read."
            ),
            [...reasons].map(([reason, all]) =>
              el(
                "section",
                el("h3", reason.replaceAll("-", " "), " ", el("small.quiet", figure(all.length))),
                para(`What to do: ${all[0].remedy}.`),
                folded(all.map((one) => li(one.line ? placeLink(one) : mono(one.path), ` ${one.message}`)))
              )
            )
          ]
        : para("Every file was read, and every rule ran to its end."),
      h2("Principles without a score"),
      unscored.size
        ? el(
            "dl.facts-list",
            [...unscored].map(([status, all]) =>
              el(
                "div",
                el("dt", status),
                el(
                  "dd",
                  all.flatMap((p, n) => [n ? ", " : "", link(to.principle(p.id), p.id), ` ${p.title}`])
                )
              )
            )
          )
        : para("Every principle has one."),
      h2("Not applicable"),
      table(
        "Why rules do not apply",
        [["Rule"], ["Reason", "text"], ["Subjects", "number"]],
        [...none.values()]
          .sort((a, b) => b.length - a.length)
          .slice(0, 60)
          .map((all) => [
            ruleLink(all[0].rule),
            prose(all[0].message),
            link(
              to.page("passes", { kind: "notApplicable", rule: all[0].rule.code, q: all[0].message }),
              figure(all.length)
            )
          ])
      ),
      none.size > 60 &&
        para(link("#/passes?kind=notApplicable&group=reason", `${count(none.size - 60, "more reason")}`)),
      about.exclude.length > 0 && [
        h2("Left out by the configuration"),
        rowList(about.exclude.map((pattern) => li(mono(pattern))))
      ],
      ignores.length > 0 && [
        h2("Ignore comments"),
        folded(
          ignores.map(([path, line, codes, reason]) =>
            li(placeLink({ path, line }), ` ${codes.join(", ") || "no rule"}: ${reason || "no reason"}`)
          )
        )
      ]
    );
    return "Coverage";
  };
  const folded = (items) => [
    rowList(items.slice(0, 20)),
    items.length > 20 && el("details.plain", el("summary", `${items.length - 20} more`), rowList(items.slice(20)))
  ];
  return { draw };
})();
