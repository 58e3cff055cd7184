// What passed, as evidence for an auditor, and what rules do not apply to.
const passesPage = (() => {
  const row = (v) =>
    el(
      "div.pass-row",
      cell(
        "what",
        para(mark(v.kind), " ", el("b", v.subject.label)),
        para(prose(v.message)),
        v.evidence.map((step) => el("p.quiet.proof", placeLink(step), " ", prose(step.text)))
      ),
      cell("which", ruleLink(v.rule), quiet(` ${v.rule.name} `), placeLink(v))
    );
  const draw = (app, parts, query) => {
    if (!query.has("kind")) query.set("kind", "pass");
    return listing.open(
      app,
      {
        page: "passes",
        title: "Passes",
        noun: ["verdict", "verdicts"],
        items: model.others(),
        row,
        columns: ["Subject and why", "Rule and place"],
        intro: lead(
          "What was checked and kept, and how that is known: the evidence file. What a rule does not apply to is here too, with the reason."
        ),
        search: (v) =>
          [v.subject.label, v.message, v.rule.code, v.rule.name, v.path, ...v.evidence.map((step) => step.text)].join(
            "\n"
          ),
        facets: [
          facetOf.kind((v) => v.kind),
          facetOf.section(),
          facetOf.rule(),
          facetOf.service((v) => v.subject.service),
          facetOf.path()
        ],
        group: "rule",
        groups: {
          rule: {
            label: "rule",
            key: (v) => v.rule.code,
            head: (v) => [ruleLink(v.rule), ` ${v.rule.name}`],
            order: model.compare
          },
          reason: { label: "reason", key: (v) => v.message, head: (v) => prose(v.message) },
          file: byFile
        },
        orders: { path: ["file", null] },
        actions: (shown) => [
          saveButton(
            "passes.csv",
            ["service", "principle", "rule", "name", "verdict", "path", "line", "subject", "message", "evidence"],
            () =>
              shown().map((v) => [
                v.subject.service,
                v.rule.principle,
                v.rule.code,
                v.rule.name,
                v.kind.word,
                v.path,
                v.line,
                v.subject.label,
                v.message,
                v.evidence.map((step) => `${placeText(step)} ${step.text}`).join("; ")
              ])
          )
        ]
      },
      query
    );
  };
  return { draw };
})();
