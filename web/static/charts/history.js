/** The chart of a search: chisq of every job as it came, and the best so far as a staircase. */

import { entry } from "./legend.js";
import { line, points } from "./marks.js";
import { count, isNumber, list, number, record, text, written } from "./numbers.js";
import { moment, span } from "./scales.js";

const UNITS = [
  ["s", 1],
  ["min", 60],
  ["h", 3600],
  ["d", 86400],
];

/** @type {import("./chart.js").Kind} */
export function history(answers, settings, colour) {
  const answer = record(answers[0]);
  const steps = list(answer.steps)
    .map(record)
    .map((step) => ({ ...step, at: seconds(step.finished), chisq: number(step.chisq) }))
    .filter(({ at, chisq }) => isNumber(at) && isNumber(chisq))
    .sort((a, b) => a.at - b.at);
  const jobs = list(answer.jobs)
    .map(list)
    .map(([finished, chisq, job]) => ({ at: seconds(finished), chisq: number(chisq), job }))
    .filter(({ at, chisq }) => isNumber(at) && isNumber(chisq))
    .sort((a, b) => a.at - b.at);
  const lost = list(answer.steps).length + list(answer.jobs).length - steps.length - jobs.length;
  const notes = lost ? [`${count(lost, "job")} without a time or a χ² cannot be drawn.`] : [];
  const all = [...steps, ...jobs];
  if (!all.length) return { words: "", notes, legend: [], tools: [], empty: "No job has answered with a χ² yet." };

  const isLog = settings.logY ?? all.some(({ chisq }) => chisq > 0);
  const isClock = settings.time === "clock";
  const time = timeAxis(all, isClock);
  const end = Math.max(...jobs.map(({ at }) => at).slice(-1), steps.at(-1)?.at ?? -Infinity);
  const stairs = steps.length ? [...steps, { ...steps.at(-1), at: end }] : [];
  const tools = [
    { key: "logY", label: "log y", on: isLog },
    {
      key: "time",
      label: "Time",
      options: [
        ["since", "since the first"],
        ["clock", "of day"],
      ],
      value: isClock ? "clock" : "since",
    },
  ];
  const full = {
    x: span([all.map(({ at }) => time.place(at))], false, 0.03),
    y: span([all.map(({ chisq }) => chisq)], isLog, 0.06),
  };
  if (!full.x || !full.y)
    return { words: "", notes, legend: [], tools, empty: "No χ² is above zero: a logarithmic axis cannot show them." };
  const bad = isLog ? all.filter(({ chisq }) => chisq <= 0).length : 0;
  if (bad) notes.push(`${count(bad, "job")} with χ² at or below zero cannot stand on the logarithmic axis.`);
  return {
    x: { key: time.label, label: time.label, isClock, full: full.x },
    panels: [
      {
        name: "main",
        label: "χ²",
        log: isLog,
        full: full.y,
        height: (width) => Math.min(340, Math.max(220, width * 0.44)),
        layers: layersOf(jobs, steps, stairs, time),
      },
    ],
    points: pointsOf(steps, jobs, time, isClock),
    words: wordsOf(answer, steps, jobs, isLog),
    notes,
    legend: legendOf(jobs, colour),
    tools,
  };
}

/** Give seconds since 1970 of a number or an ISO time; NaN for what is neither. */
function seconds(value) {
  if (isNumber(value)) return value;
  return typeof value === "string" ? Date.parse(value) / 1000 : NaN;
}

/** Where a moment stands: on the clock, or since the first result in the unit that suits. */
function timeAxis(all, isClock) {
  if (isClock) return { label: "time of day", place: (at) => at, words: (at) => moment(at) };
  const times = all.map(({ at }) => at);
  const first = times.reduce((a, b) => Math.min(a, b));
  const most = times.reduce((a, b) => Math.max(a, b)) - first;
  const [unit, size] = UNITS.findLast(([, length]) => most >= 3 * /** @type {number} */ (length)) ?? UNITS[0];
  const place = (at) => (at - first) / /** @type {number} */ (size);
  return { label: `time since the first result (${unit})`, place, words: (at) => `${written(place(at), 3)} ${unit}` };
}

function layersOf(jobs, steps, stairs, time) {
  const x = (rows) => rows.map(({ at }) => time.place(at));
  const y = (rows) => rows.map(({ chisq }) => chisq);
  const size = jobs.length > 2000 ? 1.3 : 2.2;
  return [
    points({ x: x(jobs), y: y(jobs), colour: "--data", open: false, alpha: jobs.length > 200 ? 0.45 : 0.7, size }),
    line({ x: x(stairs), y: y(stairs), colour: "--best", steps: true, width: 2 }),
    points({ x: x(steps), y: y(steps), colour: "--best", shape: "diamond", size: 3 }),
  ];
}

function pointsOf(steps, jobs, time, isClock) {
  const since = isClock ? "at" : "after";
  const point = ({ at, chisq, job, node }, series) => ({
    x: time.place(at),
    y: chisq,
    panel: 0,
    series,
    job,
    id: `${series} ${job} ${at}`,
    say: () =>
      [
        `${series ? "job" : "best so far: job"} ${text(job, "without a number")}`,
        `χ² ${written(chisq, 5)}`,
        `${since} ${time.words(at)}`,
        text(node) && `on ${text(node)}`,
      ]
        .filter(Boolean)
        .join(" · "),
  });
  return [...steps.map((step) => point(step, 0)), ...jobs.map((job) => point(job, 1))];
}

function wordsOf(answer, steps, jobs, isLog) {
  const name = text(answer.name, text(answer.group, "this search"));
  const last = steps.at(-1);
  const reached = `reached in ${count(steps.length, "step")}`;
  const best = last ? ` The best χ² is ${written(last.chisq, 5)}, of job ${text(last.job, "?")}, ${reached}.` : "";
  const dots = `${count(Math.max(jobs.length, steps.length), "job")} as dots`;
  const axis = isLog ? "logarithmic axis" : "linear axis";
  return `History of χ² of ${name}: ${dots}, the best so far as a staircase, ${axis}.${best}`;
}

function legendOf(jobs, colour) {
  const paper = colour("--paper");
  const best = entry("best so far", { colour: colour("--best"), shape: "diamond", dash: [], paper });
  const dots = entry("every job", { colour: colour("--data"), shape: "circle", open: false, paper });
  return jobs.length ? [best, dots] : [best];
}
