// Light or dark: the reader's choice if there is one, else what the system says. In the head, so that nothing flashes.
"use strict";
(() => {
  const root = document.documentElement;
  const apply = (choice) => {
    if (choice === "light" || choice === "dark") root.dataset.theme = choice;
    else delete root.dataset.theme;
  };
  const kept = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // a browser that keeps nothing
    }
  };
  apply(kept());
  document.addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme")?.addEventListener("click", () => {
      const isDark = root.dataset.theme
        ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      const choice = isDark ? "light" : "dark";
      apply(choice);
      try {
        localStorage.setItem("theme", choice);
      } catch {
        // it holds for this page alone
      }
    });
  });
})();
