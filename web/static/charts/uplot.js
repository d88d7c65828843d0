/** uPlot: loaded once, when the first chart of a page needs it. */

/** @type {Promise<any> | null} */
let loading = null;

/** Give uPlot's class; the file is the package's own, which makes a global, and so is no module. */
export function loadUPlot() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("../vendor/uPlot.iife.min.js", import.meta.url).href;
    script.onload = () => resolve(/** @type {any} */ (globalThis).uPlot);
    script.onerror = () => {
      loading = null;
      reject(new Error("the drawing library did not arrive"));
    };
    document.head.append(script);
  });
  return loading;
}
