/** The chart of fits: data with error bars, model, residuals below; one fit, or several over each other. */

import { goodness, notPositive, readCurve, residuals, sameData, timesQ4 } from "./curves.js";
import { entry } from "./legend.js";
import { bars, level, line, points } from "./marks.js";
import { axisLabel, count, isNumber, measured, number, text, unitWords, withUnit, written } from "./numbers.js";
import { span } from "./scales.js";
import { look } from "./theme.js";

/** @type {import("./chart.js").Kind} */
export function fit(answers, settings, colour) {
  const read = answers.map(readCurve).filter(({ x }) => x.length);
  const missing = answers.length - read.length;
  const notes = read.flatMap((curve) => curve.notes);
  if (missing && read.length) notes.push(`${count(missing, "fit")} of ${answers.length} came without a curve.`);
  if (!read.length)
    return { words: "", notes, legend: [], tools: [], empty: "This fit came without a curve that can be drawn." };

  const chosen = choices(read, settings);
  const curves = read.map((curve) => timesQ4(curve, chosen.q4));
  const looks = curves.map((_, i) => look(i));
  const isShared = curves.length > 1 && curves.every((curve) => sameData(curves[0], curve));
  const names = naming(curves[0].labels, chosen.q4);
  const full = {
    x: span(
      curves.map(({ x }) => x),
      chosen.logX,
      0.02,
    ),
    y: rangeOfY(curves, chosen),
  };
  const tools = toolsOf(curves, chosen);
  if (!full.x || !full.y)
    return {
      words: "",
      notes,
      legend: [],
      tools,
      empty: "None of the numbers can be drawn on these axes; try the linear ones.",
    };
  notes.push(...leftOut(curves, chosen));

  const main = {
    name: "main",
    key: `y ${names.y} ${chosen.q4}`,
    label: names.y,
    log: chosen.logY,
    full: full.y,
    height: (/** @type {number} */ width) => Math.min(400, Math.max(230, width * 0.5)),
    layers: layersOf(curves, looks, chosen, isShared),
  };
  const below = chosen.residuals ? residualPanel(curves, looks) : null;
  return {
    x: { key: `x ${chosen.logX}`, label: names.x, log: chosen.logX, full: full.x },
    panels: below ? [main, below.panel] : [main],
    points: pointsOf(curves, names, below?.values ?? curves.map((curve) => residuals(curve).values), below !== null),
    pull: 0.1,
    words: wordsOf(curves, names, chosen),
    notes,
    legend: legendOf(curves, looks, chosen, isShared, colour),
    tools,
  };
}

/** What the reader chose, or else what the curve says of itself. */
function choices(curves, settings) {
  const { labels } = curves[0];
  const isReflectivity = curves.every((curve) => curve.labels.kind === "reflectivity");
  const hasModel = curves.some(({ model }) => model.some(isNumber));
  return {
    logY: settings.logY ?? labels.yscale === "log",
    logX: settings.logX ?? labels.xscale === "log",
    q4: isReflectivity && Boolean(settings.q4),
    isReflectivity,
    hasModel,
    residuals: hasModel && curves.some(({ y }) => y.some(isNumber)) && (settings.residuals ?? true),
    bars: settings.bars ?? true,
    dx: Boolean(settings.dx),
  };
}

function toolsOf(curves, chosen) {
  const has = (name) => curves.some((curve) => curve[name].some((value) => value > 0));
  const widths = curves.some(({ labels }) => labels.dxkind === "FWHM")
    ? "the full width at half maximum"
    : "± the resolution";
  return [
    { key: "logY", label: "log y", on: chosen.logY },
    { key: "logX", label: "log x", on: chosen.logX },
    ...(chosen.isReflectivity ? [{ key: "q4", label: "R·Q⁴", title: "Multiply by Q⁴", on: chosen.q4 }] : []),
    ...(chosen.hasModel ? [{ key: "residuals", label: "Residuals", on: chosen.residuals }] : []),
    ...(has("dy")
      ? [{ key: "bars", label: "Errors", title: "Error bars: one standard deviation", on: chosen.bars }]
      : []),
    ...(has("dx") ? [{ key: "dx", label: "Resolution", title: `Bars along x: ${widths}`, on: chosen.dx }] : []),
  ];
}

