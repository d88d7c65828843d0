// Keeps the parts of a page that change in step with the archive: asks for each part again and again, and morphs what
// is shown into what has come, so that nothing flickers and no choice of the reader is lost.
//
//   <div id="…" data-part="/parts/…">   is asked for; 304 while nothing has changed
//                                       data-every="3": only every third time
//   "park:look" on document.body         tells charts that something has changed, and it is time to look again
//
// Nothing is asked while the page cannot be seen. What fails is tried again, ever more slowly, and said in a banner.

const SOON = 700; // ms between looks
const LATER = 900; // ms between looks where the server has much to do
const LATE = 15000; // ms between looks at most, while nobody answers
const CHARTS = 1500; // ms between looks of the charts at least; the server says when it should be more
const tags = new WeakMap(); // element → {url, tag}

let looks = 0;
let failures = 0;
let timer = 0;
let rest = CHARTS;
let told = -CHARTS;
let telling = 0;

/** Tell the charts that something has changed, but not too often. */
function tell() {
  clearTimeout(telling);
  telling = setTimeout(() => {
    told = performance.now();
    document.body.dispatchEvent(new CustomEvent("park:look"));
  }, Math.max(0, told + rest - performance.now()));
}

/** @param {Element} part */
async function look(part) {
  const url = part.getAttribute("data-part");
  const known = tags.get(part);
  const headers = { "X-Park-Look": "1" };
  if (known?.url === url) headers["If-None-Match"] = known.tag;
  const answer = await fetch(url, { headers, cache: "no-store" });
  rest = Number(answer.headers.get("X-Park-Rest")) || CHARTS;
  if (answer.status === 401) return location.reload(); // logged out meanwhile: the page says how to come back
  if (answer.status === 304) return;
  if (answer.status === 404 && part.hasAttribute("data-ends")) return part.removeAttribute("data-part");
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  const text = await answer.text();
  if (part.getAttribute("data-part") !== url) return; // something else is wanted by now
  if (known) tell();
  tags.set(part, { url, tag: answer.headers.get("ETag") ?? "" });
  await window.htmx.swap({ sourceElement: part, target: part, text, swap: "innerMorph" });
}

async function lookAround(isAll = false) {
  clearTimeout(timer);
  if (document.hidden) return;
  const isDue = (part) => looks % Number(part.dataset.every ?? 1) === 0;
  const parts = [...document.querySelectorAll("[data-part]")].filter((part) => isAll || isDue(part));
  looks += 1;
  const outcomes = await Promise.allSettled(parts.map(look));
  const isLost = outcomes.some((outcome) => outcome.status === "rejected");
  failures = isLost ? failures + 1 : 0;
  document.getElementById("lost").hidden = failures < 2;
  const soon = Math.min(Math.max(rest / 2, SOON), LATER);
  timer = setTimeout(lookAround, Math.min(soon * 2 ** failures, LATE));
}

// What is asked for again has no secret in it, for it is kept for all of one's log-ins: the page's own is put in late.
document.addEventListener(
  "submit",
  (event) => {
    const field = event.target.elements.namedItem("csrf");
    if (field) field.value = JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRF-Token"];
  },
  true,
);
document.addEventListener("visibilitychange", () => lookAround());
window.addEventListener("online", () => lookAround());
document.body.addEventListener("park:now", () => lookAround(true)); // something was just changed here
lookAround();
