((d, w) => {
  const s = d.currentScript, o = s.dataset, to = new URL("/v1/events?key=" + encodeURIComponent(o.key || ""), s.src);
  let queue = [], timer, wait = 1e3;
  const id = () => Date.now().toString(36) + Math.random().toString(36).slice(2);
  const plan = ms => { timer = timer || setTimeout(flush, ms) };
  const flush = leaving => {
    clearTimeout(timer); timer = 0;
    const some = queue.splice(0, 50), again = () => {
      queue = some.concat(queue).slice(0, 500);
      plan(wait = Math.min(wait * 2, 6e4));
    };
    if (!some.length) return;
    const body = JSON.stringify(some);
    if (leaving === true) return navigator.sendBeacon(to, body) || again();
    fetch(to, { method: "POST", body, keepalive: true })
      .then(r => { if (r.status > 428) again(); else { wait = 1e3; if (queue.length) plan(0) } }, again);
  };
  const send = (type, fields) => {
    const user_id = w.headrace.user, consent = w.headrace.consent;
    if (!user_id || consent === "none") return;
    const event_id = id();
    queue.push({ type, event_id, user_id, ts: Date.now(), ...consent === "no" && { consent: false }, ...fields });
    if (queue.length > 500) queue.shift();
    plan(500);
    return event_id;
  };
  w.headrace = { user: o.user, consent: o.consent || "none", send };
  const read = (at, names) => Object.fromEntries(names.filter(n => at["hr" + n] !== undefined)
    .map(n => [{ Item: "item_id", Search: "search_id" }[n] || n.toLowerCase(), /^(Item|Search|Currency)$/.test(n) ? at["hr" + n] : +at["hr" + n]]));
  d.addEventListener("click", e => {
    const at = e.target.closest("[data-hr-item]");
    if (at) send(at.dataset.hrBuy === undefined ? "click" : "purchase", read(at.dataset, at.dataset.hrBuy === undefined ? ["Item", "Search", "Position", "Price"] : ["Item", "Quantity", "Price", "Currency"]));
  }, true);
  d.addEventListener("submit", e => {
    const box = e.target.querySelector("[data-hr-query]");
    if (box && box.value) send("search", { query: box.value });
  }, true);
  d.addEventListener("visibilitychange", () => d.visibilityState === "hidden" && flush(true));
})(document, window);
