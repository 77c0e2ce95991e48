// Everything works without this file; it saves reloads and keystrokes. Delegated events only, no inline code, no eval.
const root = document.documentElement;
const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const isDark = () => root.dataset.theme === "dark" || (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme:dark)").matches);
root.classList.add("js");
const on = (name, answer) => document.addEventListener(name, answer);

// A fragment of the site in place of what is in the box; a visitor who was signed out meanwhile is sent to the door.
async function fill(box, address) {
  const answer = await fetch(address);
  if (answer.redirected) location.reload();
  if (!answer.ok) return;
  box.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
}

// Forms: light or dark without a reload; a second click on a form that is under way does nothing.
on("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-theme-form]")) {
    event.preventDefault();
    root.dataset.theme = isDark() ? "light" : "dark";
    document.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax`;
  } else if (form.method === "post") {
    if (form.sent) event.preventDefault();
    form.sent = setTimeout(() => { form.sent = 0; }, 5000);
  }
});
on("change", (event) => {
  if (event.target.matches("[data-go]")) event.target.form.submit();
  if (event.target.matches("[data-drop] input[type=file]")) send(event.target.form);
});

// Boxes that follow something under way: asked anew until they say that it has ended.
for (const box of all("[data-poll]")) {
  let isAsking = false;
  setInterval(async () => {
    if (isAsking || document.hidden) return;
    isAsking = true;
    await fill(box, box.dataset.poll).catch(() => {});
    if (one("[data-poll-end]", box)) location.reload();
    else isAsking = false;
  }, box.dataset.every || 1000);
}

// A file dropped on its form is sent at once, with a bar.
const over = (event, is) => {
  const form = event.target.closest && event.target.closest("[data-drop]");
  if (form) { event.preventDefault(); form.classList.toggle("over", is); }
  return form;
};
on("dragover", (event) => over(event, true));
on("dragleave", (event) => over(event, false));
on("drop", (event) => {
  const form = over(event, false);
  if (!form || !event.dataTransfer.files.length) return;
  one("input[type=file]", form).files = event.dataTransfer.files;
  send(form);
});
function send(form) {
  const file = one("input[type=file]", form).files[0];
  const isTooBig = file && file.size > form.dataset.drop * 1048576;
  one("[data-too-big]", form).hidden = !isTooBig;
  if (!file || isTooBig || form.sent) return;
  const request = new XMLHttpRequest();
  const end = () => { location.href = request.responseText[0] === "/" ? request.responseText : form.dataset.back; };
  form.sent = true;
  form.classList.add("sending");
  one("[data-file]", form).textContent = file.name;
  request.upload.onprogress = (event) => { one("progress", form).value = event.loaded / event.total; };
  request.onload = request.onerror = end;
  request.open("POST", form.action);
  request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
  request.send(new FormData(form));
}

// Buttons: copy, print, put a variable into a text; letters counted while typing.
const count = (field) => { one(`#${field.dataset.count}`).textContent = [...field.value].length || ""; };
for (const field of all("[data-count]")) if (one(`#${field.dataset.count}`)) count(field);
on("click", (event) => {
  const button = event.target.closest("[data-copy],[data-print],[data-insert]");
  if (button && "print" in button.dataset) print();
  if (button && button.dataset.copy) {
    getSelection().selectAllChildren(one(button.dataset.copy));
    document.execCommand("copy"); // also where the page came without HTTPS
    button.textContent = button.dataset.done;
  }
  if (button && button.dataset.insert) {
    const field = one(`#${button.dataset.into}`);
    field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  }
  if (event.target === jump) jump.close();
  if (event.target.closest("[data-jump]")) openJump();
  for (const menu of all(".tabs details[open], .fold-over[open]")) if (!menu.contains(event.target)) menu.open = false;
});
on("input", (event) => {
  if (event.target.dataset.count && one(`#${event.target.dataset.count}`)) count(event.target);
  if (jump && jump.contains(event.target)) search();
});

// The palette. Chinese is found by its characters and by the first letters of their pinyin.
const jump = one("#jump");
const order = new Intl.Collator("zh-Hans-CN-u-co-pinyin"); // knows where each letter begins: U+FDD0 and the letter
const initials = (text) => text.replace(/[一-鿿]/g, (sign) =>
  [..."ABCDEFGHJKLMNOPQRSTWXYZ"].reduce((found, letter) => (order.compare(sign, `\ufdd0${letter}`) < 0 ? found : letter)));
let wait;
const field = () => one("input[name=search]", jump);
function openJump() {
  if (!jump || jump.open || !jump.showModal) return;
  const own = one("[data-own]", jump);
  if (!own.childElementCount) fill(own, own.dataset.own).then(narrow, () => {});
  jump.showModal();
  field().value = "";
  search();
  field().focus();
}
function search() {
  const box = one("[data-find]", jump), word = field().value.trim();
  clearTimeout(wait);
  if (word) wait = setTimeout(() => fill(box, box.dataset.find + encodeURIComponent(word)).then(narrow, () => {}), 180);
  else box.replaceChildren();
  narrow();
}
function narrow() {
  const word = field().value.trim().toLowerCase();
  let first;
  for (const line of all("li", jump)) {
    line.k = line.k || `${line.dataset.k || ""} ${line.textContent} ${initials(line.textContent)}`.toLowerCase();
    line.hidden = word && !line.closest("[data-find]") && !line.k.includes(word);
    line.className = "";
    if (word && !line.hidden && !first) (first = line).className = "on";
  }
  for (const part of all("section", jump)) part.hidden = !one("li:not([hidden])", part);
}

// Arrow keys: through the palette, the cells of a grid, the rows of a table, the lines of a list.
const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
function next(from, [down, right]) {
  const cell = from.closest("td,th"), line = from.closest("main li");
  if (cell) {
    const rows = [...cell.closest("table").rows];
    let y = rows.indexOf(cell.parentElement), x = cell.cellIndex;
    for (;;) {
      y += down; x += right;
      const row = rows[y], there = row && row.cells[x];
      if (!there) return row && down ? one("a", row) : null;
      const link = one("a", there) || (down && !from.matches(".rc") && one("a", row));
      if (link) return link;
    }
  }
  let there = line;
  while (there && down) {
    there = down > 0 ? there.nextElementSibling : there.previousElementSibling;
    const link = there && one("a", there);
    if (link) return link;
  }
  return null;
}
on("keydown", (event) => {
  const key = event.key, at = event.target;
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName);
  const go = (target) => { if (target) { event.preventDefault(); target.focus(); } };
  if ((event.metaKey || event.ctrlKey) && key.toLowerCase() === "k") { event.preventDefault(); openJump(); }
  else if (key === "/" && !isTyping) go(one("#q"));
  else if (jump && jump.open) {
    const first = one("li.on a", jump), stops = [field(), ...all("li:not([hidden]) a", jump)];
    const by = step[key] && step[key][0];
    if (key === "Enter" && at === field() && first) { event.preventDefault(); first.click(); }
    else if (by) go(stops[(stops.indexOf(document.activeElement) + by + stops.length) % stops.length]);
  } else if (step[key] && at.tagName === "A") go(next(at, step[key]));
});
addEventListener("pageshow", (event) => { if (event.persisted) for (const form of document.forms) form.sent = 0; });
