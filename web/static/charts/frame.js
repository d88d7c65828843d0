/** The frame of a chart: tool bar, read-out, legend and notes around the drawing, made in the page's figure. */

import { heat } from "./theme.js";

/**
 * @typedef {object} Tool a button that is on or off, a button that acts, or a choice
 * @property {string} key
 * @property {string} label
 * @property {string} [title]
 * @property {boolean} [on]
 * @property {[string, string][]} [options] value and words
 * @property {string} [value]
 * @property {boolean} [isOff] cannot be used now
 * @typedef {{name: string, low: string, high: string, isFlipped?: boolean}} Ramp
 * @typedef {{label: string, draw?: (ctx: CanvasRenderingContext2D, width: number, height: number) => void}} Entry
 */

/** Make an element. */
function make(tag, name = "", words = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (words) made.textContent = words;
  return made;
}

export class Frame {
  /** @param {HTMLElement} figure @param {(key: string, value: any) => void} used a tool was used */
  constructor(figure, used) {
    this.used = used;
    this.body = make("div", "chart-body");
    this.bar = make("div", "chart-bar");
    this.bar.setAttribute("role", "toolbar");
    this.bar.setAttribute("aria-label", "Tools of the chart");
    this.read = make("p", "chart-read");
    this.read.setAttribute("aria-live", "polite");
    this.host = make("div", "chart-plot");
    this.ramp = make("div", "chart-ramp");
    this.key = make("ul", "chart-legend");
    this.said = make("p", "chart-notes");
    this.said.setAttribute("role", "status");
    this.body.append(this.bar, this.read, this.host, this.ramp, this.key, this.said);
    figure.prepend(this.body);
    /** @type {Map<string, HTMLElement>} */
    this.made = new Map();
  }

  destroy() {
    this.body.remove();
  }

  /** Show these tools in this order; those that stay keep their element, and so the focus. @param {Tool[]} tools */
  tools(tools, saves) {
    const shown = tools.map((tool) => {
      const id = `${tool.options ? "choice" : "button"} ${tool.key}`;
      const element = this.made.get(id) ?? (tool.options ? this.#choice(tool.key) : this.#button(tool.key));
      this.made.set(id, element);
      (tool.options ? dressChoice : dressButton)(element, tool);
      return element;
    });
    if (saves.length) shown.push(this.#menu(saves));
    if (shown.length !== this.bar.children.length || shown.some((one, at) => one !== this.bar.children[at]))
      this.#arrange(shown);
  }

  /** Put the elements in order without taking those out that stay. */
  #arrange(shown) {
    for (const child of [...this.bar.children]) if (!shown.includes(child)) child.remove();
    shown.forEach((element, at) => {
      if (this.bar.children[at] !== element) this.bar.insertBefore(element, this.bar.children[at] ?? null);
    });
  }

  #button(key) {
    const button = make("button", "chart-tool");
    button.type = "button";
    button.dataset.tool = key;
    button.addEventListener("click", () => this.used(key, button.getAttribute("aria-pressed") !== "true"));
    return button;
  }

  #choice(key) {
    const label = make("label", "chart-choice");
    const select = make("select");
    select.dataset.tool = key;
    select.addEventListener("change", () => this.used(key, select.value));
    label.append(make("span"), select);
    return label;
  }

  /** The menu of files; closed by Escape, and by a click elsewhere. */
  #menu(saves) {
    const kept = this.made.get("menu");
    const stamp = JSON.stringify(saves);
    if (kept?.dataset.stamp === stamp) return kept;
    const menu = make("details", "chart-save");
    menu.dataset.stamp = stamp;
    const links = saves.map(([label, href]) => {
      const link = make("a", "", label);
      link.href = href;
      link.setAttribute("download", "");
      return link;
    });
    const panel = make("div", "chart-files");
    panel.append(...links);
    menu.append(make("summary", "chart-tool", "Save"), panel);
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
      event.stopPropagation();
    });
    menu.addEventListener("focusout", (event) => {
      if (!menu.contains(event.relatedTarget)) menu.open = false;
    });
    this.made.set("menu", menu);
    return menu;
  }

  /** Show what belongs to which name; a new legend only if it says something else. @param {Entry[]} entries */
  legend(entries) {
    const items = entries.map(({ label, draw }) => {
      const item = make("li");
      if (draw) item.append(sample(draw, 30, 14));
      item.append(make("span", "", label));
      return item;
    });
    this.key.replaceChildren(...items);
    this.key.hidden = items.length === 0;
  }

  /** Show the scale of colours with words at its ends, or none. @param {Ramp | null} scale */
  scale(scale) {
    this.ramp.hidden = !scale;
    if (!scale) return this.ramp.replaceChildren();
    const ramp = sample(
      (ctx, width, height) => {
        for (let x = 0; x < width; x++) {
          ctx.fillStyle = heat(scale.isFlipped ? 1 - x / (width - 1) : x / (width - 1));
          ctx.fillRect(x, 0, 1.5, height);
        }
      },
      120,
      10,
    );
    return this.ramp.replaceChildren(
      make("span", "", scale.name),
      make("span", "n", scale.low),
      ramp,
      make("span", "n", scale.high),
    );
  }

  /** Say what the cursor is at; `hint` stands there while it is nowhere. */
  readout(words, hint) {
    const said = words || hint;
    if (this.read.textContent !== said) this.read.textContent = said;
    this.read.classList.toggle("is-hint", !words);
  }

  /** Say in sentences what is left out, or why nothing is drawn. @param {string[]} sentences */
  notes(sentences) {
    const said = sentences.join(" ");
    if (this.said.textContent !== said) this.said.textContent = said;
    this.said.hidden = !said;
  }
}

function dressButton(button, { label, title, on, isOff }) {
  if (button.textContent !== label) button.textContent = label;
  if (title) button.title = title;
  if (on === undefined) button.removeAttribute("aria-pressed");
  else button.setAttribute("aria-pressed", String(on));
  button.disabled = Boolean(isOff);
}

function dressChoice(element, { label, options, value }) {
  const [words, select] = element.children;
  words.textContent = label;
  const stamp = JSON.stringify(options);
  if (select.dataset.stamp !== stamp) {
    select.dataset.stamp = stamp;
    select.replaceChildren(...options.map(([key, name]) => new Option(name, key)));
  }
  select.value = value;
}

/** A small drawing beside words, sharp on every screen. */
function sample(draw, width, height) {
  const canvas = make("canvas");
  const ratio = devicePixelRatio || 1;
  Object.assign(canvas, { width: width * ratio, height: height * ratio });
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  canvas.setAttribute("aria-hidden", "true");
  const ctx = canvas.getContext("2d");
  ctx.scale(ratio, ratio);
  draw(ctx, width, height);
  return canvas;
}
