/* The shop's pages. What they show and send goes through the doors that every shop has: /headrace.js and /v1. */
"use strict";
(() => {
  const $ = id => document.getElementById(id);
  const ROW = 12, FOUND = 16, LEADING = 4, EVENTS = 8, FOLLOWED_MS = 5000, PAUSE_MS = 150, MOST_IDS = 100;
  const open = $("item")?.dataset.item; // whose page this is
  const user = headrace.user, words = JSON.parse($("shop").dataset.words), memory = `shop ${user}`;

  // What one visitor did in this tab: the newest events first, the basket, and the row as it was last.
  const kept = { events: [], basket: {}, row: null, searched: null, ...JSON.parse(sessionStorage.getItem(memory) || "{}") };
  const keep = () => sessionStorage.setItem(memory, JSON.stringify(kept));
  const say = text => { $("status").textContent = text; };
  const sleep = ms => new Promise(done => setTimeout(done, ms));

  const ask = async (path, init) => {
    const answer = await fetch(path, init);
    if (answer.status === 304) return null;
    if (answer.status === 401) location.assign("/signin?to=" + encodeURIComponent(location.pathname + location.search));
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.detail);
    return { body, tag: answer.headers.get("ETag") };
  };

  /* Items: what the catalogue says of them, asked for once a page. */

  const items = new Map();
  const learn = async ids => {
    const unknown = [...new Set(ids)].filter(id => id && !items.has(id));
    for (let at = 0; at < unknown.length; at += MOST_IDS) {
      const part = unknown.slice(at, at + MOST_IDS);
      const { body } = await ask("/v1/items?" + new URLSearchParams(part.map(id => ["id", id])));
      for (const id of part) items.set(id, { item_id: id });
      for (const item of body.items) items.set(item.item_id, item);
    }
  };
  const titled = id => items.get(id)?.title || id;
  const priced = price => price === undefined ? "" : price.toFixed(2);
  const copy = id => $(id).content.firstElementChild.cloneNode(true);

  /* A tile stands for a photo: its colour and pattern are those of the kind of thing, its letters the title's. */
  const paint = (tile, item) => {
    const parts = (item.title || item.item_id).match(/[\p{L}\p{N}]+/gu) || ["?"];
    let hash = 7;
    for (const letter of (item.category?.at(-1) || parts.at(-1)).toLowerCase()) hash = (hash * 31 + letter.codePointAt(0)) % 99991;
    tile.style.setProperty("--hue", hash % 360);
    tile.dataset.pattern = hash % 4;
    tile.firstElementChild.textContent = parts.slice(0, 2).map(part => [...part][0].toUpperCase()).join("");
  };

  const because = ({ reasons, query }) => {
    if (query) return `because you searched “${query}”`;
    const first = (reasons || []).reduce((best, one) => one.weight > (best?.weight ?? 0) ? one : best, null);
    if (!first) return "no one reason stands out";
    const said = words[first.kind] || first.kind;
    return said.replace("{}", () => titled(first.item_id)).replace("{category}", () => first.category);
  };

  const card = (place, search_id) => {
    const made = copy("card"), link = made.querySelector("a"), item = items.get(place.item_id);
    link.href = "/shop/items/" + encodeURIComponent(item.item_id);
    link.dataset.item = item.item_id;
    paint(made.querySelector(".tile"), item);
    made.querySelector(".title").textContent = titled(item.item_id);
    made.querySelector(".price").textContent = priced(item.price);
    made.querySelector(".because").textContent = because(place);
    link.addEventListener("click", () => act("click", { item_id: item.item_id, price: item.price, position: place.rank, search_id: place.search_id || search_id }));
    return made;
  };
  // A card that is replaced between press and release is never clicked, so a list waits for the release.
  let pressed = null, release;
  addEventListener("pointerdown", () => { pressed ||= new Promise(done => { release = done; }); }, true);
  for (const type of ["pointerup", "pointercancel", "dragend"])
    addEventListener(type, () => setTimeout(() => { // after the click that comes of it
      pressed = null;
      release?.();
    }), true);
  const wall = async (list, shown, fresh = new Set()) => {
    await learn(shown.items.flatMap(place => [place.item_id, ...(place.reasons || []).map(reason => reason.item_id)]));
    await pressed;
    const focused = list.contains(document.activeElement) && document.activeElement.dataset.item;
    list.replaceChildren(...shown.items.map(place => {
      const made = card(place, shown.search_id);
      made.querySelector(".fresh").hidden = !fresh.has(place.item_id);
      return made;
    }));
    if (focused) [...list.querySelectorAll("a")].find(link => link.dataset.item === focused)?.focus({ preventScroll: true });
    list.removeAttribute("aria-busy");
  };

  /* Events: sent by the script that every shop loads; the row is followed until it answers them. */

  const act = (type, fields) => {
    const at = Date.now();
    const id = headrace.send(type, fields);
    note({ id, type, item_id: fields.item_id, at });
  };
  const note = event => {
    kept.events = [event, ...kept.events].slice(0, EVENTS);
    keep();
    drawEvents();
  };
  const waits = event => event.took === undefined && Date.now() - event.at < FOLLOWED_MS;
  let following = false;
  const follow = async () => {
    if (following) return;
    following = true;
    try {
      while (kept.events.some(waits)) await refresh(1000);
    } finally {
      following = false;
      drawEvents();
    }
  };
  const drawEvents = async () => {
    await learn(kept.events.map(event => event.item_id));
    $("saw-none").hidden = kept.events.length > 0;
    $("events").replaceChildren(...kept.events.map(event => {
      const made = copy("event");
      made.dataset.type = event.type;
      made.querySelector(".what").textContent = event.type;
      made.querySelector(".thing").textContent = event.query ? `“${event.query}”` : titled(event.item_id);
      made.querySelector(".took").textContent =
        event.took !== undefined ? `${event.took} ms` : waits(event) ? "…" : "no new list";
      return made;
    }));
  };

  /* The row: drawn as it was, then as it is. A list says by `event_ts` which events it has seen. */

  // A search changes no list, for it says nothing of an item yet: until the next list its best answers lead the row.
  const leading = shown => {
    const { at, query, search_id, places } = kept.searched || {};
    return !at || $("found") || shown.event_ts >= at ? [] : places.map(place => ({ ...place, query, search_id }));
  };
  const drawRow = async before => {
    const { shown } = kept.row, old = new Set(before), led = leading(shown), there = new Set(led.map(place => place.item_id));
    const all = [...led, ...shown.items.filter(place => !there.has(place.item_id))];
    const fresh = new Set(before ? shown.items.map(place => place.item_id).filter(id => !old.has(id)) : []);
    await wall($("row"), { ...shown, items: all.filter(place => place.item_id !== open).slice(0, ROW) }, fresh);
    $("row-note").textContent = shown.source === "popular" ? "popular now, as for every stranger" : "";
    $("model").textContent = shown.model_version ? `Ranked by ${shown.model_version}.` : "";
    drawBars(shown);
    return fresh.size;
  };
  const refresh = async wait_ms => {
    const begun = Date.now();
    const address = `/v1/users/${encodeURIComponent(user)}/recommendations?k=${ROW + 1}&wait_ms=${wait_ms}`;
    const answer = await ask(address, { headers: kept.row ? { "If-None-Match": kept.row.tag } : {} });
    if (!answer) { // no wait: too many others do
      if (Date.now() - begun < Math.min(wait_ms, PAUSE_MS)) await sleep(PAUSE_MS);
      return;
    }
    const before = kept.row?.shown.items.map(place => place.item_id);
    kept.row = { shown: answer.body, tag: answer.tag };
    const count = await drawRow(before), now = Date.now();
    const answered = kept.events.filter(event => event.took === undefined && answer.body.event_ts >= event.at);
    for (const event of answered) event.took = now - event.at;
    keep();
    if (answered.length) {
      drawEvents();
      say(`Your row has changed: ${count} new items, ${answered[0].took} milliseconds after your ${answered[0].type}.`);
    }
  };

  /* How much of the row's reasons rests on what the visitor did before, item by item. */
  const drawBars = shown => {
    const weights = new Map();
    for (const reason of shown.items.flatMap(place => place.reasons || [])) {
      if (!reason.item_id) continue;
      const sums = weights.get(reason.item_id) || [0, 0];
      sums[reason.kind === "attention" ? 0 : 1] += reason.weight;
      weights.set(reason.item_id, sums);
    }
    const all = [...weights.values()].reduce((sum, [one, other]) => sum + one + other, 0);
    const rows = [...weights].sort((a, b) => b[1][0] + b[1][1] - a[1][0] - a[1][1]).slice(0, 8);
    const longest = rows.length ? rows[0][1][0] + rows[0][1][1] : 1;
    $("bars").hidden = $("legend").hidden = !rows.length;
    $("looks-none").hidden = rows.length > 0;
    $("bars").replaceChildren(...rows.map(([id, sums]) => {
      const made = copy("bar");
      made.querySelector(".thing").textContent = titled(id);
      made.querySelector(".share").textContent = `${Math.round(100 * (sums[0] + sums[1]) / all)} %`;
      made.querySelectorAll("i").forEach((bar, n) => bar.style.setProperty("--part", sums[n] / longest));
      return made;
    }));
  };

  /* The basket. */

  const put = (id, more) => {
    kept.basket[id] = (kept.basket[id] || 0) + more;
    if (kept.basket[id] < 1) delete kept.basket[id];
    keep();
    drawCount();
  };
  const drawCount = () => {
    const count = Object.values(kept.basket).reduce((sum, n) => sum + n, 0);
    $("basket-count").textContent = count;
    $("basket-count").hidden = !count;
  };
  const drawBasket = async () => {
    const ids = Object.keys(kept.basket);
    await learn(ids);
    $("basket").replaceChildren(...ids.map(id => {
      const made = copy("line"), item = items.get(id), link = made.querySelector("a");
      paint(made.querySelector(".tile"), item);
      link.href = "/shop/items/" + encodeURIComponent(id);
      link.textContent = titled(id);
      made.querySelector(".price").textContent = priced(item.price);
      made.querySelector(".quantity").textContent = kept.basket[id];
      for (const [name, more, does] of [["fewer", -1, "One fewer"], ["more", 1, "One more"]]) {
        const button = made.querySelector("." + name);
        button.setAttribute("aria-label", `${does} of ${titled(id)}`);
        button.addEventListener("click", async () => {
          put(id, more);
          await drawBasket();
          ([...$("basket").querySelectorAll("." + name)][Math.min(ids.indexOf(id), Object.keys(kept.basket).length - 1)] || $("q")).focus();
        });
      }
      return made;
    }));
    const total = ids.reduce((sum, id) => sum + (items.get(id).price || 0) * kept.basket[id], 0);
    $("total").textContent = `Together ${priced(total)}`;
    $("basket-none").hidden = ids.length > 0;
    $("basket-end").hidden = !ids.length;
  };
  const buy = (id, quantity) => act("purchase", { item_id: id, quantity, price: items.get(id)?.price });

  /* What is popular, as somebody gets it who never did anything; the row has the rest of it. */
  const showWindow = async list => {
    const asked = new URLSearchParams(kept.row.shown.items.slice(0, ROW).map(place => ["exclude", place.item_id]));
    asked.set("k", ROW);
    const { body } = await ask(`/v1/users/shop-window/recommendations?${asked}`);
    await wall(list, body);
  };

  /* Each page has some of these. */

  const views = {
    row: async () => {
      if (kept.row) await drawRow();
      await refresh(0);
      if ($("window")) await showWindow($("window"));
      await follow();
    },
    found: async list => {
      const query = list.dataset.query, at = Date.now();
      if (!query) return list.removeAttribute("aria-busy");
      const { body } = await ask("/v1/search", { method: "POST", body: JSON.stringify({ user_id: user, query, k: FOUND }) });
      note({ id: body.search_id, type: "search", query, at, took: Date.now() - at });
      if (body.source === "worker") kept.searched = { at, query, search_id: body.search_id, places: body.items.slice(0, LEADING) };
      keep();
      await wall(list, body);
      $("found-note").textContent = `${body.items.length} items${body.source === "popular" ? ", by how well they match: no worker answered in time" : ""}`;
      say(`${body.items.length} items found for ${query}`);
    },
    item: async page => {
      const { item, title, price, category } = page.dataset;
      items.set(item, { item_id: item, title, price: price && +price, category: category && [category] });
      paint(page.querySelector(".tile"), items.get(item));
      $("add").addEventListener("click", () => { put(item, 1); say(`${title} is in the basket.`); });
      $("buy").addEventListener("click", () => { buy(item, 1); say(`You bought ${title}.`); follow(); });
    },
    basket: async () => {
      await drawBasket();
      $("buy-all").addEventListener("click", async () => {
        for (const [id, quantity] of Object.entries(kept.basket)) buy(id, quantity);
        kept.basket = {};
        keep();
        drawCount();
        await drawBasket();
        $("basket-none").textContent = "Thank you. It is empty now.";
        say("Bought.");
        follow();
      });
    },
  };
  const wrong = error => { $("row-note").textContent = `The gateway does not answer: ${error.message}`; };
  drawCount();
  drawEvents().catch(wrong);
  for (const [id, show] of Object.entries(views)) if ($(id)) show($(id)).catch(wrong);
})();
