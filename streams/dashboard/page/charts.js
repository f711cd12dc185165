// Lines over time, each with its values in words and in a table.
import { at, el, number, percent, time } from "./dom.js";

const { uPlot } = window;
const LINES = ["a", "b", "c", "d"];
const DASHES = [[], [7, 4], [2, 3], []];
const ROWS = 24;

const rate = (value) => (value === null ? "–" : `${number(value)}/s`);
const ms = (value) => (value === null ? "–" : `${number(value)} ms`);

// box, title, what it is, how a value is written, [[line, name]...], whether models are marked
const CHARTS = [
  ["stream-charts", "Events", "records a second that came into each topic", rate,
    [["click", "clicks"], ["search", "searches"], ["purchase", "purchases"], ["catalog", "catalogue"]]],
  ["stream-charts", "Event to list", "from the event's record in Kafka until its list was sent", ms,
    [["p50_ms", "half"], ["p95_ms", "95 %"], ["p99_ms", "99 %"]]],
  ["stream-charts", "Waiting", "records that the workers have not confirmed; they do so once a second", number,
    [["lag", "records"]]],
  ["stream-charts", "Lists and dead letters", "records a second that the workers sent", rate,
    [["lists", "lists"], ["dead_letters", "dead letters"]]],
  ["list-charts", "Hit rate", "lists of which the user took an item next", percent,
    [["hit_rate_for_you", "recommended"], ["hit_rate_search", "searches"]], true],
  ["list-charts", "Mean reciprocal rank", "1 / place of what was taken, 0 for what the list had not", number,
    [["mrr_for_you", "recommended"], ["mrr_search", "searches"]], true],
  ["list-charts", "Loss", "nats of each outcome, before it was learnt", number, [["loss_nats", "mean"]], true],
  ["state-charts", "Rows", "in the tables, standbys too; a row counts again until its versions are merged", number, [["users", "users"], ["items", "items"]]],
  ["state-charts", "Size of the tables", "MB on disk and in memory", number, [["size_bytes", "MB"]]],
  ["data-charts", "What became of events", "a second", rate,
    [["skipped_events", "not counted"], ["late_events", "late"], ["unstored_events", "not stored"],
      ["mended_fields", "fields mended"]]],
];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

class Chart {
  constructor([box, title, what, write, lines, marked = false], key) {
    this.write = write;
    this.lines = lines;
    this.marked = marked;
    this.title = title;
    this.swaps = [];
    this.values = lines.map(() => el("span", {}, "–"));
    this.plot = el("div", { class: "plot", "aria-hidden": "true" });
    this.table = el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": `${title}: values` });
    this.details = el("details", { on: { toggle: () => this.tell() } }, el("summary", {}, "Values"), this.table);
    at(box).append(el("figure", { "aria-labelledby": key },
      el("figcaption", { id: key }, title, el("span", {}, what)),
      el("ul", { class: "legend" }, lines.map(([, name], n) => el("li", {}, el("i"), `${name} `, this.values[n]))),
      this.plot, this.details));
    new ResizeObserver(() => this.resize()).observe(this.plot);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  update(times, lines, swaps) {
    this.swaps = this.marked ? swaps : [];
    const shown = this.lines.map(([line]) => lines[line].map((value) => (line === "size_bytes" && value !== null ? value / 1e6 : value)));
    const fresh = !this.data;
    this.data = [times, ...shown];
    if (fresh || !this.drawn) this.draw();
    else this.drawn.setData(this.data);
    this.say(null);
    this.tell();
  }

  // Say the values at a point, or the newest.
  say(place) {
    this.data.slice(1).forEach((values, n) => {
      const last = place ?? values.findLastIndex((value) => value !== null);
      const told = last < 0 ? "–" : this.write(values[last] ?? null);
      if (this.values[n].textContent !== told) this.values[n].textContent = told;
    });
  }

  tell() {
    if (!this.details.open || !this.data) return;
    const [times, ...lines] = this.data;
    const every = Math.max(1, Math.ceil(times.length / ROWS));
    const rows = times.map((_, n) => n).filter((n) => (times.length - 1 - n) % every === 0).reverse();
    this.table.replaceChildren(el("table", {},
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "time"),
        this.lines.map(([, name]) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, rows.map((n) => el("tr", {}, el("th", { scope: "row" }, time(times[n] * 1000)),
        lines.map((values) => el("td", {}, this.write(values[n]))))))));
  }

  resize() {
    if (this.drawn) this.drawn.setSize({ width: this.plot.clientWidth, height: this.plot.clientHeight });
  }

  draw() {
    if (!this.data) return;
    this.drawn?.destroy();
    const axis = { stroke: colour("soft"), grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const write = this.write;
    this.drawn = new uPlot({
      width: this.plot.clientWidth,
      height: this.plot.clientHeight,
      padding: [8, 28, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { y: { range: (_, __, high) => [0, high > 0 ? high * 1.08 : 1] } },
      axes: [
        { ...axis, space: 70, size: 28, values: [[3600, "{HH}:{mm}"], [60, "{HH}:{mm}"], [1, "{HH}:{mm}:{ss}"]] },
        { ...axis, size: 58, values: (_, splits) => splits.map((value) => write(value).replace("/s", "").replace(" ms", "")) },
      ],
      series: [{}, ...this.lines.map((_, n) => ({
        stroke: colour(LINES[n]), width: 2, dash: DASHES[n], points: { show: false }, spanGaps: false,
      }))],
      hooks: {
        setCursor: [(drawn) => this.say(drawn.cursor.idx ?? null)],
        draw: [(drawn) => this.mark(drawn)],
      },
    }, this.data, this.plot);
  }

  mark(drawn) {
    const { ctx, bbox } = drawn;
    ctx.save();
    ctx.strokeStyle = colour("soft");
    ctx.setLineDash([4, 4]);
    for (const [ms] of this.swaps) {
      const x = Math.round(drawn.valToPos(ms / 1000, "x", true));
      if (x <= bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }
}

let drawn = null;

export function draw(told) {
  drawn ??= CHARTS.map((one, n) => new Chart(one, `chart-${n}`));
  for (const chart of drawn) chart.update(told.times, told.lines, told.swaps.slice(1));
}
