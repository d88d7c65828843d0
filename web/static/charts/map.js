/** The chart of a chisq map: two axes as a heat map with contours and minima, one axis as a line. */

import { along, hasRegions, levelsOf, minima, plane, reach, roundLevels, sides, ticksOf } from "./grid.js";
import { DASHES, cellLayer, contourLayer, minimaLayer, placing, thinLayer } from "./heatmap.js";
import { marker, level, line, points } from "./marks.js";
import { count, isNumber, text, written } from "./numbers.js";
import { span } from "./scales.js";

const NOTHING = { words: "", notes: [], legend: [], tools: [] };

/** @type {import("./chart.js").Kind} */
export function map(answers, settings, colour) {
  const [answer] = answers;
  const axes = sides(answer);
  if (!axes.length || axes.some(({ words }) => !words.length)) return { ...NOTHING, empty: "This map has no axes." };
  const names = axes.map(({ name }) => name);
  const chosen = (key, otherwise) => (names.includes(settings[key]) ? names.indexOf(settings[key]) : otherwise);
  const across = chosen("x", 0);
  const up = settings.y === "" ? -1 : chosen("y", across === 0 ? 1 : 0);
  const drawn = up >= 0 && up < axes.length && up !== across ? plane(answer, axes, across, up) : null;
  const tools = toolsOf(axes, across, drawn ? up : -1, settings);
  const notes = [];
  if (axes.length > 1 && !drawn && up >= 0 && up !== across)
    notes.push(
      "The map is too large to be drawn whole, or its cells are missing: shown is the smallest χ² along one axis.",
    );
  if (axes.length > (drawn ? 2 : 1)) notes.push("Along the other axes the smallest χ² is taken.");
  const found = minima(answer, axes);
  return drawn
    ? twoAxes(answer, axes, { across, up, drawn, found, tools, notes }, settings, colour)
    : oneAxis(answer, axes, { across, found, tools, notes }, settings, colour);
}

function toolsOf(axes, across, up, settings) {
  const named = /** @type {[string, string][]} */ (axes.map(({ name }) => [name, name]));
  const choices =
    axes.length < 2
      ? []
      : [
          { key: "x", label: "across", options: named, value: axes[across].name },
          {
            key: "y",
            label: "up",
            options: [...named.filter(([name]) => name !== axes[across].name), ["", "χ²"]],
            value: up >= 0 ? axes[up].name : "",
          },
        ];
  const isOrdered = up >= 0 && !axes[across].isWords && !axes[up].isWords; // between words lies nothing
  const heat = !isOrdered ? [] : [{ key: "contours", label: "Contours", on: settings.contours ?? true }];
  return [...choices, { key: "log", label: "log χ²", on: settings.log ?? true }, ...heat];
}

function twoAxes(answer, axes, { across, up, drawn, found, tools, notes }, settings, colour) {
  const { x, y, cells } = drawn;
  const values = cells.filter(isNumber);
  if (!values.length) return { ...NOTHING, notes, tools, empty: "No cell of this map has a χ² yet." };
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const isLog = (settings.log ?? true) && low > 0;
  if ((settings.log ?? true) && low <= 0) notes.push("χ² at or below zero: the colours are on a linear scale.");
  const empty = cells.length - values.length;
  if (empty) notes.push(`${count(empty, "cell")} of ${cells.length.toLocaleString("en")} without χ²: hatched.`);
  const hasContours = (settings.contours ?? true) && !x.isWords && !y.isWords;
  const levels = hasContours ? levelsOf(answer, low, high, isLog).filter(({ at }) => at < high) : [];
  const outermost = levels.reduce((most, { at }) => Math.max(most, at), low);
  const thin = hasContours && hasRegions(answer) ? roundLevels(outermost, high, isLog) : [];
  const marks = found.map(({ steps }) => ({ left: x.at[steps[across]], up: y.at[steps[up]] }));
  const columns = x.at.length;
  return {
    x: { label: x.name, full: reach(x), ticks: ticksOf(x) },
    panels: [
      {
        name: "main",
        label: y.name,
        full: reach(y),
        ticks: ticksOf(y),
        height: (width) => Math.min(480, Math.max(260, width * 0.62)),
        layers: [
          cellLayer(drawn, placing(low, high, isLog)),
          thinLayer(drawn, thin),
          contourLayer(drawn, levels),
          minimaLayer(marks),
        ],
      },
    ],
    points: cells.map((chisq, i) => ({
      x: x.at[i % columns],
      y: y.at[Math.floor(i / columns)],
      panel: 0,
      series: Math.floor(i / columns),
      say: () =>
        [
          `${x.name} ${x.words[i % columns]}`,
          `${y.name} ${y.words[Math.floor(i / columns)]}`,
          isNumber(chisq) ? `χ² ${written(chisq, 6)} · Δχ² ${written(chisq - low)}` : "no χ² yet",
        ].join(" · "),
    })),
    isPlane: true,
    step: (index, key) => stepped(index, key, columns, y.at.length, [x, y]),
    words: [
      `Map of χ² over ${x.name} (${count(columns, "step")}) and ${y.name} (${count(y.at.length, "step")}),`,
      `${count(values.length, "cell")} filled; from ${written(low)} to ${written(high)},`,
      `${isLog ? "logarithmic" : "linear"} colours. ${minimumWords(found, axes)}`,
    ].join(" "),
    notes,
    legend: legendOf(levels, thin, found, colour),
    scale: { name: isLog ? "χ² (logarithmic)" : "χ²", low: written(low), high: written(high) },
    tools,
  };
}

