// A principle: how far it is kept, its rules, and what each of them said of each subject.
const principlePage = (() => {
  const MAX_COLUMNS = 8;
  const score = (value) => {
    if (value === null) return "–";
    const rounded = Math.round(value * 10) / 10;
    return (rounded > value && Number.isInteger(rounded) ? rounded - 0.1 : rounded).toFixed(1);
  };
  const draw = (app, [id], query) => {
    const principle = model.principles().get(id);
    if (!principle) {
      fill(app, heading("No such principle"), para(link("#/principles", "All principles")));
      return "No such principle";
    }
    const rules = model.rules().filter((rule) => rule.principle === id && !rule.advisory);
    const services = model.data().services;
    const things = model
      .things()
      .map((thing) => ({ ...thing, verdicts: thing.verdicts.filter((verdict) => rules.includes(verdict.rule)) }))
      .filter((thing) => thing.verdicts.length);
    const verdictOn = (thing, rule) => {
      const verdict = thing.verdicts.find((one) => one.rule === rule);
      return el("div", { role: "cell" }, verdict && sign(verdict));
    };
    const isMatrix = rules.length <= MAX_COLUMNS;
    const row = (thing) =>
      el(
        "div",
        { class: isMatrix ? "matrix-row" : "matrix-row loose" },
        cell("what", el("b", named(thing.label)), " ", quiet(placeLink(thing))),
        (isMatrix ? rules : rules.filter((rule) => thing.verdicts.some((verdict) => verdict.rule === rule))).map(
          (rule) => verdictOn(thing, rule)
        )
      );
    listing.open(
      app,
      {
        page: `p/${encodeURIComponent(id)}`,
        title: `${principle.id} ${principle.title}`,
        noun: ["subject", "subjects"],
        items: things,
        row,
        columns: isMatrix ? ["Subject", ...rules.map((rule) => rule.code)] : [],
        search: (thing) => `${thing.label}\n${thing.path}`,
        empty: "No rule judged any subject for it.",
        intro: [
          facts(
            ...principle.in.map((one) => [
              services.length > 1 ? services[one.service].name : "Score",
              el("b", score(one.score)),
              " ",
              one.attestation
                ? `attested: ${one.attestation[0]} (${one.attestation[1]}, until ${one.attestation[2]})`
                : quiet(one.arithmetic || one.status)
            ])
          ),
          ruleTable(rules, (rule) =>
            things.flatMap((thing) => thing.verdicts.filter((verdict) => verdict.rule === rule))
          ),
          h2("Subjects and rules")
        ],
        facets: [
          {
            name: "verdict",
            label: "Verdict",
            values: (thing) => [...new Set(thing.verdicts.map((verdict) => verdict.kind.name))],
            title: wordOf
          },
          { name: "rule", label: "Rule", values: (thing) => thing.verdicts.map((verdict) => verdict.rule.code) },
          facetOf.service((thing) => thing.service)
        ],
        group: "none",
        groups: { none: { label: "nothing" } },
        orders: {
          worst: ["severity", (a, b) => subjectsPage.gravity(a) - subjectsPage.gravity(b)],
          name: ["name", (a, b) => model.compare(a.label, b.label)]
        },
        actions: () => []
      },
      query
    );
    return `${principle.id} ${principle.title}`;
  };
  return { draw, score };
})();
