/** The cursor: a point of the data that is marked and read out, found by the pointer or stepped to by keys. */

/**
 * @typedef {object} Point
 * @property {number} x
 * @property {number} y
 * @property {number} panel which panel it stands in
 * @property {number} [series] what arrow up and down change
 * @property {Record<number, number>} [also] its y in other panels
 * @property {() => string} say what is read out
 * @property {unknown} [job] what a click leads to
 * @property {string} [id] by which the point is found again in the next picture; its place in the list if not given
 */

const NEAR = 24; // CSS pixels: a click further away means no point

export class Cursor {
  /** @param {(point: Point | null) => void} moved */
  constructor(moved) {
    this.moved = moved;
    this.index = -1;
    /** @type {any[]} */
    this.parts = [];
  }

  /** Take a new picture; the cursor stays at its point while that is there. */
  show(picture, panels) {
    const id = this.point()?.id;
    if (id !== undefined) this.index = picture.points.findIndex((point) => point.id === id);
    this.picture = picture;
    this.panels = panels;
    this.parts = panels.map(({ over }) => partsIn(over));
    if (this.index >= picture.points.length) this.index = -1;
    this.place();
    this.moved(this.point());
  }

  point() {
    return this.picture?.points[this.index] ?? null;
  }

  /** Go to the point nearest to a place in a panel, and give it. */
  hover(panel, left, top) {
    this.#go(this.#nearest(panel, left, top));
    return this.point();
  }

  isNear(panel, left, top) {
    const spot = this.spot(panel);
    return spot !== null && Math.hypot(spot.left - left, spot.top - top) <= NEAR;
  }

  /** Move by a key; says whether the key was one of the cursor's. */
  step(key) {
    const { points, step } = this.picture;
    if (!points.length) return false;
    if (key === "Escape") this.#go(-1);
    else if (key === "Home") this.#go(this.#edge(1));
    else if (key === "End") this.#go(this.#edge(-1));
    else if (!key.startsWith("Arrow")) return false;
    else if (this.index < 0) this.#go(this.#edge(1));
    else this.#go(step ? step(this.index, key) : this.#along(key));
    return true;
  }

  /** Where the cursor's point is in a panel, in CSS pixels; null if it is not there. */
  spot(panel = this.point()?.panel ?? 0) {
    const point = this.point();
    const y = point && (point.panel === panel ? point.y : point.also?.[panel]);
    if (!point || y === undefined || !this.panels[panel]) return null;
    const { u } = this.panels[panel];
    const spot = { left: u.valToPos(point.x, "x"), top: u.valToPos(y, "y") };
    return Number.isFinite(spot.left) && Number.isFinite(spot.top) ? spot : null;
  }

  /** Put the lines and rings where the point is now. */
  place() {
    this.parts.forEach(({ rule, ring, across }, panel) => {
      const { over } = this.panels[panel];
      const spot = this.spot(panel);
      const inside = (spot) => spot.left >= 0 && spot.left <= over.clientWidth;
      const own = this.spot();
      rule.hidden = !own || !inside(own);
      ring.hidden = !spot || !inside(spot) || spot.top < 0 || spot.top > over.clientHeight;
      across.hidden = ring.hidden || !this.picture.isPlane;
      if (!across.hidden) across.style.transform = `translateY(${spot.top}px)`;
      if (!rule.hidden) rule.style.transform = `translateX(${own.left}px)`;
      if (!ring.hidden) ring.style.transform = `translate(${spot.left}px, ${spot.top}px)`;
    });
  }

  #go(index) {
    if (index === this.index) return;
    this.index = index;
    this.place();
    this.moved(this.point());
  }

  #nearest(panel, left, top) {
    const { points, pull = 1 } = this.picture;
    const { u } = this.panels[panel];
    let found = -1;
    let least = Infinity;
    points.forEach((point, index) => {
      const y = point.panel === panel ? point.y : point.also?.[panel];
      if (y === undefined) return;
      const distance = (u.valToPos(point.x, "x") - left) ** 2 + pull * (u.valToPos(y, "y") - top) ** 2;
      if (distance < least) [found, least] = [index, distance];
    });
    return found;
  }

  /** The first (way 1) or last point of the series that the cursor is in. */
  #edge(way) {
    const series = this.point()?.series;
    const { points } = this.picture;
    const isOf = (point) => series === undefined || point.series === series;
    return way > 0 ? points.findIndex(isOf) : points.findLastIndex(isOf);
  }

  #along(key) {
    const { points } = this.picture;
    const now = points[this.index];
    if (key === "ArrowLeft" || key === "ArrowRight") {
      const next = this.index + (key === "ArrowRight" ? 1 : -1);
      return points[next] && points[next].series === now.series ? next : this.index;
    }
    const way = key === "ArrowDown" ? 1 : -1;
    const others = [...new Set(points.map(({ series }) => series))];
    const series = others[others.indexOf(now.series) + way];
    if (series === undefined) return this.index;
    let found = this.index;
    let least = Infinity;
    points.forEach((point, index) => {
      if (point.series !== series || Math.abs(point.x - now.x) >= least) return;
      [found, least] = [index, Math.abs(point.x - now.x)];
    });
    return found;
  }
}

/** The cursor's elements in a panel, made once. */
function partsIn(over) {
  const part = (name) => {
    const found = over.querySelector(`.${name}`);
    if (found) return found;
    const made = document.createElement("div");
    made.className = name;
    made.hidden = true;
    over.append(made);
    return made;
  };
  return { rule: part("chart-rule"), across: part("chart-across"), ring: part("chart-ring") };
}
