// Before the first paint, so that nothing flashes or moves: a classic script, not a module.
(function () {
  if (location.hash.length > 1) document.documentElement.classList.add("asked");
  try {
    const theme = localStorage.getItem("lit-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // no storage: the system's theme
  }
})();
