// The rules that were asked: all of them, and each one as `assay explain` tells it.
const tally = (verdicts) =>
  KINDS.map((kind) => verdicts.filter((verdict) => verdict.kind === kind && !verdict.acceptance).length);
const everything = () => [...model.findings(), ...model.others()];
// Where verdicts of a rule are listed.
const listOf = (rule, kind) =>
  to.page(kind === FAIL || kind === REVIEW ? "findings" : "passes", { rule: rule.code, kind: kind.name });
const ruleTable = (rules, verdictsOf) =>
  table(
    "Rules",
    [["Rule"], ["Severity"], ["Wrong when", "text"], ...KINDS.map(({ word }) => [word, "number"])],
    rules.map((rule) => [
      ruleLink(rule),
      severity(rule.severity),
      [prose(rule.title), rule.advisory && [" ", tag("advice")], rule.preview && [" ", tag("preview")]],
      ...tally(verdictsOf(rule)).map((number, n) => (number ? link(listOf(rule, KINDS[n]), figure(number)) : "0"))
    ])
  );
const rulesPage = (() => {
  const draw = (app, [code]) => (code ? one(app, code) : all(app));
  const all = (app) => {
    const verdicts = model.groups(everything(), (verdict) => verdict.rule);
    fill(
      app,
      heading("Rules"),
      lead(`The ${count(model.rules().length, "rule")} that were asked, and what they said.`),
      ruleTable(
        [...model.rules()].sort((a, b) => a.advisory - b.advisory || model.compare(a.code, b.code)),
        (rule) => verdicts.get(rule) ?? []
      )
    );
    return "Rules";
  };
  const one = (app, code) => {
    const rule = model.ruleByCode().get(code);
    if (!rule) {
      fill(app, heading("No such rule"), para(link("#/rules", "All rules that were asked")));
      return "No such rule";
    }
    const found = everything().filter((verdict) => verdict.rule === rule);
    const findings = found.filter((verdict) => verdict.fingerprint);
    const here = tally(found)
      .flatMap((number, n) =>
        number ? [", ", link(listOf(rule, KINDS[n]), `${figure(number)} ${KINDS[n].word}`)] : []
      )
      .slice(1);
    fill(
      app,
      el(
        "nav.beside",
        { "aria-label": "Above this rule" },
        link("#/rules", "All rules"),
        link(to.principle(rule.principle), `${rule.principle} ${model.principles().get(rule.principle)?.title ?? ""}`)
      ),
      heading(`${rule.code} ${rule.name}`),
      lead(prose(rule.title)),
      facts(
        ["Severity", severity(rule.severity)],
        ["Judges", rule.subject && `every ${rule.subject}`],
        ["Since edition", rule.since],
        [
          "Kind",
          rule.advisory
            ? "advice of an analyzer: shown for review, never counted in a score"
            : rule.preview
              ? "preview: shown, and counted neither in scores nor at the gate"
              : ""
        ],
        ["Here", here.length ? here : found.length ? "only accepted findings" : "nothing to judge"]
      ),
      h2("Why"),
      para(sentence(rule.why)),
      h2("Fix"),
      para(sentence(rule.fix)),
      rule.options.length > 0 && [
        h2("Options"),
        table(
          "Options",
          [["Option"], ["Value here"], ["Default"]],
          rule.options.map(([name, usual, value]) => [
            mono(name),
            mono(value),
            value === usual ? "the same" : mono(usual)
          ])
        ),
        el("p.quiet", "Set in assay.toml, in ", mono(`[rules.${rule.code}]`), ".")
      ],
      findingPage.references(rule),
      findings.length > 0 && [
        h2("Findings"),
        rowList(
          findings
            .slice(0, 20)
            .map((f) =>
              li(
                mark(f.kind),
                " ",
                link(to.finding(f), prose(f.message)),
                " ",
                placeCode(f),
                f.acceptance ? [" ", tag("accepted")] : ""
              )
            )
        ),
        findings.length > 20 &&
          para(link(to.page("findings", { rule: code }), `All ${count(findings.length, "finding")}`))
      ]
    );
    return `${rule.code} ${rule.name}`;
  };
  return { draw };
})();
