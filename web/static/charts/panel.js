/** A panel: one uPlot with its axes and frame, on which layers draw; where it is looked at is the board's. */

import { clockTicks, linearTicks, logTicks } from "./scales.js";

/**
 * @typedef {object} Axis
 * @property {string} [key] the name under which the reader's view is kept: another unit, another view
 * @property {string} label
 * @property {boolean} [log]
 * @property {[number, number]} full
 * @property {boolean} [isClock] seconds since 1970
 * @property {import("./scales.js").Tick[]} [ticks] fixed ticks, where the axis has words
 * @typedef {Axis & {name: string, height: (width: number) => number, layers: import("./marks.js").Layer[]}} Spec
 */

const DUMMY = [
  [1, 2],
  [1, 2],
]; // uPlot draws axes; what is drawn on them are our layers
const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
const LABEL_FONT = `500 ${FONT}`;
const LABEL_SPACE = 22;
const TICK_SPACE = 26; // of the x axis, its words included

/** Give the ticks of an axis between two values. @param {Axis} axis */
function ticksOf(axis, low, high, pixels, apart) {
  const wanted = Math.max(pixels < 140 ? 5 : 2, Math.floor(pixels / apart));
  if (axis.ticks)
    return {
      major: thinned(
        axis.ticks.filter(({ at }) => at >= low && at <= high),
        wanted,
      ),
      minor: [],
    };
  if (axis.isClock) return clockTicks(low, high, wanted);
  return axis.log ? logTicks(low, high, wanted) : linearTicks(low, high, wanted);
}

/** How far ticks stand apart, in CSS pixels: as their words need it. */
const apart = (/** @type {Axis} */ axis, isX) => (isX ? (axis.ticks || axis.isClock ? 84 : 76) : axis.ticks ? 20 : 44);

/** Keep every n-th tick, so that words do not overlap. */
function thinned(ticks, wanted) {
  const every = Math.ceil(ticks.length / Math.max(1, wanted));
  return every > 1 ? ticks.filter((_, index) => index % every === 0) : ticks;
}

export class Panel {
  /**
   * @param {any} uPlot its class
   * @param {HTMLElement} host
   * @param {{x: Axis, y: Spec, isLast: boolean, view: (axis: Axis) => [number, number], gutter: () => number,
   *   colour: (name: string) => string, drawn: () => void, width: number}} given
   */
  constructor(uPlot, host, given) {
    Object.assign(this, { uPlot, given });
    this.u = new uPlot(this.#options(), DUMMY, host);
    this.canvas = this.u.ctx.canvas;
    this.over = this.u.over;
  }

  /** Take what changed, and draw anew on the same canvas. */
  update(given) {
    Object.assign(this.given, given);
    const { width, y } = this.given;
    const height = this.#height(y, width);
    if (this.u.width !== width || this.u.height !== height) this.u.setSize({ width, height });
    this.u.setData(DUMMY, true); // asks the scales for their ranges, and draws
  }

  /** How wide the labels of the y axis are in this view, in CSS pixels. */
  labelWidth() {
    const [low, high] = this.given.view(this.given.y);
    const { major } = ticksOf(this.given.y, low, high, this.#pixels(this.u, false), apart(this.given.y, false));
    const { ctx } = this.u;
    ctx.save();
    ctx.font = FONT;
    const widest = Math.max(16, ...major.map(({ label }) => ctx.measureText(label).width));
    ctx.restore();
    return Math.ceil(widest);
  }

  destroy() {
    this.u.destroy();
  }

  #ratio() {
    return this.uPlot.pxRatio;
  }

  #height(y, width) {
    return Math.round(y.height(width) + (this.given.isLast ? TICK_SPACE + LABEL_SPACE : 8) + 8);
  }