/** Names of the axes, with their units. */
function naming(labels, q4) {
  const [x, y] = [text(labels.xlabel, "x"), text(labels.ylabel, "y")];
  const [xUnit, yUnit] = [unitWords(labels.xunit), unitWords(labels.yunit)];
  if (!q4) return { x: axisLabel(x, xUnit), y: axisLabel(y, yUnit), quantity: y, abscissa: x, xUnit, yUnit };
  const unit = `${yUnit ? `${yUnit} ` : ""}${xUnit === "Å⁻¹" ? "Å⁻⁴" : xUnit && `(${xUnit})⁴`}`.trim();
  return {
    x: axisLabel(x, xUnit),
    y: axisLabel(`${y}·${x}⁴`, unit),
    quantity: `${y}·${x}⁴`,
    abscissa: x,
    xUnit,
    yUnit: unit,
  };
}

/** All that is drawn; on a linear axis the error bars, too: on a logarithmic one they may reach down without end. */
function rangeOfY(curves, { logY, bars: hasBars }) {
  const ends = curves.flatMap(({ y, dy }) =>
    hasBars ? [y.map((value, i) => value + (dy[i] || 0)), logY ? [] : y.map((value, i) => value - (dy[i] || 0))] : [],
  );
  return span([...curves.flatMap(({ y, model }) => [y, model]), ...ends], logY, 0.05);
}

function leftOut(curves, { logX, logY }) {
  const notes = [];
  const lost = logY ? notPositive(curves.flatMap(({ y, model }) => [y, model])) : 0;
  if (lost) notes.push(`${count(lost, "value")} at or below zero cannot stand on the logarithmic y axis.`);
  const aside = logX ? notPositive(curves.map(({ x }) => x)) : 0;
  if (aside) notes.push(`${count(aside, "point")} at or below zero cannot stand on the logarithmic x axis.`);
  return notes;
}

const dataColour = (curves, looks, i, isShared) => (curves.length === 1 || isShared ? "--data" : looks[i].colour);
const modelColour = (curves, looks, i) => (curves.length === 1 ? "--model" : looks[i].colour);

function layersOf(curves, looks, chosen, isShared) {
  const measuredOnes = isShared ? curves.slice(0, 1) : curves;
  const size = Math.max(...curves.map(({ x }) => x.length)) > 600 ? 1.6 : 2.4;
  return [
    ...measuredOnes.flatMap(({ x, y, dy, dx }, i) => {
      const tone = curves.length === 1 || isShared ? "--bars" : looks[i].colour;
      const shown = { x, y, dy: chosen.bars ? dy : [], dx: chosen.dx ? dx : [] };
      const mark = {
        x,
        y,
        colour: dataColour(curves, looks, i, isShared),
        shape: isShared ? "circle" : looks[i].shape,
        size,
      };
      return [bars({ ...shown, colour: tone }), points(mark)];
    }),
    ...curves.map(({ x, model }, i) =>
      line({ x, y: model, colour: modelColour(curves, looks, i), dash: looks[i].dash }),
    ),
  ];
}

function residualPanel(curves, looks) {
  const all = curves.map(residuals);
  const values = all.map((one) => one.values);
  const weighted = all.every((one) => one.weighted);
  const full = span(values, false, 0.08);
  if (!full) return null;
  const most = Math.max(Math.abs(full[0]), Math.abs(full[1]));
  const label = weighted ? "residual (σ)" : "residual";
  const marks = curves.map(({ x }, i) =>
    points({
      x,
      y: values[i],
      colour: curves.length === 1 ? "--data" : looks[i].colour,
      shape: looks[i].shape,
      size: x.length > 600 ? 1.3 : 1.9,
    }),
  );
  const lines = weighted ? [-1, 1].map((y) => level({ y, colour: "--bars", dash: [2, 4] })) : [];
  const layers = [...lines, level({ y: 0, colour: curves.length === 1 ? "--model" : "--axis", dash: [] }), ...marks];
  const range = /** @type {[number, number]} */ ([-most, most]);
  return { values, panel: { name: "residuals", key: label, label, full: range, height: () => 96, layers } };
}

