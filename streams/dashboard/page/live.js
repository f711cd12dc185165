// What is told every other second: tiles, tables and charts.
import { draw } from "./charts.js";
import { at, bars, bytes, el, figure, moment, number, percent, show, table, time } from "./dom.js";
import { item } from "./titles.js";

const REASONS = [
  ["dead_letters", "Dead letters", "records that were not ours"],
  ["skipped", "Events that did not count", "by reason"],
  ["late", "Late events", "they counted"],
  ["unstored", "Events not stored with their user", "by reason"],
  ["mended", "Fields that were mended", "by name"],
];

const LATE = 3; // points: what is older says nothing of now

function newest(line) {
  const recent = line.slice(-LATE);
  return recent[recent.findLastIndex((value) => value !== null)] ?? null;
}

function tiles(told) {
  const { lines } = told;
  const parts = ["click", "search", "purchase"].map((kind) => newest(lines[kind]));
  const rate = parts.every((part) => part === null) ? null : parts.reduce((sum, part) => sum + (part ?? 0), 0);
  const members = told.workers.filter((one) => one.name !== null);
  const silent = told.workers.filter((one) => one.trouble !== null).length;
  const events = Object.values(told.totals).reduce((sum, one) => sum + one, 0);
  const dead = Object.values(told.reasons.dead_letters).reduce((sum, one) => sum + one, 0);
  const ms = newest(lines.p95_ms);
  const all = [
    ["Events", rate === null ? "–" : `${number(rate)}/s`, `${number(events)} learnt`],
    ["Event to list", ms === null ? "–" : `${number(ms)} ms`, "95 % are faster"],
    ["Waiting", number(told.lag), "records"],
    ["Workers", number(members.length), silent ? `${silent} not seen` : `group ${told.group.toLowerCase() || "unknown"}`,
      members.length === 0 || silent > 0],
    ["Hit rate", percent(newest(lines.hit_rate_for_you)), "of lists, last minutes"],
    ["Items", number(told.items_known), "in the workers' index"],
    ["Tables", bytes(newest(lines.size_bytes)), "of users and items"],
    ["Dead letters", number(dead), "since the start"],
  ];
  show("tiles", all.map(([name, value, more, bad]) =>
    el("div", { "data-is": bad ? "bad" : null }, el("dt", {}, name), el("dd", {}, value, el("span", {}, more)))));
}

// A worker without a HEADRACE_WORKER_ID has the long id that the group gave it.
const UNNAMED = /-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{6}([0-9a-f]{6})$/;

function named(worker) {
  const end = UNNAMED.exec(worker)?.[2];
  return end ? el("span", { title: worker }, `unnamed …${end}`) : worker;
}

function workers(told) {
  const rows = told.workers.map((one) => [
    one.name ? { value: named(one.name), of: "id" } : { value: "not in the group", of: "soft" },
    { value: one.address ?? "unknown", of: "id" },
    one.trouble ? { value: one.trouble, of: "bad" }
      : one.recovering ? `recovering, ${number(one.remaining)} to go`
        : one.stalled ? { value: `${one.stalled} stalled`, of: "bad" } : { value: "well", of: "good" },
    one.partitions.join(", "), figure(one.lag),
    figure(one.rows?.users), figure(one.rows?.items), { value: bytes(one.size_bytes), of: "number" }, one.model ?? "–",
  ]);
  show("worker-table", rows.length ? table("Workers", "by the group's word and by their own metrics",
    ["name", "metrics at", "state", "partitions", "#waiting", "#users", "#items", "#size", "model"], rows)
    : el("p", { class: "bad" }, "No worker is in the group."),
  told.workers_known ? null : el("p", {},
    "Where workers serve metrics is not known here: set HEADRACE_GATEWAY_DASHBOARD_WORKERS or HEADRACE_METRICS_PORT."));
  const topics = Object.keys(told.lags[0]?.records ?? {});
  const note = told.partitions > told.lags.length
    ? `the ${told.lags.length} furthest behind, of ${told.partitions}` : "records that wait, the furthest behind first";
  show("lag-table", told.lags.length ? table("Partitions", note,
    ["#partition", "worker", "#all", ...topics.map((topic) => `#${topic}`)],
    told.lags.map((one) => [figure(one.partition), one.worker ? { value: named(one.worker), of: "id" } : { value: "nobody", of: "bad" },
      figure(one.total), ...topics.map((topic) => figure(one.records[topic]))])) : null);
}

const LATELY = 1; // of the half-lives, the one that the gateway compares the long run with

function items({ items: { half_lives_h: halves, top, rising } }) {
  const several = Object.keys(halves).length > 1;
  const spans = (Object.values(halves)[0] ?? []).map((hours) => (hours % 24 ? `${number(hours)} h` : `${number(hours / 24)} d`));
  const name = (one) => ({ value: item(one.item_id), of: "id" });
  const categories = [...top, ...rising].some((one) => one.category);
  const heads = ["item", ...(categories ? ["category"] : []), ...(several ? ["domain"] : [])];
  const kind = (one) => [...(categories ? [one.category || "–"] : []), ...(several ? [one.domain] : [])];
  show("item-tables",
    table("Popular now", "touches, halved after", [...heads, ...spans.map((span) => `#${span}`)],
      top.map((one) => [name(one), ...kind(one), ...one.touches.map(figure)])),
    rising.length ? table("Rising", `touches of late, held against the share of all over ${spans.at(-1) ?? "long"}`,
      [...heads, "#touches", "#by its usual"],
      rising.map((one) => [name(one), ...kind(one), figure(one.touches[LATELY]),
        { value: `× ${number(one.pace)}`, of: "number" }]))
      : el("p", {}, "Nothing rises: every item has about the share of touches that it always had."));
}

function models({ models: inUse, swaps, prevails, workers: all }) {
  if (inUse.length === 0) return show("models");
  const learnt = `what it has learnt since ranks in ${prevails} of ${all.filter((one) => one.trouble === null).length} workers`;
  return show("models", el("p", {}, `In use: ${inUse.join(", ")}; ${learnt}.`),
    swaps.length > 1 ? table("Models", "since this gateway started", ["from", "model"],
      swaps.slice().reverse().map(([ms, version]) => [moment(ms), { value: version, of: "id" }])) : null);
}

let spoken = "";
function state(is, text) {
  const box = at("state");
  box.dataset.is = is;
  if (spoken !== text) box.textContent = spoken = text; // a screen reader hears changes alone
}

export function tell(told) {
  if (told.trouble) state("bad", `Kafka does not answer since ${time(told.trouble_since)}: ${told.trouble}`);
  else if (told.workers.length === 0) state("bad", `Live from ${told.broker}: no worker is running`);
  else state("good", `Live from ${told.broker}`);
  tiles(told);
  draw(told);
  models(told);
  items(told);
  workers(told);
  show("reasons", REASONS.map(([name, title, unit]) => bars(title, unit, told.reasons[name])));
}

export const away = (why) => state("bad", why);
