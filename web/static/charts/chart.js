/** A chart: one figure of the page, from its sources to its picture, with the reader's settings kept. */

import { Board } from "./board.js";
import { Frame } from "./frame.js";
import { Source } from "./source.js";
import { onTheme, palette } from "./theme.js";
import { loadUPlot } from "./uplot.js";

/**
 * @typedef {object} Said what stands around a picture; with `empty`, a sentence, there is none
 * @property {string} words what the picture shows, for those who do not see it
 * @property {string[]} notes what was left out
 * @property {import("./frame.js").Entry[]} legend
 * @property {import("./frame.js").Tool[]} tools
 * @property {import("./frame.js").Ramp | null} [scale]
 * @property {string} [empty]
 * @typedef {Partial<import("./board.js").Picture> & Said} Drawing
 * @typedef {(answers: any[], settings: Record<string, any>, colour: (name: string) => string) => Drawing} Kind
 */

const HINT = "Point at the chart, or move along it with the arrow keys, to read values.";
const LOADING = "The chart is being fetched.";

export class Chart {
  /** @param {HTMLElement} figure @param {Kind} kind */
  constructor(figure, kind) {
    Object.assign(this, { figure, kind });
    /** @type {Record<string, any>} */
    this.settings = {};
    this.frame = new Frame(figure, (key, value) => this.use(key, value));
    this.frame.notes([LOADING]);
    this.frame.readout("", "");
    this.ending = new AbortController();
    this.tool = "zoom";
    this.isZoomed = false;
    this.width = 0;
    this.undo = onTheme(() => this.redraw());
    this.sizes = new ResizeObserver(() => this.#resized());
    this.sizes.observe(this.frame.host);
    this.frame.host.addEventListener("keydown", (event) => this.#key(event));
    this.sourced();
  }

  /** Take the addresses that the figure names now. */
  sourced() {
    const urls = (this.figure.dataset.src ?? "").split(/\s+/).filter(Boolean);
    const known = new Map((this.sources ?? []).map((source) => [source.url, source]));
    this.sources = urls.map((url) => known.get(url) ?? new Source(url));
    this.stale = true;
    return this.look();
  }

  /** Something may be new: look, at once or when this chart has rested. */
  told() {
    clearTimeout(this.waiting);
    const rest = 1000 * (Number(this.figure.dataset.rest) || 0);
    const wait = (this.looked ?? -rest) + rest - performance.now();
    if (wait > 0) this.waiting = setTimeout(() => this.look(), wait);
    else this.look();
  }

  /** Ask the sources, and draw if one of them has something new. */
  async look() {
    this.looked = performance.now();
    if (this.asking) {
      this.again = this.stale;
      return;
    }
    this.asking = true;
    try {
      this.uPlot ??= await loadUPlot();
      const { sources } = this;
      const got = await Promise.all(sources.map((source) => source.ask(this.ending.signal)));
      if (this.ending.signal.aborted || sources !== this.sources) return;
      this.problems = [...new Set(got.map(({ problem }) => problem).filter(Boolean))];
      if (this.stale || got.some(({ isNew }) => isNew)) this.draw();
      else this.#notes();
    } catch (error) {
      if (!this.ending.signal.aborted) this.frame.notes([`The chart could not be shown: ${error.message}.`]);
    } finally {
      this.asking = false;
      this.looks = (this.looks ?? 0) + 1;
      this.frame.body.dataset.looks = String(this.looks); // so that others can wait for it
      if (this.again && !this.ending.signal.aborted) {
        this.again = false;
        this.look();
      }
    }
  }

  /** Make the picture of what is known, and show it. */
  draw() {
    this.stale = false;
    const answers = this.sources.map(({ answer }) => answer).filter((answer) => answer !== null);
    if (!answers.length) return this.#notes();
    this.colour = palette(this.figure);
    this.drawing = this.kind(answers, this.settings, this.colour);
    const { drawing } = this;
    const isDrawn = !drawing.empty && drawing.x && drawing.panels?.length;
    this.frame.host.hidden = !isDrawn;
    this.frame.read.hidden = !isDrawn;
    this.frame.legend(isDrawn ? drawing.legend : []);
    this.frame.scale((isDrawn && drawing.scale) || null);
    this.#notes();
    if (isDrawn) this.#board().show(/** @type {any} */ (drawing));
    this.#tools();
    if (isDrawn) this.#describe(drawing.words);
    return undefined;
  }

  /** Draw anew in the colours of now. */
  redraw() {
    if (this.drawing) this.draw();
  }

  /** A tool of the bar was used. */
  use(key, value) {
    if (key === "zoom" || key === "pan") this.tool = this.board.tool = key;
    else if (key === "reset") this.board.reset();
    else {
      this.settings[key] = value;
      return this.draw();
    }
    return this.#tools();
  }

  destroy() {
    clearTimeout(this.waiting);
    this.ending.abort();
    this.undo();
    this.sizes.disconnect();
    this.board?.destroy();
    this.frame.destroy();
  }

  #board() {
    this.board ??= new Board(this.uPlot, this.frame.host, {
      moved: (point) => this.frame.readout(point ? point.say() : "", HINT),
      picked: (point) => this.#pick(point),
      zoomed: (isZoomed) => {
        this.isZoomed = isZoomed;
        this.#tools();
      },
    });
    this.board.tool = this.tool;
    this.board.colour = this.colour;
    return this.board;
  }

  #tools() {
    const { drawing } = this;
    const isDrawn = !this.frame.host.hidden;
    const common = [
      { key: "zoom", label: "Zoom", title: "Drag a box to zoom; double click goes back", on: this.tool === "zoom" },
      { key: "pan", label: "Pan", title: "Drag to move; with Zoom chosen, hold Shift", on: this.tool === "pan" },
      { key: "reset", label: "Reset", title: "Show everything again (key 0)", isOff: !this.isZoomed },
    ];
    this.frame.host.classList.toggle("is-pan", this.tool === "pan");
    this.frame.tools([...(isDrawn ? common : []), ...(drawing?.tools ?? [])], this.#saves());
  }

  /** The files that the page offers: data-save holds [[label, address], …]; only addresses of this site count. */
  #saves() {
    try {
      const saves = JSON.parse(this.figure.dataset.save ?? "[]");
      return saves.filter(([label, href]) => typeof label === "string" && isOurs(href));
    } catch {
      return [];
    }
  }

