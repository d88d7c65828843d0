/** Scales: how far an axis reaches, and where its ticks stand. */

import { raised, written } from "./numbers.js";

/** @typedef {{at: number, label: string}} Tick */
/** @typedef {{major: Tick[], minor: number[]}} Ticks */

/**
 * Give the range of all drawable numbers with some room at both ends; null if there is none.
 * On a logarithmic axis only positive numbers count.
 * @param {Iterable<number>[]} columns
 * @returns {[number, number] | null}
 */
export function span(columns, log = false, room = 0.04) {
  let low = Infinity;
  let high = -Infinity;
  for (const column of columns)
    for (const value of column)
      if (Number.isFinite(value) && (!log || value > 0)) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
  if (low > high) return null;
  return log ? spread(Math.log10(low), Math.log10(high), room, 0.3).map(power) : spread(low, high, room, null);
}

/** 10 to a power, kept inside what a double can hold. */
const power = (/** @type {number} */ exponent) => 10 ** Math.min(307, Math.max(-307, exponent));

/** @returns {[number, number]} */
function spread(low, high, room, alone) {
  const width = high - low;
  const least = Math.max(Math.abs(low), Math.abs(high)) * 1e-9;
  const added = width > least ? width * room : (alone ?? (Math.abs(low) * 0.1 || 1));
  return [low - added, high + added];
}

/** Give about `wanted` round steps between two numbers. @returns {Ticks} */
export function linearTicks(low, high, wanted) {
  const rough = (high - low) / Math.max(1, wanted);
  if (!(rough > 0) || !Number.isFinite(rough)) return { major: [], minor: [] };
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * (rough / unit > 5 ? 10 : rough / unit > 2 ? 5 : rough / unit > 1 ? 2 : 1);
  const decimals = Math.min(100, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const isPlain = largest < 1e6 && step >= 1e-5;
  const parts = step === unit * 2 ? 2 : 5;
  const major = [];
  const minor = [];
  for (let n = Math.ceil((low / step) * parts - 1e-9); n <= Math.floor((high / step) * parts + 1e-9); n++) {
    const at = (n / parts) * step;
    if (n % parts) minor.push(at);
    else major.push({ at, label: isPlain ? plain(at, decimals) : scientific(at, step, largest) });
    if (major.length + minor.length > 500) break; // numbers too close to be told apart
  }
  return { major, minor };
}

const plain = (at, decimals) => (at === 0 ? 0 : at).toFixed(decimals).replace("-", "−");

/** Write a tick with one power for the whole axis. */
function scientific(at, step, largest) {
  if (Math.abs(at) < step * 1e-6) return "0";
  const exponent = Math.floor(Math.log10(largest) + 1e-9);
  const decimals = Math.min(20, Math.max(0, Math.ceil(exponent - Math.log10(step) - 1e-9)));
  return `${(at / 10 ** exponent).toFixed(decimals).replace("-", "−")}×10${raised(exponent)}`;
}

/**
 * Give the ticks of a logarithmic axis: powers of ten, or finer steps where fewer than two are in view.
 * @returns {Ticks}
 */
export function logTicks(low, high, wanted) {
  if (!(low > 0) || !(high > low)) return { major: [], minor: [] };
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  if (last - first < 1) return fineTicks(low, high, wanted);
  const every = Math.max(1, Math.ceil((last - first + 1) / Math.max(2, wanted)));
  const isPlain = first >= -2 && last <= 3;
  const major = [];
  const minor = [];
  for (let exponent = first - 1; exponent <= last; exponent++) {
    const at = 10 ** exponent;
    if (exponent >= first && exponent % every === 0)
      major.push({ at, label: isPlain ? written(at) : `10${raised(exponent)}` });
    else if (exponent >= first) minor.push(at);
    if (every === 1) for (let n = 2; n < 10; n++) if (n * at >= low && n * at <= high) minor.push(n * at);
  }
  return { major, minor };
}

/** Ticks at 1, 2 and 5, or as on a linear axis where the view is narrower still. */
function fineTicks(low, high, wanted) {
  const major = [];
  const minor = [];
  for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.ceil(Math.log10(high)); exponent++)
    for (let n = 1; n < 10; n++) {
      const at = n * 10 ** exponent;
      if (at < low || at > high) continue;
      if ([1, 2, 5].includes(n)) major.push({ at, label: written(at) });
      else minor.push(at);
    }
  return major.length >= 3 ? { major, minor } : linearTicks(low, high, wanted);
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

/** Give the ticks of a clock in local time; the numbers are seconds since 1970. @returns {Ticks} */
export function clockTicks(low, high, wanted) {
  const rough = (high - low) / Math.max(1, wanted);
  const step = STEPS.find((seconds) => seconds >= rough) ?? Math.ceil(rough / 86400) * 86400;
  const zone = new Date(low * 1000).getTimezoneOffset() * 60;
  const major = [];
  for (let at = Math.ceil((low - zone) / step) * step + zone; at <= high && major.length < 100; at += step)
    major.push({ at, label: clock(at, step) });
  return { major, minor: [] };
}

/** Write a time as the steps need it: with seconds, minutes, or the day. */
function clock(seconds, step) {
  const moment = new Date(seconds * 1000);
  const pair = (/** @type {number} */ part) => String(part).padStart(2, "0");
  const day = `${moment.getFullYear()}-${pair(moment.getMonth() + 1)}-${pair(moment.getDate())}`;
  const hour = `${pair(moment.getHours())}:${pair(moment.getMinutes())}`;
  if (step >= 86400) return day;
  return step < 60 ? `${hour}:${pair(moment.getSeconds())}` : hour;
}

/** Write a moment in full, in local time. @param {number} seconds since 1970 */
export const moment = (seconds) => `${clock(seconds, 86400)} ${clock(seconds, 1)}`;
