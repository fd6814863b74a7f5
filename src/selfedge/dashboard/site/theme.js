// Before anything is painted: the theme that was chosen here, if any.
const chosen = localStorage.getItem("selfedge-theme");
if (chosen === "dark" || chosen === "light") {
  document.documentElement.dataset.theme = chosen;
}
