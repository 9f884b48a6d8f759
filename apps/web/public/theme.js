// Sets the theme before the first paint, so that a dark page never flashes white. A file of its own, because the
// server's content policy allows no inline scripts.
(() => {
  let stored = null;
  try {
    stored = JSON.parse(localStorage.getItem("spotter.theme"));
  } catch {
    // Storage may be forbidden or hold something else; then the system's theme decides.
    stored = null;
  }
  const dark =
    stored === "dark" || (stored !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();
