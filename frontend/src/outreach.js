// The plan form: a variable is put where the cursor stands, and the letters are counted while one types.
document.addEventListener("click", (event) => {
  const chip = event.target.closest && event.target.closest("[data-insert]");
  const field = chip && document.getElementById(chip.dataset.into);
  if (!field) return;
  field.setRangeText(chip.dataset.insert, field.selectionStart, field.selectionEnd, "end");
  field.focus();
  tell(field);
});
function tell(field) {
  const place = document.getElementById(field.dataset.count);
  if (place) place.textContent = `${[...field.value].length} / ${field.maxLength}`;
}
document.addEventListener("input", (event) => { if (event.target.matches("[data-count]")) tell(event.target); });
document.querySelectorAll("[data-count]").forEach(tell);
