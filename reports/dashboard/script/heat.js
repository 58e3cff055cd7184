// One stop for the Tab key in the map, arrows inside it; what a cell is about is told when it is reached.
const map = document.getElementById("heat");
if (map) {
  const told = document.getElementById("pointed");
  const heads = [...map.tHead.rows[0].cells].map((head) => head.querySelector("a") ?? head);
  let current = null;
  const links = [...map.tBodies[0].querySelectorAll("td a")];
  for (const link of links) link.tabIndex = -1;
  const enter = (link) => {
    if (current) current.tabIndex = -1;
    current = link;
    link.tabIndex = 0;
  };
  if (links.length) enter(links[0]);
  const tell = (link) => {
    const cell = link.closest("td");
    const head = heads[cell.cellIndex];
    const service = cell.parentElement.cells[0].querySelector("a").textContent;
    told.textContent = `${service}, ${head.textContent} ${head.title}: ${link.textContent.trim()}`;
  };
  map.addEventListener("focusin", (event) => {
    const link = event.target.closest("td a");
    if (!link) return;
    enter(link);
    tell(link);
  });
  map.addEventListener("mouseover", (event) => {
    const link = event.target.closest("td a");
    if (link) tell(link);
  });
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  map.addEventListener("keydown", (event) => {
    const link = event.target.closest("td a");
    const step = steps[event.key];
    if (!link || !step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const rows = [...map.tBodies[0].rows].filter((row) => !row.hidden);
    let row = rows.indexOf(link.closest("tr"));
    let column = link.closest("td").cellIndex;
    let next = null;
    do {
      row += step[0];
      column += step[1];
      next = rows[row]?.cells[column]?.querySelector("a");
    } while (!next && column > 1 && rows[row]?.cells[column]);
    if (next && column > 0) next.focus();
  });
}
