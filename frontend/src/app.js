// Everything works without this file; it saves reloads and keystrokes. Delegated events only, no inline code, no eval.
const root = document.documentElement;
const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const isDark = () => root.dataset.theme === "dark" || (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme:dark)").matches);

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-theme-form]")) return;
  event.preventDefault();
  root.dataset.theme = isDark() ? "light" : "dark";
  document.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax`;
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-go]")) event.target.form.submit();
});

const jump = one("#jump");
function openJump() {
  if (!jump || jump.open || !jump.showModal) return;
  jump.showModal();
  const field = one("input", jump);
  field.value = "";
  narrow("");
  field.focus();
}
function narrow(text) {
  const word = text.trim().toLowerCase();
  for (const line of all("li", jump)) line.hidden = !!word && !(line.dataset.k + line.textContent).toLowerCase().includes(word);
}
document.addEventListener("input", (event) => { if (jump && jump.contains(event.target)) narrow(event.target.value); });
document.addEventListener("click", (event) => {
  if (event.target === jump) jump.close();
  for (const menu of all(".tabs details[open]")) if (!menu.contains(event.target)) menu.open = false;
});

const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 5, ArrowUp: -5 };
document.addEventListener("keydown", (event) => {
  const key = event.key, on = event.target;
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(on.tagName);
  if ((event.metaKey || event.ctrlKey) && key.toLowerCase() === "k") { event.preventDefault(); openJump(); return; }
  if (key === "/" && !isTyping) { const field = one("#q"); if (field) { event.preventDefault(); field.focus(); } return; }
  if (jump && jump.open && (key === "ArrowDown" || key === "ArrowUp")) {
    const stops = [one("input", jump), ...all("li:not([hidden]) a", jump)];
    const next = stops.indexOf(document.activeElement) + (key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    stops[(next + stops.length) % stops.length].focus();
    return;
  }
  const cell = on.closest && on.closest(".rc");
  if (cell && step[key]) {
    const cells = all(".rc", cell.closest("table"));
    let at = cells.indexOf(cell) + step[key];
    while (cells[at] && cells[at].tagName !== "A") at += step[key];
    if (cells[at]) { event.preventDefault(); cells[at].focus(); }
  }
});
