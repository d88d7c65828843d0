/**
 * The charts of the page: every <figure class="chart" data-chart="fit" data-src="/api/v1/…"> becomes one.
 *
 * Figures that come later, by a swap of htmx or otherwise, are found too, and those that go are ended.  A figure with
 * data-live asks again at each `park:look` of the document's body; another data-src is fetched at once.  A figure in a
 * part that htmx morphs has hx-morph-skip-children, so that the drawing made here stays in it.
 */

import { Chart } from "./chart.js";
import { fit } from "./fit.js";
import { history } from "./history.js";
import { map } from "./map.js";
import { profile } from "./profile.js";
import { spread } from "./spread.js";
import { trend } from "./trend.js";

const KINDS = { fit, history, map, profile, spread, trend };
const FIGURES = "figure.chart[data-chart]";

/** @type {Map<HTMLElement, Chart>} */
const charts = new Map();

/** Mount what came, end what went, and put the drawing back where a swap took it out of its figure. */
function gather() {
  for (const [figure, chart] of charts) {
    if (!figure.isConnected) {
      chart.destroy();
      charts.delete(figure);
    } else if (!figure.contains(chart.frame.body)) figure.prepend(chart.frame.body);
  }
  for (const figure of document.querySelectorAll(FIGURES)) {
    const kind = KINDS[/** @type {HTMLElement} */ (figure).dataset.chart];
    if (kind && !charts.has(figure)) charts.set(figure, new Chart(figure, kind));
  }
}

new MutationObserver((changes) => {
  if (changes.some(({ type }) => type === "childList")) gather();
  for (const { type, target, attributeName } of changes) {
    const chart = type === "attributes" && charts.get(/** @type {HTMLElement} */ (target));
    if (!chart) continue;
    if (attributeName === "data-src") chart.sourced();
    else chart.redraw();
  }
}).observe(document.documentElement, {
  childList: true,
  subtree: true,
  attributes: true,
  attributeFilter: ["data-src", "data-save"],
});

document.body.addEventListener("park:look", () => {
  for (const [figure, chart] of charts) if (figure.hasAttribute("data-live")) chart.told();
});

gather();