  #notes() {
    const { drawing } = this;
    const nothing = drawing || this.problems?.length ? "" : "There is nothing to draw here yet.";
    this.frame.notes(
      [nothing, drawing?.empty ?? "", ...(drawing?.notes ?? []), ...(this.problems ?? [])].filter(Boolean),
    );
  }

  /** Say in words what is drawn, on the canvas that takes the keys. */
  #describe(words) {
    this.board.panels.forEach(({ canvas }, index) => {
      if (index) return canvas.setAttribute("aria-hidden", "true");
      canvas.setAttribute("role", "img");
      canvas.tabIndex = 0;
      if (canvas.getAttribute("aria-label") !== words) canvas.setAttribute("aria-label", words);
      return undefined;
    });
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.board) return;
    const { board } = this;
    const zooms = { "+": 1 / 1.5, "=": 1 / 1.5, "-": 1.5 };
    if (event.key in zooms) board.scale(zooms[event.key]);
    else if (event.key === "0") board.reset();
    else if (event.key === "Enter" && board.cursor.point()) this.#pick(board.cursor.point());
    else if (!board.cursor.step(event.key)) return;
    event.preventDefault();
  }

  /** Tell the page that a job was chosen, and go to it where the figure says how. */
  #pick(point) {
    if (point.job === undefined || point.job === null) return;
    const detail = { sid: this.sources[0]?.answer?.sid, job: point.job };
    const goes = this.figure.dispatchEvent(new CustomEvent("park:job", { detail, bubbles: true, cancelable: true }));
    const href = (this.figure.dataset.jobHref ?? "").replace("{job}", encodeURIComponent(String(point.job)));
    if (goes && href && isOurs(href)) location.assign(href);
  }

  #resized() {
    const width = this.frame.host.clientWidth;
    if (!width || width === this.width) return;
    this.width = width;
    this.board?.refresh();
  }
}

/** Say whether an address is of this site. */
function isOurs(href) {
  try {
    return typeof href === "string" && new URL(href, document.baseURI).origin === location.origin;
  } catch {
    return false;
  }
}
