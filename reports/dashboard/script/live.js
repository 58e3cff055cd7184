// Asks from time to time whether the store still tells what this page shows. What is new is said, and shown when it is
// asked for: a page that changes by itself takes away what somebody reads.
const stream = document.getElementById("stream");
const [news, show, follow] = ["p", "button", "input"].map((name) => stream.querySelector(name));
const PAUSE = 3000;
const KEY = "assay-follow";
const say = (text, isNew) => {
  // The same words again would be read aloud again.
  if (news.textContent !== text) news.textContent = text;
  show.hidden = !isNew;
  stream.classList.toggle("news", text !== "");
  if (isNew && follow.checked) location.reload();
};
let waiting = 0;
const ask = async () => {
  clearTimeout(waiting);
  if (document.hidden) return;
  try {
    const answer = await fetch(stream.dataset.news, { cache: "no-store", signal: AbortSignal.timeout(20000) });
    const told = await answer.json();
    say(told.text, answer.ok && told.text !== "");
  } catch {
    say("The dashboard doesn't answer: what is shown may be old.", false);
  }
  clearTimeout(waiting);
  waiting = setTimeout(ask, PAUSE);
};
show.addEventListener("click", () => location.reload());
try {
  follow.checked = localStorage.getItem(KEY) === "yes";
} catch {
  /* storage is forbidden */
}
follow.addEventListener("change", () => {
  try {
    localStorage.setItem(KEY, follow.checked ? "yes" : "no");
  } catch {
    /* storage is forbidden */
  }
  if (follow.checked && !show.hidden) location.reload();
});
document.addEventListener("visibilitychange", ask);
addEventListener("pageshow", ask);
