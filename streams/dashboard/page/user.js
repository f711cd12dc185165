// One user: history, leanings, the newest lists, and why each item is in them.
import { lookUp } from "./asking.js";
import { item as named } from "./titles.js";
import { at, bars, el, figure, moment, number, percent, table } from "./dom.js";

const when = (date) => (date ? moment(Date.parse(date)) : "unknown");
const words = (text) => text.replaceAll("_", " ");

const said = JSON.parse(at("about-user").dataset.words); // by kind of reason

function why(reason) {
  const [before, after] = (said[reason.kind] ?? words(reason.kind)).replace("{category}", reason.category ?? "").split("{}");
  return el("div", {}, before, reason.item_id ? named(reason.item_id) : "", after ?? "", `, ${number(reason.weight)}`);
}

async function explain(userId, itemId, query, box, button) {
  button.disabled = true;
  const path = `/v1/users/${encodeURIComponent(userId)}/explain/${encodeURIComponent(itemId)}`;
  const found = await lookUp(query ? `${path}?query=${encodeURIComponent(query)}` : path, at("user-said"),
    `Working out why ${itemId} is there; this reads all items…`);
  button.disabled = false;
  if (found === null) return;
  const { listed } = found;
  const features = Object.entries(listed?.features ?? {});
  const counting = features.filter(([, value]) => value !== 0);
  box.replaceChildren(
    el("h3", {}, `Why ${found.title ?? itemId}?`),
    el("p", {}, listed?.place ? `Place ${listed.place} of ${listed.candidates} candidates, share ${percent(listed.score)}, by ${listed.model_version}; now, so a list that is older may differ.`
      : `A list made now would not have it among its ${listed?.candidates ?? 0} candidates.`),
    features.length ? table("Features that the ranker sees", `${features.length - counting.length} more are 0`,
      ["feature", "#value"], counting.map(([name, value]) => [words(name), figure(value)])) : "");
  box.querySelector("h3").scrollIntoView({ block: "nearest" });
}

function list(userId, one) {
  const box = el("div", { "aria-live": "polite" });
  const what = `${words(one.surface)}${one.domain ? `, ${one.domain}` : ""}`;
  const rows = one.items.map((item) => {
    const button = el("button", { type: "button", class: "small", "aria-label": `Why ${item.item_id}?` }, "Why?");
    button.addEventListener("click", () => explain(userId, item.item_id, one.query, box, button));
    return [figure(item.rank), { value: named(item.item_id), of: "id" }, figure(item.score), el("div", {}, item.reasons.length ? item.reasons.map(why) : "–"), button];
  });
  return [table(`Newest list: ${what}`, `made ${moment(one.generated_at)} by ${one.model_version}, after ${one.trigger.type} ${one.trigger.event_id}`,
    ["#place", "item", "#score", "because", "explain"], rows), box];
}

function rest(row) {
  const shown = new Set(["user_id", "newest", "recent", "queries", "activity", "categories", "brands", "price_bands"]);
  const left = Object.fromEntries(Object.entries(row).filter(([name]) => !shown.has(name)));
  return el("details", {}, el("summary", {}, "The rest of the row"),
    el("pre", { tabindex: "0", role: "group", "aria-label": "The rest of the row" }, JSON.stringify(left, null, 2)));
}

function present({ user_id: userId, row, features, lists }) {
  const activity = Object.entries(row.activity).map(([kind, one]) => [kind, figure(one.total),
    ...Object.values(one.decayed).map(figure)]);
  const halves = Object.keys(Object.values(row.activity)[0].decayed).map((half) => `#${half}`);
  const leanings = [["Categories", row.categories], ["Brands", row.brands], ["Prices", row.price_bands]]
    .filter(([, shares]) => Object.keys(shares).length).map(([name, shares]) => bars(name, "share of what the user leans to", shares));
  return [
    el("h3", {}, userId, " ", el("span", { class: "soft" }, `newest event ${when(row.newest)}`)),
    ...(lists.length ? lists.flatMap((one) => list(userId, one)) : [el("p", {}, "No list of the last 7 days is kept for this user.")]),
    el("div", { class: "pair" },
      table("History", "the newest first", ["when", "what", "item"],
        row.recent.map((one) => [when(one.ts), one.kind, { value: named(one.item_id), of: "id" }])),
      el("div", {}, table("Events", "all, and halved after", ["kind", "#all", ...halves], activity),
        row.queries.length ? table("Searches", "the newest first", ["when", "words"], row.queries.map((one) => [when(one.ts), one.query])) : null)),
    el("div", { class: "charts" }, leanings),
    el("details", {}, el("summary", {}, "Features of the row"),
      table("Features of the row", "as of the newest event", ["feature", "#value"],
        Object.entries(features).map(([name, value]) => [name, typeof value === "number" ? figure(value) : String(value ?? "–")]))),
    rest(row),
  ];
}

export function attach() {
  const form = at("user-form");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const userId = at("user-id").value.trim();
    if (!userId) return;
    const button = form.querySelector("button");
    button.disabled = true;
    const found = await lookUp(`/dashboard/users/${encodeURIComponent(userId)}`, at("user-said"), `Reading what is known of ${userId}…`);
    button.disabled = false;
    at("user-found").replaceChildren(...(found === null ? [] : present(found)));
  });
}