function pointsOf(curves, names, differences, hasPanel) {
  return curves.flatMap((curve, series) =>
    curve.x.flatMap((x, i) => {
      const value = isNumber(curve.y[i]) ? curve.y[i] : curve.model[i];
      if (!isNumber(value)) return [];
      const also = hasPanel && isNumber(differences[series][i]) ? { 1: differences[series][i] } : undefined;
      const say = () => readOut(curve, i, differences[series][i], names, curves.length > 1);
      return [{ x, y: value, panel: 0, series, also, say }];
    }),
  );
}

function readOut(curve, i, difference, { quantity, abscissa, xUnit, yUnit }, isNamed) {
  const parts = isNamed ? [curve.label] : [];
  parts.push(`${abscissa} ${withUnit(written(curve.x[i], 5), xUnit)}`);
  if (isNumber(curve.y[i])) parts.push(`${quantity} ${withUnit(measured(curve.y[i], curve.dy[i]), yUnit)}`);
  if (isNumber(curve.model[i])) parts.push(`model ${withUnit(written(curve.model[i]), yUnit)}`);
  if (isNumber(difference)) parts.push(`residual ${written(difference, 3)}${curve.dy[i] > 0 ? " σ" : ""}`);
  return parts.join(" · ");
}

function wordsOf(curves, names, chosen) {
  const [{ x, labels, answer }] = curves;
  const what = curves.length > 1 ? `${curves.length} fits over each other` : `Fit of ${text(labels.data, "the data")}`;
  const range = `from ${written(x[0], 3)} to ${withUnit(written(number(x.at(-1)), 3), names.xUnit)}`;
  const axes = [
    chosen.logY ? "logarithmic" : "linear",
    "y axis,",
    chosen.logX ? "logarithmic" : "linear",
    "x axis",
  ].join(" ");
  const good =
    curves.length > 1
      ? curves.map((curve) => `${curve.label}: ${goodness(curve.answer)}`).join("; ")
      : goodness(answer);
  const shown = [
    chosen.hasModel ? "the model as a line" : "no model",
    chosen.residuals ? "residuals below" : "",
  ].filter(Boolean);
  const drawn = `${names.quantity} against ${names.abscissa}, ${count(x.length, "point")} ${range}`;
  return `${what}: ${drawn}; ${shown.join(", ")}; ${axes}.${good ? ` ${good}.` : ""}`;
}

function legendOf(curves, looks, chosen, isShared, colour) {
  const paper = colour("--paper");
  const mark = (i) => ({
    colour: colour(dataColour(curves, looks, i, isShared)),
    shape: isShared ? "circle" : looks[i].shape,
    paper,
  });
  const bar = (i) =>
    chosen.bars && curves[i].dy.some((error) => error > 0)
      ? colour(curves.length === 1 || isShared ? "--bars" : looks[i].colour)
      : undefined;
  const rule = (i) => ({ colour: colour(modelColour(curves, looks, i)), dash: looks[i].dash, paper });
  if (curves.length === 1) {
    const model = chosen.hasModel
      ? [entry(["model", goodness(curves[0].answer)].filter(Boolean).join(", "), rule(0))]
      : [];
    return [entry(text(curves[0].labels.data, "data"), { ...mark(0), bar: bar(0) }), ...model];
  }
  const shared = isShared ? [entry(text(curves[0].labels.data, "data"), { ...mark(0), bar: bar(0) })] : [];
  return [
    ...shared,
    ...curves.map((curve, i) =>
      entry([curve.label, goodness(curve.answer)].filter(Boolean).join(", "), {
        ...rule(i),
        ...(isShared ? {} : { shape: looks[i].shape }),
      }),
    ),
  ];
}
