// The list of findings.
const findingsPage = (() => {
  const COLUMNS =
    "service,principle,rule,name,severity,kind,state,counts,path,line,column,subject,message,fix,accepted by,reason,owner,ticket,expires,fingerprint".split(
      ","
    );
  const csvRow = (f) => [
    f.subject.service,
    f.rule.principle,
    f.rule.code,
    f.rule.name,
    f.severity,
    f.kind.name,
    f.state,
    f.kind === FAIL && model.open(f) && !f.rule.advisory && !f.rule.preview ? "yes" : "no",
    f.path,
    f.line,
    f.column,
    f.subject.label,
    f.message,
    f.rule.fix,
    f.acceptance?.by,
    f.acceptance?.reason,
    f.acceptance?.owner,
    f.acceptance?.ticket,
    f.acceptance?.expires,
    f.fingerprint
  ];
  const line = (f) => {
    const address = model.web(f.path, f.line);
    const place = markdown.code(placeText(f));
    const first = f.kind === FAIL ? `**${f.severity}**` : `**review** (${f.severity})`;
    return `- ${first} ${markdown.text(f.message)}, ${address ? `[${place}](${address.replaceAll(")", "%29")})` : place}, ${f.rule.code}, \`${f.id}\``;
  };
  const asMarkdown = (findings) =>
    `${count(findings.length, "finding")} of Assay${model.data().about.commit ? ` at \`${model.data().about.commit.slice(0, 12)}\`` : ""}:\n\n${findings.map(line).join("\n")}\n`;
  const tags = (f) => [
    f.state && tag(f.state, f.state === "new" ? "fresh" : ""),
    f.acceptance && tag("accepted"),
    f.lapsed && tag("waiver expired", "fresh"),
    f.rule.advisory && tag("advice"),
    f.rule.preview && tag("preview")
  ];
  const row = (f) =>
    el(
      "div",
      { class: `finding-row ${f.kind.name}` },
      cell("grave", f.kind === REVIEW ? mark(f.kind) : severity(f.severity)),
      cell(
        "what",
        link(to.finding(f), prose(f.message)),
        el(
          "p.quiet",
          placeCode(f),
          [f.message, f.path].some((text) => text.includes(f.subject.label)) ? "" : el("span", f.subject.label),
          ...tags(f)
        )
      ),
      cell("which", ruleLink(f.rule), quiet(` ${f.rule.name}`))
    );
  const search = (f) =>
    [
      f.message,
      f.rule.code,
      f.rule.name,
      f.rule.title,
      f.subject.label,
      f.path,
      f.fingerprint,
      f.subject.service,
      ...f.owners,
      f.acceptance?.reason ?? "",
      ...f.evidence.map((step) => step.text),
      ...f.flows.flat().map((step) => step.text),
      codeText(f)
    ].join("\n");
  const codeText = (f) => {
    const found = [];
    for (let k = 0; k < f.code.length; k += 2)
      found.push(...model.lines().text.slice(f.code[k], f.code[k] + f.code[k + 1]));
    return found.join("\n");
  };
  const accepted = (f) => (f.acceptance ? "accepted" : f.lapsed ? "waiver expired" : "open");
  const worst = (a, b) => Boolean(a.acceptance) - Boolean(b.acceptance) || a.n - b.n;
  const spec = () => ({
    page: "findings",
    title: "Findings",
    noun: ["finding", "findings"],
    items: model.findings(),
    search,
    row,
    onPaper: frames.of,
    empty: "Nothing was found.",
    intro: model.data().note ? el("p.quiet", model.data().note) : "",
    columns: ["Severity", "Finding", "Rule"],
    facets: [
      facetOf.kind((f) => f.kind),
      { name: "sev", label: "Severity", values: (f) => [f.severity], order: byOrder(SEVERITIES) },
      { name: "state", label: "Since the base", values: (f) => (f.state ? [f.state] : []), order: byOrder(STATES) },
      {
        name: "accepted",
        label: "Accepted",
        values: (f) => [accepted(f)],
        order: byOrder(["open", "accepted", "waiver expired"])
      },
      facetOf.service((f) => f.subject.service),
      {
        name: "owner",
        label: "Owner",
        values: (f) => (f.owners.length ? f.owners : f.acceptance?.owner ? [f.acceptance.owner] : [])
      },
      facetOf.section(),
      facetOf.rule(),
      facetOf.path()
    ],
    group: "none",
    groups: {
      none: { label: "nothing" },
      rule: {
        label: "rule",
        key: (f) => f.rule.code,
        head: (f) => [severity(f.severity), " ", ruleLink(f.rule), " ", prose(f.rule.title)]
      },
      file: byFile,
      subject: {
        label: "subject",
        key: (f) => `${f.subject.service}\n${f.subject.label}`,
        head: (f) => f.subject.label
      },
      owner: { label: "owner", key: (f) => f.owners.join(" "), head: (f) => f.owners.join(" ") || "nobody named" },
      service: { label: "service", key: (f) => f.subject.service, head: (f) => f.subject.service }
    },
    orders: {
      worst: ["severity", worst],
      path: ["file", byPlace],
      rule: ["rule", (a, b) => model.compare(a.rule.code, b.rule.code) || worst(a, b)]
    },
    actions: (shown) => [
      ["Copy as Markdown", () => copy(asMarkdown(shown()), count(shown().length, "finding"))],
      saveButton("findings.csv", COLUMNS, () => shown().map(csvRow))
    ]
  });
  const draw = (app, parts, query) => listing.open(app, spec(), query);
  return { draw, tags, line };
})();
