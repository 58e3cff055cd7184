// Questions that people have to answer.
const reviewPage = (() => {
  const SHOWN = 8;
  const isAdvice = (rule) => rule.advisory || rule.preview;
  const draw = (app) => {
    const open = model.findings().filter((f) => f.kind === REVIEW && model.open(f));
    const groups = [...model.groups(open, (f) => f.rule)].sort(
      ([a, all], [b, others]) => isAdvice(a) - isAdvice(b) || all[0].rank - others[0].rank || others.length - all.length
    );
    const advice = open.filter((f) => isAdvice(f.rule)).length;
    const waiting = [...model.principles().values()].filter((p) =>
      p.in.some(({ status }) => status === "needs attestation")
    );
    fill(
      app,
      heading("Review"),
      lead(
        "Questions that code alone does not answer. They count in no score. Answer one by mending the code, or by saying why it is fine."
      ),
      groups.length
        ? para(
            count(open.length - advice, "question"),
            advice ? ` and ${count(advice, "piece", "pieces")} of advice, which never count` : "",
            waiting.length ? `, and ${count(waiting.length, "principle")} to give your word for` : "",
            "."
          )
        : el("p.empty", "No finding waits for an answer."),
      groups.map(([rule, all]) =>
        el(
          "section.question",
          h2(
            severity(rule.severity),
            " ",
            ruleLink(rule),
            " ",
            prose(rule.title),
            " ",
            isAdvice(rule) && [tag("advice"), " "],
            el("small", count(all.length, "question"))
          ),
          questions(all.slice(0, SHOWN)),
          all.length > SHOWN &&
            para(link(to.page("findings", { kind: "review", rule: rule.code }), `All ${figure(all.length)}`)),
          answers(rule)
        )
      ),
      waiting.length > 0 &&
        el(
          "section.question",
          h2("Principles that need your word"),
          para("Code can't show them. Say in assay.toml how you know, for at most as long as it stays true:"),
          waiting.map((p) => [
            el("h3", link(to.principle(p.id), p.id), ` ${p.title}`),
            command(
              `[attestations.${p.id.replace(/\W/g, "")}]\nstatement = "…"\nby = "@team"\nexpires = …  # a date without quotes\nlink = "https://…"`,
              `the lines for ${p.id}`
            )
          ])
        )
    );
    return "Review";
  };
  // The same question of many subjects is asked once.
  const questions = (findings) => {
    const same = model.groups(findings, (f) => f.message);
    const item = (f, text) => li(link(to.finding(f), text), " ", placeCode(f));
    return [...same.values()].map((all) =>
      all.length === 1
        ? rowList(item(all[0], prose(all[0].message)))
        : [
            para(prose(all[0].message)),
            el(
              "ul.verdicts.inner",
              all.map((f) => item(f, f.subject.label))
            )
          ]
    );
  };
  const answers = (rule) => {
    const code = rule.code.replace(/[^\w-]/g, "");
    return el(
      "details.plain",
      el("summary", "How to answer"),
      para("It is wrong: ", prose(rule.fix)),
      para("It is fine in one place, said beside it in the code:"),
      command(`# assay: ignore[${code}] …`, "the comment"),
      para("It is fine in some files for a while:"),
      command(`assay waive ${code} --path "…" --reason "…" --owner @team --expires 90d`, "the command"),
      para("The question makes no sense for this service, in assay.toml:"),
      command(`[rules]\nextend-disable = ["${code}"]`, "the lines")
    );
  };
  return { draw };
})();
