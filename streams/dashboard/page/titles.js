// What items are called: asked of the gateway once for each, many at a time.
import { ask } from "./asking.js";
import { el } from "./dom.js";

const MOST = 100; // in one request
const KEPT = 5000;
const known = new Map();
const wanted = new Map(); // id -> elements that wait for its title
let asking = false;

function told(box, id) {
  const title = known.get(id);
  box.replaceChildren(...(title ? [title, " ", el("span", { class: "soft small" }, id)] : [id]));
}

async function find() {
  asking = true;
  while (wanted.size) {
    const ids = [...wanted.keys()].slice(0, MOST);
    const query = ids.map((id) => `id=${encodeURIComponent(id)}`).join("&");
    const found = await ask(`/v1/items?${query}`).catch(() => ({ items: [] }));
    if (known.size > KEPT) known.clear();
    for (const id of ids) known.set(id, "");
    for (const item of found.items) known.set(item.item_id, item.title ?? "");
    for (const id of ids) {
      for (const box of wanted.get(id)) told(box, id);
      wanted.delete(id);
    }
  }
  asking = false;
}

// An element that names an item; the title comes when it is known.
export function item(id) {
  const box = el("span");
  told(box, id);
  if (!known.has(id)) {
    wanted.set(id, [...(wanted.get(id) ?? []), box]);
    if (!asking) queueMicrotask(() => asking || find());
  }
  return box;
}
