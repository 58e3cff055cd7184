// Before anything is drawn, so that nothing moves or changes its colour later: there is a script, and this is the theme.
document.documentElement.classList.add("live");
try {
  const saved = localStorage.getItem("assay-theme");
  if (saved === "dark" || saved === "light") document.documentElement.dataset.theme = saved;
} catch {
  /* storage is forbidden */
}
