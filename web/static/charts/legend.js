/** Entries of a legend: the words, and how what they name is drawn. */

import { marker } from "./marks.js";

/**
 * @param {string} label
 * @param {{colour: string, shape?: string, bar?: string, dash?: number[] | null, open?: boolean, paper: string}} given
 */
export const entry = (label, given) => ({
  label,
  draw: (/** @type {CanvasRenderingContext2D} */ ctx, width, height) => {
    const { colour, shape, bar, dash, open = true, paper } = given;
    const [x, y] = [width / 2, height / 2];
    if (dash) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = 1.75;
      ctx.setLineDash(dash);
      ctx.beginPath();
      ctx.moveTo(1, y);
      ctx.lineTo(width - 1, y);
      ctx.stroke();
      ctx.setLineDash([]);
    }
    if (bar) {
      ctx.strokeStyle = bar;
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(x, 0.5);
      ctx.lineTo(x, height - 0.5);
      ctx.stroke();
    }
    if (shape) marker(ctx, shape, x, y, 3, colour, open ? paper : colour, 1.1);
  },
});
