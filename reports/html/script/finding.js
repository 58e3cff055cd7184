// One finding in full.
const findingPage = (() => {
  const SAFE = /^[\w@./:-]+$/;
  const draw = (app, [id = ""]) => {
    const finding =
      model.findings().find((f) => f.fingerprint === id) ??
      model.findings().find((f) => id.length >= 8 && f.fingerprint.startsWith(id));
    if (!finding) {
      fill(
        app,
        heading("No such finding"),
        para("This report holds none of that fingerprint: it may be fixed, or its line was changed. "),
        para(link("#/findings", "All findings"))
      );
      return "No such finding";
    }
    const { rule } = finding;
    const evidence = finding.evidence;
    const excerpts = frames.of(finding);
    const elsewhere = evidence.filter((step) => !frames.shows(finding, step));
    const flows = finding.flows;
    const ofRule = model.findings().filter((one) => one.rule === rule).length;
    fill(
      app,
      neighbours(finding),
      el(
        "div.title",
        el("p.badges", mark(finding.kind), severity(finding.severity), ...findingsPage.tags(finding)),
        heading(prose(finding.message))
      ),
      facts(
        [
          "Rule",
          ruleLink(rule),
          ` ${rule.name} `,
          ofRule > 1 && link(to.page("findings", { rule: rule.code }), `all ${figure(ofRule)}`)
        ],
        [
          "Principle",
          link(to.principle(rule.principle), rule.principle),
          ` ${model.principles().get(rule.principle)?.title ?? ""}`
        ],
        ["Subject", finding.subject.label],
        ["Place", placeLink(finding), model.web(finding.path, finding.line) && quiet(" at the scanned commit")],
        model.data().services.length > 1 ? ["Service", finding.subject.service] : ["", ""],
        ["Owner", finding.owners.join(", ")],
        ["Since the base", finding.state && stateText(finding.state)]
      ),
      acceptance(finding),
      el(
        "div.two",
        el(
          "div",
          h2("What is wrong"),
          excerpts.length ? excerpts : el("p.quiet", model.data().note || "No line of code shows it."),
          elsewhere.length > 0 &&
            el(
              "ol.places",
              elsewhere.map((step) => li(placeLink(step), " ", prose(step.text)))
            ),
          flows.map((flow, n) => [
            h2(
              flows.length > 1
                ? `How the value gets there, way ${n + 1} of ${flows.length}`
                : "How the value gets there"
            ),
            el(
              "ol.flow",
              flow.map((step) => li(el("span.step-text", prose(step.text)), " ", placeLink(step), frames.step(step)))
            )
          ])
        ),
        el(
          "div",
          h2("Why it matters"),
          para(sentence(rule.why)),
          h2("How to fix it"),
          para(sentence(rule.fix)),
          references(rule),
          accept(finding)
        )
      ),
      others(finding),
      el(
        "p.quiet",
        "Fingerprint ",
        mono(finding.fingerprint),
        " ",
        copyButton(findingsPage.line(finding), "this finding as Markdown", "Copy as Markdown")
      )
    );
    return finding.message.slice(0, 80);
  };
  const stateText = (state) =>
    ({
      new: "new: it was not there",
      edited: "edited: its line was changed, and it is still wrong",
      moved: "moved: it stands elsewhere now",
      known: "known: it was there already"
    })[state];
  const neighbours = (finding) => {
    const isListed = listing.page() === "findings" && listing.shown().includes(finding);
    const all = isListed ? listing.shown() : model.findings();
    const at = all.indexOf(finding);
    const step = (other, name, text) =>
      other ? el("a", { href: to.finding(other), "data-step": name, title: other.message }, text) : "";
    return el(
      "nav.beside",
      { "aria-label": "Findings beside this one" },
      link(isListed ? listing.address() : "#/findings", "All findings"),
      quiet(`${at + 1} of ${figure(all.length)}`),
      step(all[at - 1], "back", "‹ previous"),
      step(all[at + 1], "on", "next ›")
    );
  };
  const acceptance = ({ acceptance: said, lapsed }) => {
    const word = said ?? lapsed;
    if (!word) return "";
    const by = word.by === "ignore" ? "an ignore comment in the code" : `waiver ${word.id}`;
    return el(
      "div.notice",
      para(el("strong", said ? `Accepted by ${by}: ` : `Its waiver has expired, so it counts again: `), word.reason),
      facts(
        ["Waiver", said ? "" : word.id],
        ["Owner", word.owner],
        ["Approved by", word.approver],
        ["Ticket", word.ticket && webText(word.ticket)],
        ["Created", word.created],
        ["Expires", word.expires]
      )
    );
  };
  const references = (rule) => {
    const all = [
      ...rule.cwe.map((number) => link(`https://cwe.mitre.org/data/definitions/${number}.html`, `CWE-${number}`)),
      ...rule.references.filter((text) => !/^CWE-\d+$/.test(text)).map(webText)
    ];
    return all.length
      ? [
          h2("References"),
          el(
            "ul",
            all.map((one) => li(one))
          )
        ]
      : "";
  };
  // Nothing of the scanned tree gets into a command that somebody pastes into a shell, unless it is of harmless signs.
  const accept = (finding) => {
    if (finding.acceptance) return "";
    const owner = finding.owners.find((name) => SAFE.test(name)) ?? "@team";
    const { prefix } = model.data().about;
    const folder = SAFE.test(prefix) ? ` ${prefix}` : "";
    const [id, code] = [finding.id, finding.rule.code].map((text) => (SAFE.test(text) ? text : ""));
    return [
      h2("If it has to stay"),
      para("For a while, with an owner and a reason:"),
      command(`assay waive ${id}${folder} --reason "…" --owner ${owner} --expires 90d`, "the command"),
      para("A false alarm, in a comment at the end of the line:"),
      command(`# assay: ignore[${code}] …`, "the comment")
    ];
  };
  const others = (finding) => {
    model.things();
    const rest = finding.thing.verdicts.filter((verdict) => verdict !== finding);
    if (!rest.length) return "";
    return [h2(`What else was judged of ${finding.thing.label}`), verdictList(rest)];
  };
  return { draw, references };
})();
const verdictList = (verdicts) =>
  rowList(
    verdicts.map((verdict) =>
      el(
        "li",
        mark(verdict.kind),
        " ",
        ruleLink(verdict.rule),
        " ",
        verdict.fingerprint ? link(to.finding(verdict), prose(verdict.message)) : prose(verdict.message),
        verdict.acceptance ? [" ", tag("accepted")] : ""
      )
    )
  );
