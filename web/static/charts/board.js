/** A board: panels above each other that share their x axis, the reader's view of them, and one cursor. */

import { Cursor } from "./cursor.js";
import { Panel } from "./panel.js";
import { listen } from "./pointing.js";

/**
 * @typedef {object} Picture what a kind of chart wants drawn
 * @property {import("./panel.js").Axis} x
 * @property {import("./panel.js").Spec[]} panels
 * @property {import("./cursor.js").Point[]} points where the cursor may stand
 * @property {number} [pull] how much the distance along y counts when the nearest point is looked for; 1 if not given
 * @property {boolean} [isPlane] both axes are free: the cursor has a line along each
 * @property {(index: number, key: string) => number} [step] where an arrow key leads; along the series if not given
 */

const NARROWEST = 1e-9; // of the numbers on an axis: what is closer cannot be told apart in doubles

export class Board {
  /**
   * @param {any} uPlot @param {HTMLElement} host
   * @param {{moved: (point: any) => void, picked: (point: any) => void,
   *   zoomed: (isZoomed: boolean) => void}} tell
   */
  constructor(uPlot, host, tell) {
    Object.assign(this, { uPlot, host, tell });
    this.tool = "zoom";
    /** @type {(name: string) => string} the colours of now */
    this.colour = () => "#000";
    /** @type {Map<string, [number, number]>} */
    this.views = new Map();
    /** @type {Panel[]} */
    this.panels = [];
    this.signature = "";
    this.gutter = 0;
    this.cursor = new Cursor((point) => tell.moved(point));
  }

  /** Show a picture: on the canvases that are there, unless its axes are of another kind. @param {Picture} picture */
  show(picture) {
    const signature = JSON.stringify([
      picture.x.log,
      picture.x.label,
      picture.panels.map(({ name, log, label }) => [name, log, label]),
    ]);
    this.picture = picture;
    if (signature === this.signature) this.refresh();
    else this.#build(signature);
    this.cursor.show(picture, this.panels);
    this.tell.zoomed(this.isZoomed());
  }

  /** Draw anew as it is: after a zoom, another theme, another width. */
  refresh() {
    if (!this.panels.length) return;
    const width = this.#width();
    this.panels.forEach((panel, index) => {
      Object.assign(panel.given, { x: this.picture.x, y: this.picture.panels[index], width });
    });
    this.gutter = Math.max(this.gutter, ...this.panels.map((panel) => panel.labelWidth()));
    for (const panel of this.panels) panel.update({});
  }

  /** Give the ranges that are looked at. */
  view(axis) {
    const { key, full, log } = axis;
    const own = this.views.get(key ?? axis.label);
    return own && (!log || own[0] > 0) ? own : full;
  }

  isZoomed() {
    return [this.picture.x, ...this.picture.panels].some((axis) => this.views.has(axis.key ?? axis.label));
  }

  /** Go back to the whole picture. */
  reset() {
    for (const axis of [this.picture.x, ...this.picture.panels]) this.views.delete(axis.key ?? axis.label);
    this.gutter = 0;
    this.#looked();
  }

  /** Zoom by a factor about the cursor's point, or the middle. @param {number} factor below 1 zooms in */
  scale(factor) {
    const panel = this.panels[0];
    if (!panel) return;
    const { clientWidth: width, clientHeight: height } = panel.over;
    const at = this.cursor.spot() ?? { left: width / 2, top: height / 2 };
    const x0 = at.left * (1 - factor);
    const y0 = at.top * (1 - factor);
    this.#look(panel, { x0, x1: x0 + width * factor, y0, y1: y0 + height * factor });
  }

  destroy() {
    for (const panel of this.panels) panel.destroy();
    this.panels = [];
    this.signature = "";
    this.gutter = 0;
  }

  #width() {
    return Math.max(220, Math.floor(this.host.clientWidth));
  }

  #build(signature) {
    this.destroy();
    this.signature = signature;
    const { x, panels } = this.picture;
    panels.forEach((y, index) => {
      const isLast = index === panels.length - 1;
      const view = (axis) => this.view(axis);
      const drawn = () => this.cursor.place(); // uPlot draws a moment later; only then are the places known
      const given = { x, y, isLast, view, gutter: () => this.gutter, colour: (name) => this.colour(name), drawn };
      const panel = new Panel(this.uPlot, this.host, { ...given, width: this.#width() });
      this.panels.push(panel);
      listen(panel.over, this.#ear(panel, index));
    });
    this.refresh();
  }

  /** @returns {import("./pointing.js").Ear} */
  #ear(panel, index) {
    return {
      tool: () => this.tool,
      hover: (x, y) => this.cursor.hover(index, x, y),
      click: (x, y) => {
        const point = this.cursor.hover(index, x, y);
        if (point && this.cursor.isNear(index, x, y)) this.tell.picked(point);
      },
      zoom: (box) => this.#look(panel, box),
      pan: (dx, dy) => {
        const { clientWidth: width, clientHeight: height } = panel.over;
        this.#look(panel, { x0: -dx, x1: width - dx, y0: -dy, y1: height - dy }, dy === 0);
      },
      reset: () => this.reset(),
    };
  }

  /** Look at a box of a panel, in CSS pixels of its drawing area. */
  #look(panel, { x0, x1, y0, y1 }, isFlat = false) {
    const { u } = panel;
    this.#keep(this.picture.x, u.posToVal(x0, "x"), u.posToVal(x1, "x"));
    const isWhole = isFlat || (y0 === 0 && y1 === panel.over.clientHeight);
    if (!isWhole) this.#keep(panel.given.y, u.posToVal(y1, "y"), u.posToVal(y0, "y"));
    this.#looked();
  }

  #keep(axis, low, high) {
    const isWide = axis.log
      ? high / low > 1 + NARROWEST
      : high - low > NARROWEST * Math.max(Math.abs(low), Math.abs(high));
    const isSound = Number.isFinite(low) && Number.isFinite(high) && (!axis.log || low > 0);
    if (isSound && isWide) this.views.set(axis.key ?? axis.label, [low, high]);
  }

  #looked() {
    this.refresh();
    this.tell.zoomed(this.isZoomed());
  }
}
