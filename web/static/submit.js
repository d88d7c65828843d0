// Makes the forms of a session quicker to fill; all of them work without it.
//
//   <input type="hidden" data-names-of="files">   learns the names of the files chosen there, for a check to know
//   <input type="file" data-reads-into="xml">     puts the text of a chosen session into the text area
//   <button data-keep-picked>                     moves what is ticked in a list into the lines of data

const MOST_READ = 4_000_000; // bytes of a session that are shown as text; a larger one goes as it is

/** Tell the form that something of it has changed, as if it had been typed. */
function changed(element) {
  element.dispatchEvent(new Event("input", { bubbles: true }));
}

for (const hidden of document.querySelectorAll("[data-names-of]")) {
  const files = document.getElementById(hidden.dataset.namesOf);
  const tell = () => {
    hidden.value = [...files.files].map((file) => file.name).join("\n");
    changed(files);
  };
  files.addEventListener("change", tell);
  if (files.files.length) tell(); // a browser that goes back keeps what was chosen
}

for (const input of document.querySelectorAll("[data-reads-into]")) {
  const area = document.getElementById(input.dataset.readsInto);
  input.addEventListener("change", async () => {
    const file = input.files[0];
    if (!file || file.size > MOST_READ || !/\.xml$/i.test(file.name)) {
      if (file) area.value = ""; // a zip goes alone
      return;
    }
    try {
      area.value = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    } catch {
      area.value = ""; // in another encoding: it goes as it is
    }
    changed(area);
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-keep-picked]");
  if (!button) return;
  const area = document.getElementById("data");
  const ticked = [...document.querySelectorAll('input[name="pick"]:checked')];
  const lines = new Set([...area.value.split("\n"), ...ticked.map((box) => box.value)].map((line) => line.trim()));
  area.value = [...lines].filter(Boolean).join("\n");
  for (const box of ticked) box.checked = false;
  changed(area);
});

// A link to a field leads into it, also where a closed <details> hides it.
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  const field = link && document.getElementById(decodeURIComponent(link.getAttribute("href").slice(1)));
  if (!field) return;
  for (let box = field.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  if (field.matches("input, select, textarea")) {
    event.preventDefault();
    field.focus();
  }
});

const first = document.querySelector('[aria-invalid="true"]');
if (first) {
  for (let box = first.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  first.focus();
}
