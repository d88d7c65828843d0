/** Pointing: what mouse, pen, finger and double click on a panel mean; the board acts on it. */

const STILL = 5; // CSS pixels that a pointer may move and still be a click

/**
 * @typedef {object} Ear
 * @property {() => "zoom" | "pan"} tool
 * @property {(x: number, y: number) => void} hover
 * @property {(x: number, y: number) => void} click
 * @property {(box: {x0: number, x1: number, y0: number, y1: number}) => void} zoom
 * @property {(dx: number, dy: number) => void} pan
 * @property {() => void} reset
 */

/** Listen on the drawing area of a panel. @param {HTMLElement} over @param {Ear} ear */
export function listen(over, ear) {
  const band = document.createElement("div");
  band.className = "chart-band";
  band.hidden = true;
  over.append(band);
  /** @type {{x: number, y: number, lastX: number, lastY: number, isPan: boolean, moved: boolean} | null} */
  let drag = null;

  const place = (/** @type {PointerEvent} */ event) => {
    const frame = over.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  };
  const stop = () => {
    drag = null;
    band.hidden = true;
  };

  over.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const [x, y] = place(event);
    drag = { x, y, lastX: x, lastY: y, isPan: ear.tool() === "pan" || event.shiftKey, moved: false };
    over.setPointerCapture(event.pointerId);
  });
  over.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    if (!drag) return ear.hover(x, y);
    drag.moved ||= Math.hypot(x - drag.x, y - drag.y) > STILL;
    if (!drag.moved) return undefined;
    if (drag.isPan) ear.pan(x - drag.lastX, y - drag.lastY);
    else stretch(band, over, boxOf(over, drag, x, y));
    Object.assign(drag, { lastX: x, lastY: y });
    return undefined;
  });
  over.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const [x, y] = place(event);
    const done = drag;
    stop();
    if (!done.moved) ear.click(x, y);
    else if (!done.isPan) ear.zoom(boxOf(over, done, x, y));
  });
  over.addEventListener("pointercancel", stop);
  over.addEventListener("dblclick", () => ear.reset());
}

/** The box between two places; a flat or narrow one spans the whole of the other axis. */
function boxOf(over, start, x, y) {
  const [width, height] = [over.clientWidth, over.clientHeight];
  const within = (value, most) => Math.min(most, Math.max(0, value));
  const [x0, x1] = [start.x, within(x, width)].sort((a, b) => a - b);
  const [y0, y1] = [start.y, within(y, height)].sort((a, b) => a - b);
  const narrow = x1 - x0 < 10;
  const flat = y1 - y0 < 10;
  return { x0: narrow ? 0 : x0, x1: narrow ? width : x1, y0: flat ? 0 : y0, y1: flat ? height : y1 };
}

function stretch(band, over, { x0, x1, y0, y1 }) {
  band.hidden = false;
  Object.assign(band.style, { left: `${x0}px`, top: `${y0}px`, width: `${x1 - x0}px`, height: `${y1 - y0}px` });
}
