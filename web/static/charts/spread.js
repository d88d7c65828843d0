/** The chart of spread: where each parameter ended in its box, for every start; colour and height say how good. */

import { marker } from "./marks.js";
import { count, isNumber, list, number, record, text, withUnit, written } from "./numbers.js";
import { heat } from "./theme.js";

const STRIP = 62; // CSS pixels
const HEAD = 0.32; // of a strip, for the words above the box
const ROOM = 0.48; // of a strip, for the points: the best at the top

/** @type {import("./chart.js").Kind} */
export function spread(answers, _, colour) {
  const answer = record(answers[0]);
  const all = list(answer.parameters).map(record).map(readStrip);
  const strips = all.filter(({ values }) => values.length);
  const notes = all
    .filter(({ lost }) => lost)
    .map(({ name, lost }) => `${name}: ${count(lost, "value")} cannot be drawn.`);
  if (!strips.length) return { words: "", notes, legend: [], tools: [], empty: "No start has given parameters yet." };

  const ranks = ranking(strips);
  const isFlipped = colour("--heat-flip") === "1";
  const tint = (chisq) => heat(isFlipped ? 1 - ranks.place(chisq) : ranks.place(chisq));
  const height = (strip, chisq) => strips.length - strip - HEAD - 0.1 - ranks.place(chisq) * ROOM;
  const open = strips.filter(({ isBox }) => !isBox).map(({ name }) => name);
  if (open.length) notes.push(`Without bounds, and so shown from the lowest to the highest value: ${open.join(", ")}.`);
  const range = /** @type {[number, number]} */ ([-0.04, 1.04]);
  return {
    x: {
      label: "place between the bounds",
      full: range,
      ticks: [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, label: { 0: "low", 0.5: "middle", 1: "high" }[at] ?? "" })),
    },
    panels: [
      {
        name: "main",
        key: strips.map(({ name }) => name).join(),
        label: "",
        full: [0, strips.length],
        ticks: [],
        height: () => strips.length * STRIP,
        layers: [boxes(strips), dots(strips, height, tint), best(strips, height)],
      },
    ],
    points: strips.flatMap((strip, series) =>
      strip.values.map((one) => ({
        x: one.place,
        y: height(series, one.chisq),
        panel: 0,
        series,
        job: one.job,
        id: `${strip.name} ${one.job} ${one.value}`,
        say: () => readOut(strip, one),
      })),
    ),
    words: wordsOf(strips),
    notes,
    legend: [
      {
        label: "best",
        draw: (ctx, width, high) =>
          marker(ctx, "diamond", width / 2, high / 2, 4, colour("--best"), colour("--paper"), 1.75),
      },
    ],
    scale: ends(ranks, isFlipped),
    tools: [],
  };
}

/** Read one parameter: values in its box, the place of each between the bounds, and the best. */
function readStrip(given) {
  const rows = list(given.values)
    .map(list)
    .map(([value, chisq, job]) => ({ value: number(value), chisq: number(chisq), job }));
  const values = rows
    .filter(({ value, chisq }) => isNumber(value) && isNumber(chisq))
    .sort((a, b) => a.value - b.value);
  const isBox = isNumber(given.min) && isNumber(given.max) && given.max > given.min;
  const low = isBox ? given.min : (values[0]?.value ?? 0);
  const high = isBox ? given.max : (values.at(-1)?.value ?? 1);
  const placed = values.map((one) => ({ ...one, place: high > low ? (one.value - low) / (high - low) : 0.5 }));
  const first = placed.reduce((least, one) => (one.chisq < (least?.chisq ?? Infinity) ? one : least), undefined);
  return {
    name: text(given.name, "a parameter without a name"),
    unit: given.unit,
    low,
    high,
    isBox,
    values: placed,
    best: first,
    lost: rows.length - values.length,
  };
}

