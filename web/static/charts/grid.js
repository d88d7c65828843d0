/** Grids: a map of chisq read from the API, its axes with the edges of their cells, and a view of two of them. */

import { isNumber, list, number, numbers, record, text, written } from "./numbers.js";

/**
 * @typedef {object} Side one axis of a map
 * @property {string} name
 * @property {string[]} words the value of each step as it was written
 * @property {number[]} at where each step stands: its value, or its number where the values are words
 * @property {number[]} edges one more than steps
 * @property {boolean} isWords
 * @typedef {{x: Side, y: Side, cells: number[]}} Plane cells row by row along y; NaN where there is none
 */

/** Read the axes of a map; those that do not fit are an empty list. @returns {Side[]} */
export function sides(answer) {
  return list(record(answer).axes)
    .map(record)
    .map((axis, i) => sideOf(text(axis.name, `axis ${i + 1}`), list(axis.values)));
}

function sideOf(name, values) {
  const words = values.map((value) => text(value, "?"));
  const asked = words.map((word) => (word.trim() === "" ? NaN : Number(word)));
  const given = values.map((value, i) => (isNumber(value) ? value : asked[i]));
  const ways = given.slice(1).map((value, i) => Math.sign(value - given[i]));
  const isWords = !given.every(isNumber) || !ways.every((way) => way !== 0 && way === ways[0]);
  const at = isWords ? words.map((_, i) => i) : given;
  return { name, words, at, edges: edgesOf(at), isWords };
}

/** The edges of cells: half way between their centres. */
function edgesOf(at) {
  if (at.length === 1) return [at[0] - (Math.abs(at[0]) * 0.05 || 0.5), at[0] + (Math.abs(at[0]) * 0.05 || 0.5)];
  const middles = at.slice(1).map((value, i) => (value + at[i]) / 2);
  return [
    at[0] - (middles[0] - at[0]),
    ...middles,
    at[at.length - 1] + (at[at.length - 1] - middles[middles.length - 1]),
  ];
}

/** Give the axis's ticks where its values are words. @param {Side} side */
export const ticksOf = (side) =>
  side.isWords
    ? side.words.map((label, at) => ({ at, label: label.length > 14 ? `${label.slice(0, 13)}…` : label }))
    : undefined;

/** Give the whole range of an axis, the smaller end first. @param {Side} side @returns {[number, number]} */
export const reach = ({ edges }) =>
  /** @type {[number, number]} */ ([edges[0], edges[edges.length - 1]].sort((a, b) => a - b));

/** Give the smallest chisq over all other axes on the plane of two. @param {Side[]} axes @returns {Plane | null} */
export function plane(answer, axes, across, up) {
  const cells = numbers(record(answer).chisq);
  const size = axes.reduce((product, { words }) => product * words.length, 1);
  if (!size || cells.length !== size) return null;
  const strides = axes.map((_, i) => axes.slice(i + 1).reduce((product, { words }) => product * words.length, 1));
  const [x, y] = [axes[across], axes[up]];
  const columns = x.words.length;
  const least = new Array(columns * y.words.length).fill(NaN);
  for (let i = 0; i < size; i++) {
    const column = Math.floor(i / strides[across]) % columns;
    const row = Math.floor(i / strides[up]) % y.words.length;
    const place = row * columns + column;
    if (isNumber(cells[i]) && !(least[place] <= cells[i])) least[place] = cells[i];
  }
  return { x, y, cells: least };
}

/** Give the smallest chisq along one axis. @param {Side[]} axes */
export function along(answer, axes, index) {
  const kept = numbers(list(record(answer).profiles)[index]);
  if (kept.length === axes[index].words.length) return kept;
  const cells = numbers(record(answer).chisq);
  return axes.length === 1 && cells.length === axes[0].words.length ? cells : null;
}

/** Read the minima: their chisq, and the step along each axis. @param {Side[]} axes */
export function minima(answer, axes) {
  return list(record(answer).minima)
    .map(record)
    .map(({ chisq, point }) => ({
      chisq: number(chisq),
      steps: axes.map(({ name, words }) => words.indexOf(text(record(point)[name]))),
    }))
    .filter(({ chisq, steps }) => isNumber(chisq) && steps.every((step) => step >= 0));
}

/**
 * Round numbers between two chisq, for thin lines beside the regions: so many of each decade as can be told apart, or
 * even steps within one.
 */
export function roundLevels(low, high, isLog) {
  if (!(high > low)) return [];
  if (!isLog || high / low < 10) {
    const rough = (high - low) / 6;
    const decade = 10 ** Math.floor(Math.log10(rough));
    const step = decade * ([1, 2, 5].find((n) => n * decade >= rough) ?? 10);
    const first = Math.floor(low / step) + 1;
    return Array.from({ length: 12 }, (_, n) => (first + n) * step).filter((at) => at < high);
  }
  const first = Math.floor(Math.log10(low));
  const last = Math.min(Math.ceil(Math.log10(high)), first + 30);
  const parts = last - first > 4 ? [1] : last - first > 2 ? [1, 3] : [1, 2, 5];
  const decades = Array.from({ length: last - first + 1 }, (_, n) => 10 ** (first + n));
  return decades.flatMap((decade) => parts.map((part) => part * decade)).filter((at) => at > low && at < high);
}

/** Whether a map says its confidence regions. */
export const hasRegions = (answer) => list(record(answer).regions).map(record).some(({ delta }) => isNumber(delta));

/** The levels of contours: of the confidence regions where the map has them, else even steps of the colours. */
export function levelsOf(answer, low, high, isLog) {
  const regions = list(record(answer).regions)
    .map(record)
    .filter(({ delta, confidence }) => isNumber(delta) && isNumber(confidence));
  if (regions.length)
    return regions.map(({ delta, confidence }) => ({
      at: low + delta,
      label: `${written(confidence * 100, 3)} % (Δχ² ${written(delta, 3)})`,
    }));
  const steps = [1, 2, 3, 4].map((n) => n / 5);
  return steps
    .map((part) => (isLog ? low * (high / low) ** part : low + (high - low) * part))
    .map((at) => ({ at, label: `χ² ${written(at, 3)}` }));
}
