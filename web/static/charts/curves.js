/** Curves of fits: read from the API's answers, whatever is missing there. */

import { isNumber, list, numbers, record, text, written } from "./numbers.js";

/**
 * @typedef {object} Curve
 * @property {string} label
 * @property {Record<string, any>} labels the curve as it came: names, units, kinds
 * @property {Record<string, any>} answer
 * @property {number[]} x ascending
 * @property {number[]} y
 * @property {number[]} dy standard deviations, NaN where there is none
 * @property {number[]} dx half lengths of the bars
 * @property {number[]} model
 * @property {string[]} notes what was left out
 */

/** Read one answer. @returns {Curve} */
export function readCurve(answer, index) {
  const given = record(answer);
  const curve = record(given.curve);
  const half = curve.dxkind === "FWHM" ? 0.5 : 1;
  const columns = { x: curve.x, y: curve.y, dy: curve.dy, dx: curve.dx, model: curve.model };
  const read = Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, numbers(column)]));
  const length = Math.min(read.x.length, Math.max(read.y.length, read.model.length));
  const order = [...Array(length).keys()].filter((i) => isNumber(read.x[i])).sort((a, b) => read.x[a] - read.x[b]);
  const sorted = (column, factor = 1) => order.map((i) => (column[i] ?? NaN) * factor);
  const label = text(given.label, isNumber(given.job) ? `job ${given.job}` : `fit ${index + 1}`);
  return {
    label,
    labels: curve,
    answer: given,
    x: sorted(read.x),
    y: sorted(read.y),
    dy: sorted(read.dy),
    dx: sorted(read.dx, half),
    model: sorted(read.model),
    notes: complaints(label, read, order.length),
  };
}

/** Say which numbers of a curve cannot be drawn. */
function complaints(label, read, drawn) {
  const notes = [];
  const longest = Math.max(...Object.values(read).map((column) => column.length));
  const uneven = Object.entries(read).filter(([, column]) => column.length && column.length !== longest);
  if (uneven.length)
    notes.push(
      `${label}: the columns ${Object.keys(read)
        .filter((name) => read[name].length)
        .join(", ")} have different lengths; what has no partner is left out.`,
    );
  const lost = read.x.length - drawn;
  if (lost && !uneven.length)
    notes.push(`${label}: ${lost} of ${read.x.length} places on the x axis are no numbers, and are left out.`);
  const holes = read.y.filter((value) => Number.isNaN(value)).length;
  if (holes) notes.push(`${label}: ${holes} of ${read.y.length} measured values are no numbers, and are left out.`);
  if (read.y.length && !read.model.length) notes.push(`${label}: the fit gave no model curve.`);
  return notes;
}

/** Give the same curve times x⁴, or as it is. @param {Curve} curve @returns {Curve} */
export function timesQ4(curve, isOn) {
  if (!isOn) return curve;
  const times = (column) => column.map((value, i) => value * curve.x[i] ** 4);
  return { ...curve, y: times(curve.y), dy: times(curve.dy), model: times(curve.model) };
}

/** Give the residuals: over the errors where there are errors. @param {Curve} curve */
export const residuals = ({ y, dy, model }) => {
  const weighted = dy.some((error) => error > 0);
  return { weighted, values: y.map((value, i) => (value - model[i]) / (weighted ? (dy[i] > 0 ? dy[i] : NaN) : 1)) };
};

/** Say whether two curves show the same measurement. @param {Curve} a @param {Curve} b */
export const sameData = (a, b) =>
  a.y.length === b.y.length && a.x.every((x, i) => x === b.x[i]) && a.y.every((y, i) => Object.is(y, b.y[i]));

/** Say how good a fit is. */
export function goodness(answer) {
  const { chisq, reduced_chisq: reduced } = record(answer);
  const words = isNumber(chisq) ? [`χ² ${written(chisq)}`] : [];
  if (isNumber(reduced)) words.push(`reduced χ² ${written(reduced)}`);
  return words.join(", ");
}

/** Count the values that an axis cannot show because they are not positive. @param {number[][]} columns */
export const notPositive = (columns) => columns.flat().filter((value) => value <= 0).length;

/** Read the SLD profile of an answer. */
export function readProfile(answer, index) {
  const given = record(answer);
  const profile = record(given.profile);
  const [z, sld] = [numbers(profile.z), numbers(profile.sld)];
  const length = Math.min(z.length, sld.length);
  const label = text(given.label, isNumber(given.job) ? `job ${given.job}` : `fit ${index + 1}`);
  const uneven = list(profile.z).length !== list(profile.sld).length;
  const notes = uneven ? [`${label}: z and sld have different lengths; what has no partner is left out.`] : [];
  return { label, z: z.slice(0, length), sld: sld.slice(0, length), notes, answer: given };
}
