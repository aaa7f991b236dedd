// Two comforts; every page works without them.

// A password can be looked at while it is typed.
for (const place of document.querySelectorAll(".secret")) {
  const input = place.querySelector("input");
  const button = document.createElement("button");
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? place.dataset.hide : place.dataset.show;
    button.setAttribute("aria-label", shown ? place.dataset.hideLabel : place.dataset.showLabel);
  };
  button.type = "button";
  button.className = "reveal";
  button.setAttribute("aria-controls", input.id);
  button.addEventListener("click", () => show(input.type === "password"));
  // Sent as a password, or the browser would remember it among its ordinary suggestions.
  input.form.addEventListener("submit", () => show(false));
  show(false);
  place.append(button);
}

// A form that is on its way is not sent again.
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    if (form.hasAttribute("aria-busy")) event.preventDefault();
    else form.setAttribute("aria-busy", "true");
  });
}
// The way back may show this very page again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[aria-busy]")) form.removeAttribute("aria-busy");
});
