// Member pages work without this file; it saves taps. Delegated events only, no inline code, no eval.
const root = document.documentElement;
const isDark = () => root.dataset.theme === "dark" || (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme:dark)").matches);

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-theme-form]")) return;
  event.preventDefault();
  root.dataset.theme = isDark() ? "light" : "dark";
  document.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax`;
});

// Six digits are a whole code: send it. One that was filled in before this file came is sent too, but none that the
// browser remembers of a visit before.
let isSent = false;
const sendWhole = (field) => {
  const digits = field.value.normalize("NFKC").replace(/\D/g, "").slice(0, 6);
  if (field.value !== digits) field.value = digits;
  if (digits.length === 6 && !isSent && field.form.checkValidity()) {
    isSent = true;
    field.form.requestSubmit ? field.form.requestSubmit() : field.form.submit();
  }
};
document.addEventListener("input", (event) => event.target.matches("[data-six]") && sendWhole(event.target));
const [visit] = performance.getEntriesByType("navigation");
if (visit && visit.type === "navigate") document.querySelectorAll("[data-six]").forEach(sendWhole);

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

// The shop. Every form and link below works as a page of its own; here it happens on the page one is on.
root.classList.add("has-script");
const parse = (text) => new DOMParser().parseFromString(text, "text/html");

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-theme-link]");
  if (!link) return;
  event.preventDefault();
  root.dataset.theme = isDark() ? "light" : "dark";
  document.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax`;
});

// A form that buys or pays goes out once; a page that comes back from the browser's memory may send it again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]") || event.defaultPrevented) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
  form.classList.add("is-busy");
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-sent]")) {
    delete form.dataset.sent;
    form.classList.remove("is-busy");
  }
});

// The sheet comes up over the page.
const canShow = typeof HTMLDialogElement === "function";
let dialog;
function show(form) {
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.className = "sheet";
    dialog.setAttribute("aria-labelledby", "sheet-h");
    document.body.append(dialog);
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
    });
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "ico sheet-x";
  close.dataset.close = "";
  close.textContent = "✕";
  close.setAttribute("aria-label", form.dataset.closeSays);
  dialog.replaceChildren(close, form);
  if (!dialog.open) dialog.showModal();
}
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-sheet]");
  if (!link || !canShow || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  link.classList.add("is-busy");
  try {
    const answer = await fetch(link.href);
    const form = parse(await answer.text()).querySelector(".sheet-body");
    if (!form) throw answer;
    show(form);
  } catch {
    location.href = link.href;
  }
  link.classList.remove("is-busy");
});

// What changes the price asks for it anew; what was typed as a secret stays where it is.
async function reprice(form, what) {
  const asked = new FormData(form);
  asked.set("do", what);
  form.classList.add("is-busy");
  const { name, value, id } = document.activeElement || {};
  const answer = await fetch(form.action, { method: "POST", body: asked });
  const fresh = parse(await answer.text()).querySelector(".sheet-body");
  if (!fresh) return form.submit();
  for (const field of form.querySelectorAll("input[type=password]")) {
    const same = fresh.elements[field.name];
    if (same) same.value = field.value;
  }
  const why = form.querySelector(".why");
  if (why && why.open && fresh.querySelector(".why")) fresh.querySelector(".why").open = true;
  form.replaceWith(fresh);
  const focus = (id && document.getElementById(id)) || (name && fresh.querySelector(`[name="${name}"][value="${value}"]`));
  if (focus) focus.focus();
}
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-reprice]") && event.target.checkValidity()) reprice(event.target.form, "price");
});
document.addEventListener("click", (event) => {
  const button = event.target.closest(".sheet-body button[name=do]");
  if (!button || button.value === "pay") return;
  event.preventDefault();
  reprice(button.form, button.value);
});

// An order: parts of its page are exchanged when it has moved, or when a key is shown. A shown key is not taken away.
const page = document.querySelector("[data-page]");
function exchange(text, isOwn) {
  const fresh = parse(text);
  const now = fresh.querySelector("[data-page]");
  if (!now) return false;
  for (const id of ["now", "goods"]) {
    const old = document.getElementById(id);
    const part = fresh.getElementById(id);
    const isShown = !isOwn && old && old.querySelector("[data-plain]");
    if (old && part && !isShown) old.replaceChildren(...part.childNodes);
  }
  page.dataset.mark = now.dataset.mark;
  if (now.dataset.live) page.dataset.live = now.dataset.live;
  else delete page.dataset.live;
  offerCopies();
  return true;
}
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!page || !form.matches("[data-stay]")) return;
  event.preventDefault();
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), cache: "no-store" });
  if (!exchange(await answer.text(), true)) return form.submit();
  const copy = document.querySelector("[data-copy]");
  if (copy) copy.focus();
});
function offerCopies() {
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const code = button.parentElement.querySelector("code");
  const range = document.createRange();
  range.selectNodeContents(code);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(code.textContent);
    else document.execCommand("copy");
    button.querySelector("span").textContent = button.dataset.copied;
  } catch {}
});
if (page) offerCopies();

// News come by a stream; where there is none the page asks every three seconds, while somebody looks at it.
async function lookAgain() {
  const answer = await fetch(page.dataset.page, { cache: "no-store" });
  if (answer.ok && !answer.redirected) exchange(await answer.text(), false);
}
function ask() {
  const timer = setInterval(() => {
    if (!page.dataset.live) clearInterval(timer);
    else if (!document.hidden) lookAgain().catch(() => {});
  }, 3000);
}
if (page && page.dataset.live) {
  if (page.dataset.live === "ask" || typeof EventSource !== "function") ask();
  else {
    const stream = new EventSource(page.dataset.live);
    stream.onmessage = async (event) => {
      if (event.data !== page.dataset.mark) await lookAgain().catch(() => {});
      if (!page.dataset.live) stream.close();
    };
    stream.onerror = () => {
      if (stream.readyState === EventSource.CLOSED) ask();
    };
  }
}
