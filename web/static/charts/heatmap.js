/** The layers of a map: cells, hatching where there is none, contours and minima. */

import { contour, joined } from "./contours.js";
import { marker } from "./marks.js";
import { heat } from "./theme.js";

/** The dash of each contour, the innermost first: not told apart by colour. */
export const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]];

/** Give the function that places chisq between 0 and 1. */
export function placing(low, high, isLog) {
  if (!(high > low)) return () => 0;
  return isLog ? (chisq) => Math.log(chisq / low) / Math.log(high / low) : (chisq) => (chisq - low) / (high - low);
}

/**
 * The cells of a plane.
 * @param {import("./grid.js").Plane} plane
 * @param {(chisq: number) => number} place
 * @returns {import("./marks.js").Layer}
 */
export function cellLayer({ x, y, cells }, place) {
  const colours = cells.map((chisq) => (Number.isNaN(chisq) ? "" : heat(place(chisq))));
  return (pen) => {
    const { ctx } = pen;
    const lefts = x.edges.map((edge) => Math.round(pen.x(edge)));
    const tops = y.edges.map((edge) => Math.round(pen.y(edge)));
    const hatch = hatching(pen);
    for (let row = 0; row < y.at.length; row++)
      for (let column = 0; column < x.at.length; column++) {
        const colour = colours[row * x.at.length + column];
        ctx.fillStyle = colour || hatch;
        const left = Math.min(lefts[column], lefts[column + 1]);
        const top = Math.min(tops[row], tops[row + 1]);
        ctx.fillRect(
          left,
          top,
          Math.max(1, Math.abs(lefts[column + 1] - lefts[column])),
          Math.max(1, Math.abs(tops[row + 1] - tops[row])),
        );
      }
  };
}

/** A pattern of thin slanting lines. */
function hatching({ ctx, ratio, colour }) {
  const size = Math.round(7 * ratio);
  const tile = new OffscreenCanvas(size, size);
  const pen = /** @type {OffscreenCanvasRenderingContext2D} */ (tile.getContext("2d"));
  pen.fillStyle = colour("--panel");
  pen.fillRect(0, 0, size, size);
  pen.strokeStyle = colour("--bars");
  pen.lineWidth = ratio * 0.8;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
  }
  pen.stroke();
  return /** @type {CanvasPattern} */ (ctx.createPattern(tile, "repeat"));
}

/** The contours of all levels, light with a dark edge, so that they stand on every colour of the map. */
export function contourLayer(plane, levels) {
  const all = levels.map(({ at }) => joined(contour(plane, at)));
  return (/** @type {import("./marks.js").Pen} */ { ctx, x, y, ratio }) => {
    all.forEach((lines, i) => {
      const path = new Path2D();
      for (const places of lines)
        places.forEach(([left, up], n) => (n ? path.lineTo(x(left), y(up)) : path.moveTo(x(left), y(up))));
      ctx.save();
      ctx.lineCap = "round";
      ctx.strokeStyle = "rgb(0 0 0 / 55%)";
      ctx.lineWidth = 3.2 * ratio;
      ctx.stroke(path);
      ctx.strokeStyle = "#fff";
      ctx.lineWidth = 1.5 * ratio;
      ctx.setLineDash(DASHES[i % DASHES.length].map((length) => length * ratio));
      ctx.stroke(path);
      ctx.restore();
    });
  };
}

/** Thin lines at levels of their own, which no dash tells apart: how steep the map is, and where it is flat. */
export function thinLayer(plane, levels) {
  const all = levels.flatMap((at) => joined(contour(plane, at)));
  return (/** @type {import("./marks.js").Pen} */ { ctx, x, y, ratio }) => {
    const path = new Path2D();
    for (const places of all)
      places.forEach(([left, up], n) => (n ? path.lineTo(x(left), y(up)) : path.moveTo(x(left), y(up))));
    ctx.save();
    ctx.lineJoin = "round";
    ctx.strokeStyle = "rgb(0 0 0 / 30%)";
    ctx.lineWidth = 1.8 * ratio;
    ctx.stroke(path);
    ctx.strokeStyle = "rgb(255 255 255 / 75%)";
    ctx.lineWidth = 0.8 * ratio;
    ctx.stroke(path);
    ctx.restore();
  };
}

/** The minima: the lowest a red diamond, the others crosses. */
export function minimaLayer(places) {
  return (/** @type {import("./marks.js").Pen} */ { ctx, x, y, ratio }) => {
    places.forEach(({ left, up }, i) => {
      for (const [colour, width] of [
        ["#000", 4.5],
        ["#fff", 2],
      ]) {
        const shape = i === 0 ? "diamond" : "cross";
        marker(
          ctx,
          shape,
          x(left),
          y(up),
          (i === 0 ? 6 : 4) * ratio,
          colour,
          i === 0 ? "#d62728" : "transparent",
          width * ratio,
        );
      }
    });
  };
}
