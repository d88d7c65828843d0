/** Numbers: what may be drawn, and how they are written for people. */

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const MINUS = "−";

/** @param {number} exponent @returns {string} the exponent in raised digits */
export const raised = (exponent) => String(exponent).replace(/[-\d]/g, (sign) => RAISED[sign]);

/** @param {unknown} value @returns {value is number} */
export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** Give a number, or NaN for anything else. @param {unknown} value */
export const number = (value) => (isNumber(value) ? value : NaN);

/** Give the numbers of a list, NaN where there is none; an empty list for what is no list. @param {unknown} value */
export const numbers = (value) => (Array.isArray(value) ? value.map(number) : []);

/** Give a list as it is, and an empty one for anything else. @param {unknown} value @returns {any[]} */
export const list = (value) => (Array.isArray(value) ? value : []);

/** Give an object, and an empty one for anything else. @param {unknown} value @returns {Record<string, any>} */
export const record = (value) => (value !== null && typeof value === "object" && !Array.isArray(value) ? value : {});

/** Give a text or a number as a text, and `otherwise` for anything else. @param {unknown} value */
export const text = (value, otherwise = "") =>
  typeof value === "string" && value !== "" ? value : isNumber(value) ? written(value) : otherwise;

/** Write a number with some significant digits: 0.01234, 12.3, 4.56×10⁻⁷. @param {number} value */
export function written(value, digits = 4) {
  if (!isNumber(value)) return "none";
  if (value === 0) return "0";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return signed(Number(value.toPrecision(digits)).toString());
  return `${signed(String(Number(mantissa)))}×10${raised(power)}`;
}

/** Write a value with its error, both to two digits of the error: 258.86 ± 0.42, (1.20 ± 0.03)×10⁻⁵. */
export function measured(value, error) {
  if (!isNumber(error) || error <= 0 || !isNumber(value)) return written(value);
  const power = Math.floor(Math.log10(Math.max(Math.abs(value), error)));
  const isPlain = power >= -4 && power < 6;
  const scale = isPlain ? 1 : 10 ** power;
  const decimals = Math.min(12, Math.max(0, 1 - Math.floor(Math.log10(error / scale))));
  const pair = `${signed((value / scale).toFixed(decimals))} ± ${(error / scale).toFixed(decimals)}`;
  return isPlain ? pair : `(${pair})×10${raised(power)}`;
}

const signed = (/** @type {string} */ digits) => digits.replace("-", MINUS);

/** Write a unit as it is printed: 1/Å is Å⁻¹, 1e-6/Å^2 is 10⁻⁶ Å⁻². @param {unknown} unit */
export function unitWords(unit) {
  if (typeof unit !== "string") return "";
  const plain = unit.trim().replace(/[²³⁴]/g, (sign) => ({ "²": "^2", "³": "^3", "⁴": "^4" })[sign] ?? sign);
  const inverse = /^(?:1|1e(-?\d+)|10\^(-?\d+))\/([^\s/^()\d]+)(?:\^?(\d+))?$/.exec(plain);
  if (!inverse) return plain.replace(/\^(-?\d+)/g, (_, power) => raised(power));
  const power = inverse[1] ?? inverse[2];
  return `${power ? `10${raised(Number(power))} ` : ""}${inverse[3]}${raised(-Number(inverse[4] ?? 1))}`;
}

/** Put a unit behind a text, if there is one. */
export const withUnit = (/** @type {string} */ words, /** @type {unknown} */ unit) =>
  unitWords(unit) ? `${words} ${unitWords(unit)}` : words;

/** Give the label of an axis: Q (Å⁻¹). */
export const axisLabel = (/** @type {string} */ name, /** @type {unknown} */ unit) =>
  unitWords(unit) ? `${name} (${unitWords(unit)})` : name;

/** Say how many there are: 1 point, 3 points. */
export const count = (/** @type {number} */ n, /** @type {string} */ noun) =>
  `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
