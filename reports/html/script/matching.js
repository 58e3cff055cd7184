// What of a list fits the address: facets, whose counts are of what all others leave, and words to search for.
// Facets that several lists have; the `of...` functions say where an item has what they look at.
const facetOf = {
  kind: (ofItem) => ({
    name: "kind",
    label: "Verdict",
    values: (item) => [ofItem(item).name],
    title: wordOf,
    order: byOrder(KINDS.map(({ name }) => name))
  }),
  service: (ofItem) => ({ name: "service", label: "Service", values: (item) => [ofItem(item)] }),
  section: () => ({
    name: "section",
    label: "Section",
    values: (item) => [item.rule.section],
    title: (id) => `${id} ${model.data().sections[id] ?? ""}`
  }),
  rule: () => ({
    name: "rule",
    label: "Rule",
    values: (item) => [item.rule.code],
    title: (code) => `${code} ${model.ruleByCode().get(code)?.name ?? ""}`
  }),
  path: () => ({ name: "path", label: "Folder", values: (item) => [item.path], isPath: true })
};
const byOrder = (names) => (a, b) => names.indexOf(a) - names.indexOf(b);
const byFile = { label: "file", key: (item) => item.path, head: (item) => mono(item.path), order: model.compare };
const byPlace = (a, b) => model.compare(a.path, b.path) || a.line - b.line;
const saveButton = (name, columns, rows) => [
  "Save as CSV",
  () => save(name, "text/csv;charset=utf-8", csv(columns, rows()))
];
const valuesOf = (list, facet) => {
  let found = list.values.get(facet);
  if (!found) list.values.set(facet, (found = list.spec.items.map(facet.values)));
  return found;
};
const matching = (list) => {
  const { spec, query } = list;
  const words = (query.get("q") ?? "").toLowerCase().match(/\S+/g) ?? [];
  if (words.length) list.texts ??= spec.items.map((item) => spec.search(item).toLowerCase());
  const facets = spec.facets.map((facet) => {
    const chosen = new Set(query.getAll(facet.name));
    return { facet, chosen, values: valuesOf(list, facet), counts: new Map() };
  });
  const has = ({ facet, chosen, values }, n) =>
    !chosen.size ||
    values[n].some((value) =>
      facet.isPath
        ? [...chosen].some((folder) => value === folder || (folder.endsWith("/") && value.startsWith(folder)))
        : chosen.has(value)
    );
  const add = ({ facet, chosen, values, counts }, n) => {
    for (const value of values[n]) {
      const name = facet.isPath ? below(value, [...chosen][0] ?? "") : value;
      if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  };
  const found = [];
  for (let n = 0; n < spec.items.length; n++) {
    if (words.length && !words.every((word) => list.texts[n].includes(word))) continue;
    let [misses, missed] = [0, null];
    for (const facet of facets)
      if (!has(facet, n)) {
        misses++;
        missed = facet;
      }
    if (misses === 0) {
      found.push(spec.items[n]);
      for (const facet of facets) add(facet, n);
    } else if (misses === 1 && !missed.facet.isPath) add(missed, n);
  }
  return { found, facets, isFiltered: words.length > 0 || facets.some(({ chosen }) => chosen.size) };
};
const below = (path, folder) => {
  if (!path.startsWith(folder)) return "";
  const slash = path.indexOf("/", folder.length);
  return slash < 0 ? path : path.slice(0, slash + 1);
};
