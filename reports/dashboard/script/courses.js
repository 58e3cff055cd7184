// Services' histories: each is a script of its own, which is loaded when it is asked for.
const standard = JSON.parse(document.getElementById("standard").textContent);
const labels = new Map(standard.services);

const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== false) made.setAttribute(name, value);
  made.append(...children);
  return made;
};
const asked = new Map();
const courseOf = (name) => {
  if (!asked.has(name)) {
    const answer = new Promise((resolve, reject) => {
      const script = element("script", { src: `data/${name}.js` });
      script.addEventListener("load", () => resolve(globalThis.assay[name]));
      script.addEventListener("error", () => reject(new Error(`The history of ${labels.get(name)} can't be read.`)));
      document.head.append(script);
    });
    asked.set(name, answer);
    answer.catch(() => asked.delete(name));
  }
  return asked.get(name);
};
const dayOf = ([at]) => at.slice(0, 10);
// A day says enough, unless another scan of that day comes later.
const nameOfScan = (scans, place) =>
  place + 1 < scans.length && dayOf(scans[place + 1]) === dayOf(scans[place]) ? scans[place][0] : dayOf(scans[place]);
const placeOf = (scans, named) => {
  if (!named) return scans.length - 1;
  const until = named.length > 10 ? named : `${named}T23:59:59`;
  return Math.max(0, scans.findLastIndex(([at]) => at <= until));
};
const spanAt = (spans, place) => spans?.find(([first, last]) => first <= place && place <= last)?.slice(2);
