// Opens the <dialog> that a link names by data-dialog; without this script the link leads to a page that asks the same.
// Buttons with data-close close it, as Escape does; the focus goes back to the link.

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-dialog]");
  const dialog = link && document.getElementById(link.dataset.dialog);
  if (dialog) {
    event.preventDefault();
    dialog.showModal();
    dialog.addEventListener("close", () => link.isConnected && link.focus(), { once: true });
  } else if (event.target.closest("dialog [data-close]")) {
    event.target.closest("dialog").close();
  }
});
