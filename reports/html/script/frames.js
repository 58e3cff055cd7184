// The code of a finding with its evidence marked. What is marked where is told by places, whose columns count characters.
const frames = (() => {
  // The part of a line that a place covers: characters from 0 in the text as shown.
  const covered = (place, number, characters, left) => {
    if (number < place.line || number > Math.max(place.line, place.endLine)) return null;
    const text = characters.join("");
    const first =
      number === place.line ? place.column - 1 - left + (left ? 1 : 0) : text.length - text.trimStart().length;
    const last = number === place.endLine ? place.endColumn - 1 - left + (left ? 1 : 0) : [...text.trimEnd()].length;
    return last > first ? [Math.max(0, first), last] : null;
  };
  const line = (n, places) => {
    const { text, colours, left, number } = model.lines();
    const characters = [...text[n]];
    const kinds = new Array(characters.length).fill("");
    let at = 0;
    for (const [, letter, length] of colours[n].matchAll(/([a-z])(\d+)/g)) {
      if (letter !== "o") kinds.fill(letter, at, at + Number(length));
      at += Number(length);
    }
    const marked = new Array(characters.length).fill(false);
    for (const place of places) {
      const range = covered(place, number[n], characters, left[n]);
      if (range) marked.fill(true, ...range);
    }
    const parts = [];
    for (let start = 0; start < characters.length;) {
      let end = start + 1;
      while (end < characters.length && kinds[end] === kinds[start] && marked[end] === marked[start]) end++;
      const piece = characters.slice(start, end).join("");
      const coloured = kinds[start] ? el("i", { class: kinds[start] }, piece) : piece;
      if (!marked[start]) parts.push(coloured);
      else if (parts.at(-1)?.tagName === "MARK") parts.at(-1).append(coloured);
      else parts.push(el("mark", coloured));
      start = end;
    }
    return parts;
  };
  // One block for each file; notes say below a line what the evidence on it shows.
  const of = (finding) => {
    const evidence = finding.evidence;
    const places = evidence.length ? evidence : [finding];
    const { path, number } = model.lines();
    const files = new Map();
    for (let k = 0; k < finding.code.length; k += 2) {
      const [first, length] = [finding.code[k], finding.code[k + 1]];
      for (let n = first; n < first + length; n++) {
        if (!files.has(path[n])) files.set(path[n], []);
        files.get(path[n]).push(n);
      }
    }
    return [...files].map(([file, lines]) => {
      const here = places.filter((place) => place.path === file);
      const isCited = (line) => [finding, ...here].some((place) => place.path === file && place.line === line);
      let previous = 0;
      const pre = el("pre", { tabindex: "0", role: "region", "aria-label": `Code of ${finding.id}, ${file}` });
      for (const n of lines) {
        if (previous && number[n] > previous + 1) pre.append(el("span.gap", "⋮"), "\n");
        previous = number[n];
        pre.append(el(isCited(number[n]) ? "b" : "span", { class: "n" }, number[n]), ...line(n, here), "\n");
        for (const step of evidence)
          if (step.path === file && step.line === number[n]) pre.append(el("span.note", prose(step.text)), "\n");
      }
      return el("div.excerpt", el("p.path", placeLink({ path: file, line: number[lines[0]] })), pre);
    });
  };
  const step = (place) => {
    const n = model.lineAt().get(`${place.path}\n${place.line}`);
    return n === undefined ? null : el("code.step", line(n, [place]));
  };
  const shows = (finding, place) => {
    const { path, number } = model.lines();
    for (let k = 0; k < finding.code.length; k += 2) {
      for (let n = finding.code[k]; n < finding.code[k] + finding.code[k + 1]; n++)
        if (path[n] === place.path && number[n] === place.line) return true;
    }
    return false;
  };
  return { of, step, shows };
})();
