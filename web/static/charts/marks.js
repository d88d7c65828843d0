/** Marks: points, error bars, lines and steps; each function gives a layer that draws itself with a pen. */

/**
 * @typedef {object} Pen what a layer draws with; all lengths in pixels of the canvas
 * @property {CanvasRenderingContext2D} ctx
 * @property {(value: number) => number} x
 * @property {(value: number) => number} y
 * @property {boolean} logX
 * @property {boolean} logY
 * @property {number} ratio pixels of the canvas per CSS pixel
 * @property {{left: number, top: number, width: number, height: number}} box
 * @property {(name: string) => string} colour
 * @typedef {(pen: Pen) => void} Layer
 */

/** Say whether a point can be placed. */
const isPlaced = (/** @type {Pen} */ pen, x, y) =>
  Number.isFinite(x) && Number.isFinite(y) && (!pen.logX || x > 0) && (!pen.logY || y > 0);

const SHAPES = {
  circle: (ctx, x, y, r) => ctx.arc(x, y, r, 0, 2 * Math.PI),
  square: (ctx, x, y, r) => ctx.rect(x - r * 0.9, y - r * 0.9, 1.8 * r, 1.8 * r),
  triangle: (ctx, x, y, r) =>
    polygon(ctx, [
      [x, y - 1.2 * r],
      [x + 1.1 * r, y + 0.8 * r],
      [x - 1.1 * r, y + 0.8 * r],
    ]),
  down: (ctx, x, y, r) =>
    polygon(ctx, [
      [x, y + 1.2 * r],
      [x + 1.1 * r, y - 0.8 * r],
      [x - 1.1 * r, y - 0.8 * r],
    ]),
  diamond: (ctx, x, y, r) =>
    polygon(ctx, [
      [x, y - 1.3 * r],
      [x + 1.3 * r, y],
      [x, y + 1.3 * r],
      [x - 1.3 * r, y],
    ]),
  cross: (ctx, x, y, r) =>
    strokes(ctx, [
      [x - r, y - r, x + r, y + r],
      [x - r, y + r, x + r, y - r],
    ]),
  plus: (ctx, x, y, r) =>
    strokes(ctx, [
      [x - r, y, x + r, y],
      [x, y - r, x, y + r],
    ]),
};

function polygon(ctx, corners) {
  corners.forEach(([x, y], index) => (index ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
  ctx.closePath();
}

function strokes(ctx, lines) {
  for (const [x0, y0, x1, y1] of lines) {
    ctx.moveTo(x0, y0);
    ctx.lineTo(x1, y1);
  }
}

/** Draw one marker: filled, or open with the paper inside. */
export function marker(ctx, shape, x, y, radius, colour, inside, width) {
  ctx.beginPath();
  SHAPES[shape](ctx, x, y, radius);
  ctx.fillStyle = inside;
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  if (shape !== "cross" && shape !== "plus") ctx.fill();
  ctx.stroke();
}

/**
 * @param {{x: ArrayLike<number>, y: ArrayLike<number>, colour: string, shape?: string, size?: number, open?: boolean,
 *   alpha?: number, colours?: (index: number) => string}} given size is the radius in CSS pixels
 * @returns {Layer}
 */
export function points({ x, y, colour, shape = "circle", size = 2.4, open = true, alpha = 1, colours }) {
  return (pen) => {
    const { ctx, ratio } = pen;
    const shown = pen.colour(colour);
    const inside = open ? pen.colour("--paper") : shown;
    const isCrowded = (x.length * ratio) / pen.box.width > 1;
    const radius = size * ratio * (isCrowded ? 0.7 : 1);
    ctx.save();
    ctx.globalAlpha = alpha;
    for (let i = 0; i < x.length; i++) {
      if (!isPlaced(pen, x[i], y[i])) continue;
      const own = colours ? colours(i) : shown;
      marker(ctx, shape, pen.x(x[i]), pen.y(y[i]), radius, own, colours ? own : inside, 1.1 * ratio);
    }
    ctx.restore();
  };
}

/** Error bars along y and x: `dy` and `dx` are half lengths; a bar that leaves a logarithmic axis is cut there. */
export function bars({ x, y, dy = [], dx = [], colour }) {
  return (/** @type {Pen} */ pen) => {
    const { ctx, ratio, box } = pen;
    const edge = (place, least) => (Number.isFinite(place) ? place : least);
    ctx.save();
    ctx.strokeStyle = pen.colour(colour);
    ctx.lineWidth = ratio;
    ctx.beginPath();
    for (let i = 0; i < x.length; i++) {
      if (!Number.isFinite(x[i]) || !Number.isFinite(y[i]) || (pen.logX && x[i] <= 0)) continue;
      if (dy[i] > 0 && (!pen.logY || y[i] + dy[i] > 0)) {
        const bottom = pen.logY && y[i] - dy[i] <= 0 ? box.top + box.height + 9 : pen.y(y[i] - dy[i]);
        strokes(ctx, [[pen.x(x[i]), edge(bottom, box.top + box.height), pen.x(x[i]), pen.y(y[i] + dy[i])]]);
      }
      if (dx[i] > 0 && (!pen.logY || y[i] > 0)) {
        const left = pen.logX && x[i] - dx[i] <= 0 ? box.left - 9 : pen.x(x[i] - dx[i]);
        strokes(ctx, [[edge(left, box.left), pen.y(y[i]), pen.x(x[i] + dx[i]), pen.y(y[i])]]);
      }
    }
    ctx.stroke();
    ctx.restore();
  };
}

/** A line through the points in their order, broken where one cannot be placed; `steps` draws a staircase. */
export function line({ x, y, colour, dash = [], width = 1.75, steps = false }) {
  return (/** @type {Pen} */ pen) => {
    const { ctx, ratio } = pen;
    ctx.save();
    ctx.strokeStyle = pen.colour(colour);
    ctx.lineWidth = width * ratio;
    ctx.lineJoin = "round";
    ctx.setLineDash(dash.map((length) => length * ratio));
    ctx.beginPath();
    let before = NaN;
    for (let i = 0; i < x.length; i++) {
      if (!isPlaced(pen, x[i], y[i])) {
        before = NaN;
        continue;
      }
      const [left, top] = [pen.x(x[i]), pen.y(y[i])];
      if (Number.isNaN(before)) ctx.moveTo(left, top);
      else if (steps) ctx.lineTo(left, before);
      ctx.lineTo(left, top);
      before = top;
    }
    ctx.stroke();
    ctx.restore();
  };
}

/** A level line across the whole panel. */
export function level({ y, colour, dash = [4, 4], width = 1 }) {
  return (/** @type {Pen} */ pen) => {
    if (pen.logY && !(y > 0)) return;
    const { ctx, ratio, box } = pen;
    ctx.save();
    ctx.strokeStyle = pen.colour(colour);
    ctx.lineWidth = width * ratio;
    ctx.setLineDash(dash.map((length) => length * ratio));
    ctx.beginPath();
    strokes(ctx, [[box.left, pen.y(y), box.left + box.width, pen.y(y)]]);
    ctx.stroke();
    ctx.restore();
  };
}