  #options() {
    const { given } = this;
    const scale = (/** @type {() => Axis} */ axis) => ({
      time: false,
      distr: axis().log ? 3 : 1,
      range: () => given.view(axis()),
    });
    return {
      width: given.width,
      height: this.#height(given.y, given.width),
      padding: [8, 14, given.isLast ? 0 : 8, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: { x: scale(() => given.x), y: scale(() => given.y) },
      series: [{}, { scale: "y", paths: () => null, points: { show: false } }],
      axes: [this.#axis(() => given.x, true), this.#axis(() => given.y, false)],
      hooks: { draw: [() => this.#draw()] },
    };
  }

  #axis(axis, isX) {
    const { given } = this;
    const isBare = isX && !given.isLast;
    const gap = isX ? 8 : 7;
    return {
      scale: isX ? "x" : "y",
      side: isX ? 2 : 3,
      font: FONT,
      labelFont: LABEL_FONT,
      stroke: () => given.colour("--axis"),
      label: isBare ? undefined : axis().label,
      labelSize: LABEL_SPACE,
      labelGap: 2,
      gap,
      size: isX ? (isBare ? 0 : TICK_SPACE) : () => given.gutter() + gap + 4,
      grid: { stroke: () => given.colour("--grid"), width: 1 },
      ticks: { show: false },
      border: { show: false },
      filter: (_, splits) => splits,
      splits: (u, _, low, high) => this.#ticks(u, axis(), low, high, isX).major.map(({ at }) => at),
      values: (u) => (isBare ? [] : this.#labels(u, axis(), isX)),
    };
  }

  #ticks(u, axis, low, high, isX) {
    return ticksOf(axis, low, high, this.#pixels(u, isX), apart(axis, isX));
  }

  /** How long an axis is, in CSS pixels; nearly so before uPlot has measured itself. */
  #pixels(u, isX) {
    const { width, height } = u.bbox;
    return (isX ? width : height) / this.#ratio() || (isX ? u.width - 80 : u.height - 60);
  }

  #labels(u, axis, isX) {
    const [low, high] = this.given.view(axis);
    return this.#ticks(u, axis, low, high, isX).major.map(({ label }) => label);
  }

  /** The pen of this panel, as it stands. @returns {import("./marks.js").Pen} */
  #pen() {
    const { u, given } = this;
    return {
      ctx: u.ctx,
      x: (value) => u.valToPos(value, "x", true),
      y: (value) => u.valToPos(value, "y", true),
      logX: Boolean(given.x.log),
      logY: Boolean(given.y.log),
      ratio: this.#ratio(),
      box: u.bbox,
      colour: given.colour,
    };
  }

  #draw() {
    const pen = this.#pen();
    const { ctx, box, ratio } = pen;
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.left, box.top, box.width, box.height);
    ctx.clip();
    for (const layer of this.given.y.layers) layer(pen);
    ctx.restore();
    ctx.save();
    ctx.strokeStyle = pen.colour("--axis");
    ctx.lineWidth = ratio;
    ctx.strokeRect(box.left, box.top, box.width, box.height);
    this.#drawTicks(pen);
    ctx.restore();
    this.given.drawn();
  }

  /** Ticks point inwards on all four sides, as in print; words have none. */
  #drawTicks({ ctx, box, ratio, x, y }) {
    const { given, u } = this;
    const [right, bottom] = [box.left + box.width, box.top + box.height];
    ctx.beginPath();
    for (const isX of [true, false]) {
      const axis = isX ? given.x : given.y;
      if (axis.ticks) continue;
      const [low, high] = given.view(axis);
      const { major, minor } = this.#ticks(u, axis, low, high, isX);
      const all = [...major.map(({ at }) => [at, 5]), ...minor.map((at) => [at, 2.5])];
      for (const [at, length] of all) {
        const place = isX ? x(at) : y(at);
        const inside = isX ? place >= box.left && place <= right : place >= box.top && place <= bottom;
        if (!inside) continue;
        const tick = length * ratio;
        const ends = isX
          ? [
              [place, bottom, place, bottom - tick],
              [place, box.top, place, box.top + tick],
            ]
          : [
              [box.left, place, box.left + tick, place],
              [right, place, right - tick, place],
            ];
        for (const [x0, y0, x1, y1] of ends) {
          ctx.moveTo(x0, y0);
          ctx.lineTo(x1, y1);
        }
      }
    }
    ctx.stroke();
  }
}