/** Place chisq between 0, the best, and 1, on a logarithmic scale where all are positive. */
function ranking(strips) {
  const values = strips.flatMap((strip) => strip.values.map(({ chisq }) => chisq));
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const place = (chisq) => {
    if (!(high > low)) return 0;
    return low > 0 ? Math.log(chisq / low) / Math.log(high / low) : (chisq - low) / (high - low);
  };
  return { low, high, place };
}

const ends = ({ low, high }, isFlipped) => ({ name: "χ²", low: written(low), high: written(high), isFlipped });

/** Cut a long name, so that the strips keep their room. */
const shortened = (name) => (name.length > 18 ? `${name.slice(0, 17)}…` : name);

/** The box of each parameter, with its name and bounds above. */
function boxes(strips) {
  return ({ ctx, x, y, ratio, box, colour }) => {
    ctx.save();
    ctx.font = `${12 * ratio}px system-ui, sans-serif`;
    ctx.textBaseline = "bottom";
    strips.forEach(({ name, unit, low, high, isBox }, i) => {
      const [left, right] = [x(0), x(1)];
      const [top, bottom] = [y(strips.length - i - HEAD), y(strips.length - i - 0.96)];
      ctx.fillStyle = colour("--panel");
      ctx.fillRect(left, top, right - left, bottom - top);
      ctx.strokeStyle = colour(isBox ? "--axis" : "--line");
      ctx.setLineDash(isBox ? [] : [3 * ratio, 3 * ratio]);
      ctx.lineWidth = ratio;
      ctx.strokeRect(left, top, right - left, bottom - top);
      const rim = Math.min(right, box.left + box.width - 6 * ratio);
      ctx.fillStyle = colour("--ink");
      ctx.textAlign = "left";
      ctx.fillText(shortened(name), Math.max(left, box.left + 6 * ratio), top - 2 * ratio);
      ctx.fillStyle = colour("--soft");
      ctx.textAlign = "right";
      ctx.fillText(withUnit(`${written(low)} to ${written(high)}`, unit), rim, top - 2 * ratio);
    });
    ctx.restore();
  };
}

/** Every start; the worst first, so that the good ones lie on top. */
function dots(strips, height, tint) {
  const rows = strips.flatMap((strip, series) =>
    strip.values.map((one) => ({ ...one, top: height(series, one.chisq) })),
  );
  rows.sort((a, b) => b.chisq - a.chisq);
  return ({ ctx, x, y, ratio }) => {
    const size = (rows.length > 4000 ? 1.5 : 2.6) * ratio;
    for (const { place, top, chisq } of rows) {
      ctx.fillStyle = tint(chisq);
      ctx.beginPath();
      ctx.arc(x(place), y(top), size, 0, 2 * Math.PI);
      ctx.fill();
    }
  };
}

function best(strips, height) {
  return ({ ctx, x, y, ratio, colour }) => {
    strips.forEach((strip, i) => {
      const [left, top] = [x(strip.best.place), y(height(i, strip.best.chisq))];
      marker(ctx, "diamond", left, top, 4.5 * ratio, colour("--best"), colour("--paper"), 1.75 * ratio);
    });
  };
}

function readOut({ name, unit, best: first }, { value, chisq, job }) {
  const number_ = text(job);
  const which = value === first.value && chisq === first.chisq ? " (the best)" : "";
  return [
    `${name} ${withUnit(written(value, 6), unit)}`,
    `χ² ${written(chisq, 5)}${which}`,
    number_ && `job ${number_}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

function wordsOf(strips) {
  const each = strips.map(
    ({ name, unit, best: first, low, high }) =>
      `${name} ${withUnit(written(first.value), unit)} in ${written(low, 3)} to ${written(high, 3)}`,
  );
  const starts = strips.reduce((most, { values }) => Math.max(most, values.length), 0);
  const what = `Where ${count(starts, "start")} ended, one strip for each parameter, the best at the top of its strip.`;
  return `${what} Best values: ${each.join("; ")}.`;
}
