// A list to look things up in: facets with counts, full-text search, groups and order, all of it in the address.
const listing = (() => {
  const SHOWN_VALUES = 12;
  let now = null; // the list on the screen

  // `spec`: page, title, noun, intro, items, search(item), facets: [{ name, label, values(item), title(value), isPath }],
  // groups: { name: { label, key(item), head(item) } }, orders: { name: [label, compare] }, columns, row(item), actions.
  const open = (app, spec, query) => {
    const list = { spec, query, texts: null, values: new Map(), unfolded: new Set(), rows: null, shown: [] };
    now = list;
    const search = el("input", {
      type: "search",
      name: "q",
      value: query.get("q") ?? "",
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => {
        clearTimeout(list.timer);
        list.timer = setTimeout(() => change(list, (q) => put(q, "q", search.value.trim()), true), 90);
      }
    });
    const choices = [
      ["group", "Group by", Object.entries(spec.groups).map(([name, { label }]) => [name, label]), spec.group],
      [
        "sort",
        "Sort by",
        Object.entries(spec.orders).map(([name, [label]]) => [name, label]),
        Object.keys(spec.orders)[0]
      ]
    ]
      .filter(([, , values]) => values.length > 1)
      .map(([name, label, values, usual]) => {
        const select = el(
          "select",
          { name, onchange: () => change(list, (q) => put(q, name, select.value === usual ? "" : select.value)) },
          values.map(([value, title]) => el("option", { value }, title))
        );
        select.value = query.get(name) ?? usual;
        if (select.selectedIndex < 0) select.value = usual;
        return el("label", label, select);
      });
    list.facets = el("div.facets");
    list.folded = el(
      "details.facet-box",
      { open: matchMedia("(min-width: 62rem)").matches },
      el("summary", "Filters"),
      list.facets
    );
    list.status = el("p.shown", { role: "status" });
    list.clear = el(
      "button.small",
      {
        type: "button",
        onclick: () => {
          search.value = "";
          change(list, (q) => {
            for (const name of ["q", ...spec.facets.map((facet) => facet.name)]) q.delete(name);
          });
        }
      },
      "Clear filters"
    );
    list.results = el("div");
    fill(
      app,
      heading(spec.title),
      spec.intro ?? "",
      el(
        "div.listing",
        el("div.side", list.folded),
        el(
          "div.result",
          el(
            "form.tools",
            { role: "search", onsubmit: (event) => event.preventDefault() },
            el("label.search", "Search", search),
            choices
          ),
          el(
            "div.tools",
            list.status,
            list.clear,
            spec
              .actions(() => list.shown)
              .map(([label, act]) => el("button.small", { type: "button", onclick: act }, label))
          ),
          list.results
        )
      )
    );
    list.search = search;
    refresh(list);
    return spec.title;
  };

  const put = (query, name, value) => {
    if (value) query.set(name, value);
    else query.delete(name);
  };
  // What is typed replaces the address; what is chosen is a step that the back button undoes.
  const change = (list, edit, isTyped = false) => {
    edit(list.query);
    const text = list.query.toString().replaceAll("%2F", "/");
    const address = `#/${list.spec.page}${text && `?${text}`}`;
    if (isTyped) history.replaceState(history.state, "", address);
    else history.pushState(null, "", address);
    refresh(list);
  };

  const refresh = (list) => {
    const { spec, query } = list;
    const { found, facets, isFiltered } = matching(list);
    const order = spec.orders[query.get("sort")] ?? Object.values(spec.orders)[0];
    const group = spec.groups[query.get("group") ?? spec.group] ?? spec.groups[spec.group];
    const sorted = order[1] ? [...found].sort(order[1]) : found;
    list.shown = sorted;
    const items = group?.key ? grouped(sorted, group) : sorted;
    const [one, many] = spec.noun;
    list.status.textContent = isFiltered
      ? `${figure(found.length)} of ${count(spec.items.length, one, many)}`
      : count(found.length, one, many);
    list.clear.hidden = !isFiltered;
    drawFacets(list, facets);
    const rows = (list.rows = windowed({
      label: spec.title,
      columns: spec.columns,
      items,
      draw: (item) =>
        item.isGroup
          ? el(
              "div.group-row",
              el(
                "div",
                { role: "rowheader", "aria-colspan": Math.max(1, spec.columns.length) },
                item.head(),
                " ",
                quiet(count(item.size, one, many))
              )
            )
          : spec.row(item)
    }));
    list.results.replaceChildren(
      found.length ? rows.body : el("p.empty", isFiltered ? `No ${one} fits. ` : (spec.empty ?? `There is no ${one}.`))
    );
    rows.start();
  };
  const grouped = (items, group) => {
    const groups = [...model.groups(items, group.key)];
    const ordered = group.order ? groups.sort(([a], [b]) => group.order(a, b)) : groups;
    return ordered.flatMap(([, all]) => [
      { isGroup: true, head: () => group.head(all[0], all), size: all.length },
      ...all
    ]);
  };

  const drawFacets = (list, facets) => {
    const kept = document.activeElement?.dataset?.facet;
    const boxes = facets.map(({ facet, chosen, counts }) => {
      if (facet.isPath) return pathBox(list, facet, [...chosen][0] ?? "", counts);
      for (const value of chosen) if (!counts.has(value)) counts.set(value, 0);
      if (counts.size < 2 && !chosen.size) return null;
      const byCount = (a, b) => chosen.has(b) - chosen.has(a) || counts.get(b) - counts.get(a) || model.compare(a, b);
      const values = [...counts.keys()].sort(facet.order ?? byCount);
      const isWhole = list.unfolded.has(facet.name);
      const drawn = values.slice(0, isWhole ? undefined : SHOWN_VALUES).map((value) =>
        option(list, facet, value, facet.title?.(value) ?? value, counts.get(value), chosen.has(value), (q) => {
          const left = q.getAll(facet.name).filter((one) => one !== value);
          if (!chosen.has(value)) left.push(value);
          q.delete(facet.name);
          for (const one of left) q.append(facet.name, one);
        })
      );
      const more = values.length - drawn.length;
      return box(facet.label, drawn, moreButton(list, facet, more));
    });
    list.facets.replaceChildren(...boxes.filter(Boolean));
    if (kept)
      [...list.facets.querySelectorAll("[data-facet]")]
        .find((button) => button.dataset.facet === kept)
        ?.focus({ preventScroll: true });
  };
  const option = (list, facet, value, title, number, isChosen, edit) =>
    li(
      el(
        "button",
        {
          type: "button",
          "aria-pressed": String(isChosen),
          "data-facet": `${facet.name} ${value}`,
          onclick: () => change(list, edit)
        },
        el("span", title),
        el("span.number", figure(number))
      )
    );
  const moreButton = (list, facet, number) =>
    number > 0 &&
    el(
      "button.more",
      {
        type: "button",
        "data-facet": `${facet.name} more`,
        onclick: () => {
          list.unfolded.add(facet.name);
          refresh(list);
        }
      },
      `${number} more`
    );
  const box = (label, options, more) =>
    el("section", { "aria-label": `Filter by ${label.toLowerCase()}` }, h2(label), el("ul", options), more || "");
  const pathBox = (list, facet, folder, counts) => {
    const values = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a) || model.compare(a, b));
    if (values.length < 2 && !folder) return null;
    const isWhole = list.unfolded.has(facet.name);
    const shown = values.filter((value) => value !== folder).slice(0, isWhole ? undefined : SHOWN_VALUES);
    const upper = folder.replace(/[^/]*\/?$/, "");
    const options = shown.map((value) =>
      option(list, facet, value, value.slice(folder.endsWith("/") ? folder.length : 0), counts.get(value), false, (q) =>
        q.set(facet.name, value)
      )
    );
    if (folder)
      options.unshift(
        li(
          el(
            "button",
            {
              type: "button",
              "aria-pressed": "true",
              "data-facet": `${facet.name} ${folder}`,
              onclick: () => change(list, (q) => put(q, facet.name, upper))
            },
            el("span", folder),
            el("span", { "aria-hidden": "true" }, "×"),
            unseen("leave this folder")
          )
        )
      );
    const more = values.length - shown.length - (folder && values.includes(folder) ? 1 : 0);
    return box(facet.label, options, moreButton(list, facet, more));
  };

  const isHere = () => now !== null && now.results.isConnected && !now.results.closest("[hidden]");
  const step = (by) => {
    const { rows } = now;
    let n = rows.focused() + by;
    while (rows.items[n]?.isGroup) n += by;
    if (rows.items[n]) rows.focus(n);
  };
  addEventListener(
    "scroll",
    () => {
      if (isHere()) now.rows.update();
    },
    { passive: true }
  );
  addEventListener("resize", () => {
    if (isHere()) now.rows.update();
  });
  document.addEventListener(
    "toggle",
    (event) => {
      if (isHere() && now.results.contains(event.target)) now.rows.update();
    },
    true
  );
  const ON_PAPER = 1000;
  addEventListener("beforeprint", () => {
    if (isHere()) now.rows.whole(ON_PAPER, (item) => (!item.isGroup && now.spec.onPaper?.(item)) || "");
  });
  addEventListener("afterprint", () => {
    if (isHere()) now.rows.partly();
  });
  return {
    open,
    step,
    isHere,
    search: () => now.search.focus(),
    end: () => now.rows.end(),
    inSight: () => (isHere() ? now.rows.inSight() : null),
    restore: ({ row, delta, focused }) => {
      if (!isHere() || !now.rows.items.length) return;
      now.rows.show(Math.min(row, now.rows.items.length - 1), delta);
      if (focused >= 0)
        now.rows.body.querySelector(`[data-n="${focused}"] :is(a, button, summary)`)?.focus({ preventScroll: true });
    },
    shown: () => now?.shown ?? [],
    page: () => now?.spec.page,
    address: () => {
      const text = now?.query.toString();
      return `#/${now?.spec.page ?? "findings"}${text ? `?${text}` : ""}`;
    }
  };
})();
