// Light or dark by the reader's choice, kept in a cookie: the page comes with it (framing.py), so that nothing flashes.

const YEAR = 365 * 24 * 3600; // seconds
const root = document.documentElement;

document.getElementById("theme")?.addEventListener("click", () => {
  const isDark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  document.cookie = `park-theme=${root.dataset.theme}; path=/; max-age=${YEAR}; samesite=lax`;
});
