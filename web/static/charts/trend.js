/** The chart of a batch: a parameter, or chisq, against the sequence number or what is known of each data set. */

import { bars, line, points } from "./marks.js";
import {
  axisLabel,
  count,
  isNumber,
  list,
  measured,
  number,
  numbers,
  record,
  text,
  withUnit,
  written,
} from "./numbers.js";
import { span } from "./scales.js";

const SEQUENCE = "sequence";

/** @type {import("./chart.js").Kind} */
export function trend(answers, settings) {
  const answer = record(answers[0]);
  const columns = list(answer.columns)
    .map(record)
    .map((column, i) => ({
      ...column,
      id: `${text(column.kind)}:${text(column.name, String(i))}`,
      name: text(column.name, `column ${i + 1}`),
    }));
  const drawable = columns.filter(({ values }) => numbers(values).some(isNumber));
  const ys = drawable.filter(({ kind }) => kind !== "metadata");
  if (!ys.length) return { words: "", notes: [], legend: [], tools: [], empty: "No data set has been fitted yet." };
  const xs = columns.filter(
    ({ kind, values }) => kind === "metadata" && list(values).some((value) => text(value) !== ""),
  );
  const y = ys.find(({ id }) => id === settings.y) ?? ys.find(({ kind }) => kind === "parameter") ?? ys[0];
  const x = xs.find(({ id }) => id === settings.x);
  const place = placing(x, list(y.values).length);
  const rows = rowsOf(answer, y, place);
  const logY = Boolean(settings.logY ?? y.kind === "chisq");
  const logX = Boolean(settings.logX) && !place.ticks;
  const hasBars = settings.bars ?? true;
  const tools = toolsOf({
    xs,
    ys,
    x,
    y,
    logX,
    logY,
    hasBars,
    settings,
    hasErrors: rows.some(({ error }) => error > 0),
    isWords: Boolean(place.ticks),
  });
  const notes = notesOf(y, rows, logX, logY);
  const reach = logY || !hasBars ? [] : rows.flatMap(({ at, error }) => (error > 0 ? [at - error, at + error] : []));
  const full = {
    x: place.full ?? span([rows.map(({ x: at }) => at)], logX, 0.03),
    y: span([rows.map(({ at }) => at), reach], logY, 0.06),
  };
  if (!full.x || !full.y)
    return {
      words: "",
      notes,
      legend: [],
      tools,
      empty: "None of the numbers can be drawn on these axes; try the linear ones.",
    };
  const column = (name) => rows.map((row) => row[name]);
  const marks = { x: column("x"), y: column("at") };
  return {
    x: { key: `x ${x?.id ?? SEQUENCE} ${logX}`, label: place.label, log: logX, full: full.x, ticks: place.ticks },
    panels: [
      {
        name: "main",
        key: `y ${y.id} ${logY}`,
        label: axisLabel(y.name, y.unit),
        log: logY,
        full: full.y,
        height: (width) => Math.min(360, Math.max(220, width * 0.45)),
        layers: [
          ...(settings.joined ? [line({ ...sorted(marks), colour: "--bars", width: 1 })] : []),
          ...(hasBars ? [bars({ ...marks, dy: column("error"), colour: "--bars" })] : []),
          points({ ...marks, colour: "--data", size: rows.length > 600 ? 1.8 : 2.8 }),
        ],
      },
    ],
    points: rows
      .filter(({ at, x: left }) => isNumber(at) && isNumber(left))
      .sort((a, b) => a.x - b.x)
      .map((row) => ({
        x: row.x,
        y: row.at,
        panel: 0,
        series: 0,
        say: () =>
          [
            row.label,
            `${place.name} ${place.words(row.index)}`,
            `${y.name} ${withUnit(measured(row.at, row.error), y.unit)}`,
          ]
            .filter(Boolean)
            .join(" · "),
      })),
    pull: 0.3,
    words: [
      `${y.name} against ${place.name} of ${count(rows.length, "data set")}`,
      hasBars && rows.some(({ error }) => error > 0) ? "with error bars" : "",
      `${logY ? "logarithmic" : "linear"} y axis.`,
    ]
      .filter(Boolean)
      .join(", "),
    notes,
    legend: [],
    tools,
  };
}

/** Where each data set stands on the x axis: at its number, at a value, or at its word. */
function placing(x, length) {
  if (!x)
    return {
      name: "sequence number",
      label: "sequence number",
      at: (i) => i + 1,
      words: (i) => String(i + 1),
      full: /** @type {[number, number]} */ ([0.5 - length * 0.02, length + 0.5 + length * 0.02]),
    };
  const label = axisLabel(x.name, x.unit);
  const values = list(x.values);
  const known = values.filter((value) => text(value) !== "");
  if (known.every(isNumber))
    return {
      name: x.name,
      label,
      at: (i) => number(values[i]),
      words: (i) => withUnit(written(number(values[i]), 5), x.unit),
    };
  const asked = known.map((value) => (typeof value === "string" && value.trim() !== "" ? Number(value) : value));
  if (asked.every(isNumber))
    return {
      name: x.name,
      label,
      at: (i) => (text(values[i]) === "" ? NaN : Number(values[i])),
      words: (i) => withUnit(text(values[i]), x.unit),
    };
  const words = [...new Set(known.map((value) => text(value)))];
  const ticks = words.map((word, at) => ({ at, label: word.length > 16 ? `${word.slice(0, 15)}…` : word }));
  const at = (i) => (words.includes(text(values[i])) ? words.indexOf(text(values[i])) : NaN);
  return {
    name: x.name,
    label,
    at,
    words: (i) => text(values[i]),
    ticks,
    full: /** @type {[number, number]} */ ([-0.6, words.length - 0.4]),
  };
}

function rowsOf(answer, y, place) {
  const errors = numbers(y.errors);
  const labels = list(answer.labels);
  return numbers(y.values).map((at, index) => ({
    index,
    at,
    x: place.at(index),
    error: errors[index] ?? NaN,
    label: text(labels[index]),
  }));
}

function sorted({ x, y }) {
  const order = [...x.keys()].filter((i) => isNumber(x[i]) && isNumber(y[i])).sort((a, b) => x[a] - x[b]);
  return { x: order.map((i) => x[i]), y: order.map((i) => y[i]) };
}

function toolsOf({ xs, ys, x, y, logX, logY, hasBars, settings, hasErrors, isWords }) {
  const named = (column) => /** @type {[string, string]} */ ([column.id, column.name]);
  return [
    { key: "y", label: "Show", options: ys.map(named), value: y.id },
    {
      key: "x",
      label: "against",
      options: [[SEQUENCE, "sequence number"], ...xs.map(named)],
      value: x?.id ?? SEQUENCE,
    },
    { key: "logY", label: "log y", on: logY },
    ...(isWords ? [] : [{ key: "logX", label: "log x", on: logX }]),
    ...(hasErrors ? [{ key: "bars", label: "Errors", title: "Error bars: one standard deviation", on: hasBars }] : []),
    { key: "joined", label: "Line", title: "Join the points", on: Boolean(settings.joined) },
  ];
}

function notesOf(y, rows, logX, logY) {
  const notes = [];
  const lost = rows.filter(({ at, x }) => !isNumber(at) || !isNumber(x)).length;
  if (lost) notes.push(`${count(lost, "data set")} of ${rows.length} without these values cannot be drawn.`);
  const low = rows.filter(({ at, x }) => (logY && at <= 0) || (logX && x <= 0)).length;
  if (low) notes.push(`${count(low, "value")} at or below zero cannot stand on a logarithmic axis.`);
  return notes;
}
