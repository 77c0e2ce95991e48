// Member pages work without this file; it saves taps. Delegated events only, no inline code, no eval.
const root = document.documentElement;
const isDark = () => root.dataset.theme === "dark" || (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme:dark)").matches);

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-theme-form]")) return;
  event.preventDefault();
  root.dataset.theme = isDark() ? "light" : "dark";
  document.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax`;
});

// Six digits are a whole code: send it.
let isSent = false;
document.addEventListener("input", (event) => {
  const field = event.target;
  if (!field.matches("[data-six]")) return;
  const digits = field.value.normalize("NFKC").replace(/\D/g, "").slice(0, 6);
  if (field.value !== digits) field.value = digits;
  if (digits.length === 6 && !isSent && field.form.checkValidity()) {
    isSent = true;
    field.form.requestSubmit ? field.form.requestSubmit() : field.form.submit();
  }
});

// The device knows its time zone: offer it where it is not the one in use.
const offer = document.querySelector("[data-zone-offer]");
if (offer) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && zone !== offer.dataset.zoneOffer) {
    offer.querySelector("[name=zone]").value = zone;
    offer.querySelector("[data-zone-name]").textContent = zone;
    offer.hidden = false;
  }
}
