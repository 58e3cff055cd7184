// What was accepted, by whose word, and until when.
const acceptedPage = (() => {
  const DAY = 86_400_000;
  const SOON = 30;
  const days = (date) =>
    date ? Math.floor((Date.parse(`${date}T00:00:00Z`) - Math.floor(Date.now() / DAY) * DAY) / DAY) : null;
  const ends = ({ expires }, isOver) => {
    if (isOver) return el("span.mark.fail", `✗ expired ${expires}`);
    if (!expires) return "–";
    const left = days(expires);
    if (left > SOON) return expires;
    return [expires, " ", tag(left < 0 ? "over by now" : `${count(left, "day")} left`, "fresh")];
  };
  const draw = (app) => {
    const word = (f) => f.acceptance ?? f.lapsed;
    const rows = [
      ...model
        .groups(model.findings().filter(word), (f) =>
          word(f).by === "ignore" ? `${f.path}\n${word(f).reason}` : word(f)
        )
        .values()
    ].map((all) => ({ said: word(all[0]), all, expired: !all[0].acceptance }));
    const owners = model.groups(rows, ({ said }) =>
      said.by === "ignore" ? "In the code" : said.owner || "Nobody named"
    );
    const total = rows.reduce((sum, row) => sum + row.all.length, 0);
    const inTime = rows.filter(({ said, expired }) => !expired && said.expires).map(({ said }) => days(said.expires));
    const soon = inTime.filter((left) => left >= 0 && left <= SOON).length;
    const over = rows.filter((row) => row.expired).length + inTime.filter((left) => left < 0).length;
    const attested = [...model.principles().values()].flatMap((p) =>
      p.in.filter(({ attestation }) => attestation).map((one) => [p, ...one.attestation])
    );
    fill(
      app,
      heading("Accepted"),
      lead("What may stay for now, by whose word, why and until when. It counts in no score, and is shown everywhere."),
      rows.length
        ? para(
            [
              `${count(total, "finding")} accepted or once accepted`,
              soon && `${count(soon, "waiver")} ending within ${SOON} days`,
              over && `${count(over, "waiver")} expired`
            ]
              .filter(Boolean)
              .join(", "),
            "."
          )
        : el("p.empty", "Nothing is accepted."),
      [...owners]
        .sort(([a], [b]) => model.compare(a, b))
        .map(([owner, some]) =>
          el(
            "section",
            h2(
              owner,
              " ",
              el(
                "small",
                count(
                  some.reduce((sum, row) => sum + row.all.length, 0),
                  "finding"
                )
              )
            ),
            table(
              `Accepted: ${owner}`,
              [["What"], ["Reason", "text"], ["Findings", "number"], ["Age", "number"], ["Ends"]],
              some
                .sort((a, b) => model.compare(a.said.expires || "9", b.said.expires || "9"))
                .map(({ said, all, expired: isOver }) => [
                  [
                    said.id || placeText(all[0]),
                    quiet(
                      " ",
                      [...new Set(all.map((f) => f.rule.code))].flatMap((code) => [link(to.rule(code), code), " "])
                    )
                  ],
                  [said.reason, said.ticket && [" ", quiet(webText(said.ticket))]],
                  all.length === 1
                    ? link(to.finding(all[0]), "1")
                    : el(
                        "details",
                        el("summary", figure(all.length)),
                        rowList(all.map((f) => li(link(to.finding(f), prose(f.message)))))
                      ),
                  said.created ? `${count(-days(said.created), "day")}` : "–",
                  ends(said, isOver)
                ])
            )
          )
        ),
      attested.length > 0 &&
        el(
          "section",
          h2("Attestations"),
          table(
            "Attestations",
            [["Principle"], ["Statement"], ["By"], ["Until"]],
            attested.map(([p, statement, by, until, proof]) => [
              link(to.principle(p.id), `${p.id} ${p.title}`),
              [statement, proof && [" ", webText(proof)]],
              by,
              until
            ])
          )
        )
    );
    return "Accepted";
  };
  return { draw };
})();
