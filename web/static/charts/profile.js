/** The chart of profiles: scattering length density against depth; one fit, or several over each other. */

import { readProfile } from "./curves.js";
import { entry } from "./legend.js";
import { line } from "./marks.js";
import { count, isNumber, written } from "./numbers.js";
import { span } from "./scales.js";
import { look } from "./theme.js";

const Z = "z (Å)";
const SLD = "SLD (10⁻⁶ Å⁻²)";

/** @type {import("./chart.js").Kind} */
export function profile(answers, _, colour) {
  const read = answers.map(readProfile);
  const drawn = read.filter(({ z, sld }) => z.some((depth, i) => isNumber(depth) && isNumber(sld[i])));
  const notes = drawn.flatMap((one) => one.notes);
  const x = span(
    drawn.map(({ z }) => z),
    false,
    0.02,
  );
  const deep =
    span(
      drawn.map(({ z }) => z),
      false,
      0,
    ) ?? [];
  const y = span(
    drawn.map(({ sld }) => sld),
    false,
    0.08,
  );
  if (!x || !y) return { words: "", notes, legend: [], tools: [], empty: "This fit came without a profile." };
  const missing = answers.length - drawn.length;
  if (missing) notes.push(`${count(missing, "fit")} of ${answers.length} came without a profile.`);
  const looks = drawn.map((one, i) => (drawn.length > 1 ? look(i) : { ...look(0), colour: "--model" }));
  return {
    x: { label: Z, full: x },
    panels: [
      {
        name: "main",
        label: SLD,
        full: y,
        height: (width) => Math.min(320, Math.max(200, width * 0.42)),
        layers: drawn.map(({ z, sld }, i) => line({ x: z, y: sld, colour: looks[i].colour, dash: looks[i].dash })),
      },
    ],
    points: drawn.flatMap(({ z, sld, label }, series) =>
      z.flatMap((depth, i) => {
        if (!isNumber(depth) || !isNumber(sld[i])) return [];
        const name = drawn.length > 1 ? `${label} · ` : "";
        const say = () => `${name}z ${written(depth)} Å · SLD ${written(sld[i])} ×10⁻⁶ Å⁻²`;
        return [{ x: depth, y: sld[i], panel: 0, series, say }];
      }),
    ),
    pull: 0.1,
    words: [
      `Scattering length density against depth: ${count(drawn.length, "profile")},`,
      `from ${deep.map((z) => written(z)).join(" to ")} Å.`,
    ].join(" "),
    notes,
    legend:
      drawn.length > 1
        ? drawn.map(({ label }, i) => entry(label, { colour: colour(looks[i].colour), dash: looks[i].dash, paper: "" }))
        : [],
    tools: [],
  };
}
