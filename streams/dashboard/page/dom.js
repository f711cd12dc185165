// Elements and words. Whatever comes out of the data goes in as text, never as markup.

export function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

export const at = (id) => document.getElementById(id);

const many = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const few = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export function number(value) {
  if (value === null || value === undefined) return "–";
  return Math.abs(value) >= 100 ? many.format(value) : few.format(value);
}

export const percent = (value) => (value === null || value === undefined ? "–" : `${few.format(100 * value)} %`);
export const time = (ms) => clock.format(ms);
export const moment = (ms) => day.format(ms);

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${few.format(value)} ${units[unit]}`;
}

// A table; a cell is a text, an element, or {value, of: class}. On a narrow screen it scrolls by itself.
export function table(caption, note, heads, rows) {
  const label = note ? [`${caption} `, el("span", {}, note)] : [caption];
  const cell = (one) => {
    const plain = one === null || typeof one !== "object" || one instanceof Node;
    return el("td", { class: plain ? null : one.of }, (plain ? one : one.value) ?? "–");
  };
  return el("div", { class: "table", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {}, el("caption", {}, el("div", {}, label)),
      el("thead", {}, el("tr", {}, heads.map((head) =>
        el("th", { scope: "col", class: head.startsWith("#") ? "number" : null }, head.replace("#", ""))))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell))))));
}

export const figure = (value) => ({ value: number(value), of: "number" });

// Bars of how often each reason came.
export function bars(title, unit, counts) {
  const most = Math.max(...Object.values(counts), 1);
  return el("figure", {}, el("figcaption", {}, title, el("span", {}, unit)),
    Object.keys(counts).length === 0 ? el("p", { class: "note" }, "none") :
      el("table", { class: "bars" }, el("tbody", {}, Object.entries(counts).map(([name, count]) => {
        const bar = el("i");
        bar.style.setProperty("--part", count / most);
        return el("tr", {}, el("th", { scope: "row" }, name.replaceAll("_", " ")),
          el("td", {}, el("div", {}, bar, number(count))));
      }))));
}

// Put content in place of what was there, unless it looks the same: a reader's place is kept.
export function show(id, ...content) {
  const box = at(id);
  const made = el("div", {}, ...content);
  if (box.innerHTML === made.innerHTML) return;
  const focused = document.activeElement;
  const place = box.contains(focused) ? [...box.querySelectorAll("[tabindex]")].indexOf(focused) : -1;
  const scrolls = [...box.querySelectorAll(".table")].map((one) => one.scrollLeft);
  box.replaceChildren(...made.childNodes);
  box.querySelectorAll(".table").forEach((one, number) => { one.scrollLeft = scrolls[number] ?? 0; });
  if (place >= 0) box.querySelectorAll("[tabindex]")[place]?.focus({ preventScroll: true });
}
