// Two scans side by side: of one service at two times, or of two services. What is chosen is in the address, so that it
// can be sent on: `#from=NAME@2026-10-01&to=NAME`, where no day is the newest scan, and a day the last scan up to then.
const shown = document.getElementById("compared");
const DAY = 24 * 60 * 60 * 1000;
const sides = ["from", "to"].map((name) => ({
  name,
  service: document.getElementById(`${name}-service`),
  scan: document.getElementById(`${name}-scan`),
}));
const read = () => {
  const said = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  const chosen = sides.map(({ name }) => {
    const [service, day = ""] = (said.get(name) ?? "").split("@");
    return { service: labels.has(service) ? service : "", day };
  });
  return { chosen, isEvery: said.has("all") };
};
const write = () => {
  const said = sides.map(({ name, service, scan }) => {
    const isNewest = !scan.value || scan.selectedIndex === 0;
    return `${name}=${service.value}${isNewest ? "" : `@${scan.value}`}`;
  });
  history.pushState(null, "", `#${said.join("&")}${every.checked ? "&all=1" : ""}`);
};
const offer = async ({ service, scan }, day) => {
  scan.replaceChildren();
  scan.disabled = !service.value;
  if (!service.value) return;
  const { scans } = await courseOf(service.value);
  const options = scans.map((told, place) => {
    const [, commit, points, grade] = told;
    const words = [dayOf(told), commit, `${score(points)} ${grade}`].filter(Boolean).join(" · ");
    return element("option", { value: nameOfScan(scans, place) }, place + 1 === scans.length ? `${words} (newest)` : words);
  });
  scan.append(...options.reverse());
  scan.selectedIndex = scans.length - 1 - placeOf(scans, day);
};
const monthBefore = (day) => new Date(Date.parse(`${day.slice(0, 10)}T00:00:00Z`) - 30 * DAY).toISOString().slice(0, 10);
let turn = 0;
const show = async () => {
  const mine = ++turn;
  const chosen = sides.filter(({ service }) => service.value);
  document.getElementById("month").hidden = chosen.length === 2;
  if (chosen.length < 2) {
    shown.replaceChildren();
    return;
  }
  const [left, right] = await Promise.all(
    sides.map(async ({ service, scan }) => {
      const course = await courseOf(service.value);
      const place = course.scans.length - 1 - Math.max(0, scan.selectedIndex);
      return { name: service.value, course, place, told: course.scans[place] };
    }),
  );
  if (mine === turn) shown.replaceChildren(...compare(left, right));
};
const guarded = (work) => async () => {
  try {
    await work();
  } catch (error) {
    shown.replaceChildren(element("p", { class: "notice", role: "alert" }, error.message));
  }
};
const restore = guarded(async () => {
  if (location.hash && !location.hash.includes("=")) return;
  const { chosen, isEvery } = read();
  every.checked = isEvery;
  for (const [at, side] of sides.entries()) side.service.value = chosen[at].service;
  await Promise.all(sides.map((side, at) => offer(side, chosen[at].day)));
  await show();
});
for (const [at, side] of sides.entries()) {
  side.service.addEventListener(
    "input",
    guarded(async () => {
      const [from, to] = sides;
      // Who names one service means it at two times, until another one is named.
      if (at === 0 && !to.service.value && from.service.value) {
        to.service.value = from.service.value;
        await offer(to, "");
      }
      await offer(side, "");
      if (from.service.value && from.service.value === to.service.value && from.scan.selectedIndex === to.scan.selectedIndex)
        await offer(from, monthBefore(to.scan.value));
      write();
      await show();
    }),
  );
  side.scan.addEventListener(
    "input",
    guarded(async () => {
      write();
      await show();
    }),
  );
}
every.addEventListener(
  "input",
  guarded(async () => {
    write();
    await show();
  }),
);
document.getElementById("swap").addEventListener(
  "click",
  guarded(async () => {
    if (!sides.some(({ service }) => service.value)) return;
    const [from, to] = sides.map(({ service, scan }) => ({ service: service.value, day: scan.selectedIndex ? scan.value : "" }));
    for (const [side, other] of [[sides[0], to], [sides[1], from]]) {
      side.service.value = other.service;
      await offer(side, other.day);
    }
    write();
    await show();
  }),
);
window.addEventListener("popstate", restore);
restore();
