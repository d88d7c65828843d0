// Filters of a list act while one types: the part that shows it is asked for what the form says, and the address too.
const WAIT = 250; // ms after the last key

for (const form of document.querySelectorAll("form[data-search]")) {
  const part = document.getElementById(form.dataset.search);
  let timer = 0;
  const search = () => {
    const fields = [...new FormData(form)].filter(([, value]) => value !== "");
    const query = new URLSearchParams(fields).toString();
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
    part.dataset.part = `${part.dataset.part.split("?")[0]}?${query}`;
    document.body.dispatchEvent(new CustomEvent("park:now"));
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, WAIT);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    search();
  });
}
