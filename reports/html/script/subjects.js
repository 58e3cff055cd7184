// The inventory: everything that was judged, with all verdicts on it.
const subjectsPage = (() => {
  const chips = (thing) => {
    const grave = thing.verdicts.filter(({ kind }) => kind === FAIL || kind === REVIEW);
    const rest = KINDS.slice(2)
      .map((kind) => [kind, thing.verdicts.filter((verdict) => verdict.kind === kind).length])
      .filter(([, n]) => n);
    return [
      ...grave.map(sign),
      ...rest.map(([kind, n]) =>
        el(
          "span",
          { class: `mark ${kind.name}` },
          el("span", { "aria-hidden": "true" }, kind.symbol),
          ` ${n}`,
          el("span.word", ` ${kind.word}`)
        )
      )
    ];
  };
  const unfolded = new Set();
  const row = (thing) =>
    el(
      "div.thing-row",
      cell(
        "what",
        el(
          "details",
          {
            open: unfolded.has(thing),
            ontoggle: (event) => (event.target.open ? unfolded.add(thing) : unfolded.delete(thing))
          },
          el("summary", named(thing.label)),
          el("p.quiet", placeLink(thing), model.data().services.length > 1 && ` in ${thing.service}`),
          verdictList(thing.verdicts)
        )
      ),
      cell("chips", chips(thing))
    );
  const families = () => model.data().families;
  const gravity = (thing) =>
    Math.min(
      ...thing.verdicts.map((verdict) =>
        verdict.kind === FAIL && !verdict.acceptance ? verdict.rank : verdict.kind.rank + 4
      )
    );
  // Services and what they hold: the map, as far as the verdicts tell it.
  const map = () => {
    const services = model.data().services;
    const held = families()
      .map((name, n) => [
        name,
        n,
        services.map(({ name: service }) =>
          model.things().filter((thing) => thing.family === n && thing.service === service)
        )
      ])
      .filter(([, , all]) => all.some((some) => some.length));
    return el(
      "details.plain",
      { open: services.length > 1 },
      el("summary", "Services and what they hold"),
      table(
        "Subjects by service and part",
        [["Part"], ...services.map(({ name }) => [name, "number"])],
        [
          ["Frameworks", ...services.map((service) => service.frameworks.join(", ") || "–")],
          ...held.map(([name, n, all]) => [
            name,
            ...all.map((some, k) => {
              if (!some.length) return "–";
              const bad = some.filter((thing) =>
                thing.verdicts.some((verdict) => verdict.kind === FAIL && !verdict.acceptance)
              ).length;
              return [
                link(to.page("subjects", { family: name, service: services[k].name }), figure(some.length)),
                bad ? el("span.mark.fail", ` ✗ ${bad}`, unseen(" with a fail")) : ""
              ];
            })
          ])
        ]
      )
    );
  };
  const draw = (app, parts, query) =>
    listing.open(
      app,
      {
        page: "subjects",
        title: "Subjects",
        noun: ["subject", "subjects"],
        items: model.things(),
        row,
        columns: ["Subject", "Verdicts"],
        intro: [
          lead(
            "Everything in the code that a rule looked at, whatever it said. Unfold a subject to read all verdicts on it."
          ),
          map()
        ],
        search: (thing) =>
          [
            thing.label,
            thing.path,
            thing.service,
            ...thing.verdicts.flatMap((verdict) => [verdict.rule.code, verdict.rule.name, verdict.message])
          ].join("\n"),
        facets: [
          { name: "family", label: "Part", values: (thing) => [families()[thing.family]], order: byOrder(families()) },
          { ...facetOf.kind((thing) => thing.verdicts[0].kind), name: "worst", label: "Worst verdict" },
          facetOf.service((thing) => thing.service),
          {
            name: "kind",
            label: "Kind",
            values: (thing) => [...new Set(thing.verdicts.map((verdict) => words(verdict.subject.kind)))]
          },
          facetOf.path()
        ],
        group: "family",
        groups: {
          family: {
            label: "part",
            key: (thing) => thing.family,
            head: (thing) => families()[thing.family],
            order: (a, b) => a - b
          },
          file: byFile,
          none: { label: "nothing" }
        },
        orders: {
          name: ["name", null],
          worst: ["severity", (a, b) => gravity(a) - gravity(b)],
          path: ["file", byPlace]
        },
        actions: (shown) => [
          saveButton("subjects.csv", ["service", "part", "subject", "path", "line", "rule", "verdict", "message"], () =>
            shown().flatMap((thing) =>
              thing.verdicts.map((v) => [
                thing.service,
                families()[thing.family],
                v.subject.label,
                thing.path,
                thing.line,
                v.rule.code,
                v.kind.word,
                v.message
              ])
            )
          )
        ]
      },
      query
    );
  const words = (kind) => kind.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
  return { draw, gravity };
})();