/** Where an arrow leads on the grid: to the neighbour that lies that way, though an axis may fall. */
function stepped(index, key, columns, rows, [x, y]) {
  const way = (side) => (side.at[side.at.length - 1] < side.at[0] ? -1 : 1);
  const moves = { ArrowLeft: [-way(x), 0], ArrowRight: [way(x), 0], ArrowUp: [0, way(y)], ArrowDown: [0, -way(y)] };
  const [dx, dy] = moves[key];
  const [column, row] = [(index % columns) + dx, Math.floor(index / columns) + dy];
  return column < 0 || column >= columns || row < 0 || row >= rows ? index : row * columns + column;
}

function oneAxis(answer, axes, { across, found, tools, notes }, settings, colour) {
  const axis = axes[across];
  const values = along(answer, axes, across);
  const order = [...axis.at.keys()].sort((a, b) => axis.at[a] - axis.at[b]);
  const x = order.map((i) => axis.at[i]);
  const y = order.map((i) => values?.[i] ?? NaN);
  const isLog = (settings.log ?? true) && y.some((chisq) => chisq > 0);
  const range = span([y], isLog, 0.06);
  if (!range) return { ...NOTHING, notes, tools, empty: "No step of this map has a χ² yet." };
  const missing = y.filter((chisq) => !isNumber(chisq)).length;
  if (missing)
    notes.push(`${count(missing, "step")} of ${y.length} without χ² ${missing === 1 ? "is" : "are"} left out.`);
  const low = y.filter(isNumber).reduce((a, b) => Math.min(a, b));
  const levels = levelsOf(answer, low, low, isLog).filter(({ at }) => at > low && at <= range[1]);
  const bottom = x[y.indexOf(low)];
  return {
    x: { label: axis.name, full: reach(axis), ticks: ticksOf(axis) },
    panels: [
      {
        name: "main",
        key: `χ² ${isLog}`,
        label: "χ²",
        log: isLog,
        full: range,
        height: (width) => Math.min(340, Math.max(220, width * 0.44)),
        layers: [
          ...levels.map(({ at }, i) => level({ y: at, colour: "--soft", dash: DASHES[i % DASHES.length] })),
          line({ x, y, colour: "--model" }),
          points({ x, y, colour: "--data", size: x.length > 300 ? 1.5 : 2.8 }),
          points({ x: [bottom], y: [low], colour: "--best", shape: "diamond", size: 5 }),
        ],
      },
    ],
    points: order.flatMap((i, n) =>
      isNumber(y[n])
        ? [
            {
              x: x[n],
              y: y[n],
              panel: 0,
              series: 0,
              say: () => `${axis.name} ${axis.words[i]} · χ² ${written(y[n], 6)} · Δχ² ${written(y[n] - low)}`,
            },
          ]
        : [],
    ),
    pull: 0.2,
    words: [
      `χ² along ${axis.name} (${count(x.length, "step")}), from ${written(low)};`,
      `${isLog ? "logarithmic" : "linear"} axis. ${minimumWords(found, axes)}`,
    ].join(" "),
    notes,
    legend: [
      {
        label: "minimum",
        draw: (ctx, width, height) =>
          marker(ctx, "diamond", width / 2, height / 2, 4, colour("--best"), colour("--paper"), 1.5),
      },
      ...levels.map(({ label }, i) => ruled(label, DASHES[i % DASHES.length], colour("--soft"), 1)),
    ],
    tools,
  };
}

function minimumWords(found, axes) {
  if (!found.length) return "";
  const [{ chisq, steps }] = found;
  const place = axes.map(({ name, words }, i) => `${name} ${text(words[steps[i]])}`).join(", ");
  const how = found.length === 1 ? "One minimum" : `${found.length} minima; the lowest`;
  return `${how}, χ² ${written(chisq)}, at ${place}.`;
}

/** A line in the legend, drawn as contours are: light with a dark edge. */
const ruled = (label, dash, colour, width, edge = "") => ({
  label,
  draw: (/** @type {CanvasRenderingContext2D} */ ctx, across, height) => {
    const path = new Path2D();
    path.moveTo(2, height / 2);
    path.lineTo(across - 2, height / 2);
    if (edge) {
      ctx.strokeStyle = edge;
      ctx.lineWidth = width + 3;
      ctx.stroke(path);
    }
    ctx.setLineDash(dash);
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.stroke(path);
  },
});

function legendOf(levels, thin, found, colour) {
  const minimum = (shape, inside) => (ctx, width, height) => {
    marker(ctx, shape, width / 2, height / 2, 4, colour("--ink"), inside, 1.5);
  };
  const lowest = found.length ? [{ label: "lowest minimum", draw: minimum("diamond", "#d62728") }] : [];
  const others = found.length > 1 ? [{ label: "other minima", draw: minimum("cross", "transparent") }] : [];
  const lines = thin.length
    ? [ruled(`thin lines: χ² ${thin.map((at) => written(at, 3)).join(", ")}`, [], "#fff", 0.8, "#7d8a96")]
    : [];
  return [
    ...levels.map(({ label }, i) => ruled(label, DASHES[i % DASHES.length], "#fff", 1.5, "#3a4652")),
    ...lines,
    ...lowest,
    ...others,
  ];
}
