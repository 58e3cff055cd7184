// What data.py embedded, read when it is first asked for: columns of numbers become objects that refer to each other.
const KINDS = [
  ["fail", "✗", "fail"],
  ["review", "?", "review"],
  ["pass", "✓", "pass"],
  ["notApplicable", "–", "not applicable"]
].map(([name, symbol, word], rank) => ({ name, symbol, word, rank }));
const wordOf = (name) => KINDS.find((kind) => kind.name === name)?.word ?? name;
const SEVERITIES = ["critical", "high", "medium", "low"];
const STATES = ["new", "edited", "moved", "known"];
const [FAIL, REVIEW, PASS] = KINDS;
const model = (() => {
  const once = (make) => {
    let made;
    return () => (made ??= make());
  };
  const data = once(() => {
    const found = JSON.parse(document.getElementById("data").textContent);
    for (const table of ["findings", "others", "evidence", "subjects", "code"]) {
      for (const [name, column] of Object.entries(found[table]))
        if (typeof column === "string") found[table][name] = unpacked(column);
    }
    return found;
  });
  // Differences between neighbours as base64 VLQ (ECMA-426), as columns.py writes them.
  const DIGITS = new Map(
    [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].map((digit, n) => [digit.charCodeAt(0), n])
  );
  const unpacked = (text) => {
    const column = [];
    for (let [at, number, rest, shift] = [0, 0, 0, 0]; at < text.length; at++) {
      const digit = DIGITS.get(text.charCodeAt(at));
      rest |= (digit & 31) << shift;
      shift += 5;
      if (digit & 32) continue;
      column.push((number += rest & 1 ? -(rest >>> 1) : rest >>> 1));
      [rest, shift] = [0, 0];
    }
    return column;
  };
  const strings = (column) => column.map((number) => data().strings[number]);
  const rules = once(() =>
    data().rules.map((rule) => ({
      ...rule,
      severity: SEVERITIES[rule.severity],
      section: rule.principle.replace(/[0-9].*/, "")
    }))
  );
  const ruleByCode = once(() => new Map(rules().map((rule) => [rule.code, rule])));
  const principles = once(() => new Map(data().principles.map((principle) => [principle.id, principle])));
  const subjects = once(() => {
    const columns = data().subjects;
    const [labels, paths, kinds] = [strings(columns.label), strings(columns.path), strings(columns.kind)];
    return labels.map((label, n) => ({
      label,
      path: paths[n],
      kind: kinds[n],
      line: columns.line[n],
      family: columns.family[n],
      service: data().services[columns.service[n]]?.name ?? ""
    }));
  });
  const place = (columns, n) => ({
    path: data().strings[columns.path[n]],
    line: columns.line[n],
    column: columns.column[n],
    endLine: columns.endLine[n],
    endColumn: columns.endColumn[n]
  });
  const evidence = (first, end) => {
    const found = [];
    for (let n = first; n < end; n++)
      found.push({ ...place(data().evidence, n), text: data().strings[data().evidence.text[n]] });
    return found;
  };
  const findings = once(() => {
    const columns = data().findings;
    const end = data().evidence.path.length;
    let range = 0;
    return columns.fingerprint.map((fingerprint, n) => {
      const flows = columns.flows[n] ?? [];
      const last = flows[0] ?? columns.evidence[n + 1] ?? end;
      const code = columns.lines.slice(range, (range += columns.ranges[n]));
      return {
        n,
        fingerprint,
        id: fingerprint.slice(0, 12),
        ...place(columns, n),
        rule: rules()[columns.rule[n]],
        kind: KINDS[columns.kind[n]],
        severity: SEVERITIES[columns.severity[n]],
        rank: columns.severity[n],
        subject: subjects()[columns.subject[n]],
        message: data().strings[columns.message[n]],
        state: STATES[columns.state[n]] ?? "",
        acceptance: data().acceptances[columns.acceptance[n]],
        lapsed: data().acceptances[columns.lapsed[n]],
        owners: data().owners[columns.owners[n]] ?? [],
        get evidence() {
          return evidence(columns.evidence[n], last);
        },
        get flows() {
          return flows.slice(1).map((stop, k) => evidence(flows[k], stop));
        },
        code
      };
    });
  });
  const others = once(() => {
    const columns = data().others;
    let next = 0;
    return columns.rule.map((rule, n) => {
      const first = next;
      next += columns.proofs[n];
      const end = next;
      const subject = subjects()[columns.subject[n]];
      return {
        rule: rules()[rule],
        kind: KINDS[columns.kind[n]],
        subject,
        path: subject.path,
        line: subject.line,
        message: data().strings[columns.message[n]],
        get evidence() {
          const found = [];
          for (let k = first; k < end; k++) {
            found.push({
              path: data().strings[columns.proofPath[k]],
              line: columns.proofLine[k],
              text: data().strings[columns.proofText[k]]
            });
          }
          return found;
        }
      };
    });
  });
  // What a person calls one thing may be several subjects: an endpoint, its body and its traffic; a log call and its text.
  const ENDPOINTS = 1;
  const things = once(() => {
    const found = new Map();
    for (const verdict of [...findings(), ...others()]) {
      const { service, family, label, path, line } = verdict.subject;
      const key = family === ENDPOINTS ? `${service}\n${family}\n${label}` : `${service}\n${family}\n${path}\n${line}`;
      let thing = found.get(key);
      if (!thing)
        found.set(key, (thing = { service, family, label, path, line, kind: verdict.subject.kind, verdicts: [] }));
      if (label.length < thing.label.length) [thing.label, thing.kind] = [label, verdict.subject.kind];
      thing.verdicts.push(verdict);
      verdict.thing = thing;
    }
    const all = [...found.values()];
    for (const thing of all) {
      thing.verdicts.sort((a, b) => a.kind.rank - b.kind.rank || (a.rule.code < b.rule.code ? -1 : 1));
    }
    const name = ({ label }) => label.replace(/^[A-Z]+ (?=\/)/, ""); // all methods of a path together
    return all.sort(
      (a, b) =>
        a.family - b.family ||
        compare(name(a), name(b)) ||
        compare(a.label, b.label) ||
        compare(a.path, b.path) ||
        a.line - b.line
    );
  });
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const groups = (items, key) => {
    const found = new Map();
    for (const item of items) {
      const name = key(item);
      if (found.has(name)) found.get(name).push(item);
      else found.set(name, [item]);
    }
    return found;
  };
  const lines = once(() => {
    const { path, number, text, colours, left } = data().code;
    return { path: strings(path), number, text: strings(text), colours: strings(colours), left };
  });
  const lineAt = once(() => new Map(lines().path.map((path, n) => [`${path}\n${lines().number[n]}`, n])));
  // The address of a line at the repository's web host; data.py gives one only for a host that it knows.
  const web = (path, line) => {
    if (!data().web) return "";
    const [files, mark] = data().web;
    return `${files}${path.split("/").map(encodeURIComponent).join("/")}${mark}${line}`;
  };
  const open = (finding) => !finding.acceptance;
  return { data, rules, ruleByCode, principles, findings, others, things, lines, lineAt, web, compare, groups, open };
})();
