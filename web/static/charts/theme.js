/** Colours: read from the style sheet, so that light, dark and a site's own theme reach the canvas. */

/** Give a function that reads a custom property as it holds for an element now. @param {Element} element */
export function palette(element) {
  const style = getComputedStyle(element);
  /** @type {Map<string, string>} */
  const known = new Map();
  return (/** @type {string} */ name) => {
    if (!known.has(name)) known.set(name, style.getPropertyValue(name).trim() || style.color);
    return /** @type {string} */ (known.get(name));
  };
}

/** Call `redraw` when the reader's theme changes, or the page's (data-theme on html); gives what ends that. */
export function onTheme(/** @type {() => void} */ redraw) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(redraw);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "class"] });
  dark.addEventListener("change", redraw);
  return () => {
    observer.disconnect();
    dark.removeEventListener("change", redraw);
  };
}

/** What tells series apart, colour never alone: a colour, a marker and a dash for each. */
const SHAPES = ["circle", "square", "triangle", "diamond", "cross", "down"];
const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3], [12, 4], [4, 2, 1, 2, 1, 2]];

/** @param {number} index @returns {{colour: string, shape: string, dash: number[]}} */
export const look = (index) => ({
  colour: `--chart-${(index % 6) + 1}`,
  shape: SHAPES[(index + Math.floor(index / 6)) % 6],
  dash: DASHES[(index + Math.floor(index / 6)) % 6],
});

/** Viridis (Smith and van der Walt, matplotlib): even in lightness, and safe for colour-blind readers. */
const VIRIDIS = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

/** Give the colour of a place between 0 (the lowest chisq, dark) and 1. @param {number} place */
export function heat(place) {
  const at = Math.min(1, Math.max(0, place)) * (VIRIDIS.length - 1);
  const left = Math.min(VIRIDIS.length - 2, Math.floor(at));
  const mixed = VIRIDIS[left].map((from, i) => Math.round(from + (VIRIDIS[left + 1][i] - from) * (at - left)));
  return `rgb(${mixed.join(" ")})`;
}
