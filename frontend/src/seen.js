// What a visitor looks at in the shop, told to this site and to nobody else. The visitor is a random name that ends with
// the tab; where the browser or the visitor asks for no notes, not even that. Times are the server's, so that a wrong
// clock moves nothing. Buying needs none of this.
const began = document.currentScript && +document.currentScript.dataset.now;
const isWanted = navigator.doNotTrack !== "1" && !navigator.globalPrivacyControl && !/(^|; )notes=no/.test(document.cookie);

if (began && isWanted && navigator.sendBeacon && self.crypto) {
  const name = () => Array.from(crypto.getRandomValues(new Uint8Array(14)), (n) => (n % 36).toString(36)).join("");
  const kept = (key, make) => {
    try {
      return sessionStorage[key] || (sessionStorage[key] = make());
    } catch {
      return make();
    }
  };
  const asked = new URLSearchParams(location.search);
  const visitor = kept("visitor", name);
  const cameFrom = kept("came-from", () => {
    const host = document.referrer && new URL(document.referrer).host;
    return (asked.get("utm_source") || (host !== location.host && host) || "direct").slice(0, 60);
  });
  let waiting = [];
  let unsent = "";
  let timer;

  // A body that was not taken goes again as it was: its name and its times make it count once.
  const send = () => {
    clearTimeout(timer);
    timer = 0;
    if (!unsent && waiting.length) {
      unsent = JSON.stringify({ v: visitor, b: name(), s: cameFrom, e: waiting.splice(0, 40) });
    }
    if (unsent && navigator.sendBeacon("/behaviour/", unsent)) unsent = "";
    if (waiting.length) timer = setTimeout(send, 4000);
  };
  const note = (kind, product = "", variant = "", text = "") => {
    waiting.push([kind, Math.round(began + performance.now()), product, variant, text]);
    if (waiting.length > 30) send();
    else timer = timer || setTimeout(send, 4000);
  };
  const productOf = (url) => (url.pathname.match(/^\/shop\/p\/(\w+)\//) || ["", ""])[1];
  const look = () => {
    const words = (asked.get("q") || "").trim();
    if (location.pathname.startsWith("/shop/")) note("view", productOf(location), asked.get("v") || "");
    if (words && !asked.get("page")) note("search", "", "", words.slice(0, 60));
  };

  // A page that the browser prepares unseen counts from when it is seen.
  let isSeen = false;
  const turn = () => {
    if (document.hidden) send();
    else if (!isSeen) look((isSeen = true));
  };
  addEventListener("visibilitychange", turn, true);
  addEventListener("pagehide", send);
  addEventListener("pageshow", (event) => event.persisted && look());
  addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link) return;
    const place = link.closest("[data-from]");
    const variant = new URLSearchParams(link.search).get("v") || "";
    if (place) note("click", productOf(link), variant, place.dataset.from);
    if (link.matches("[data-sheet]")) note("add", productOf(link), variant);
  });
  turn();
}
