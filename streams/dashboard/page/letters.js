// Dead letters: counted by reason, and each of them inside.
import { lookUp } from "./asking.js";
import { at, bars, bytes, el, moment, number } from "./dom.js";

function letter(one) {
  const head = el("summary", {}, el("b", {}, one.reason || "unknown"), `${one.source} `,
    el("span", { class: "soft" }, moment(one.at)));
  const key = el("dl", { class: "facts" },
    [["came from", one.source], ["key", one.key], ["lies in partition", one.partition], ["offset", one.offset],
      ["value", one.form === "nothing" ? "none" : `${bytes(one.size_bytes)} of ${one.form}`]].map(([name, value]) =>
      el("div", {}, el("dt", {}, name), el("dd", {}, value === null ? "none" : String(value)))));
  const headers = one.headers.map(([name, value]) => `${name}: ${value}\n`).join("");
  return el("details", { class: "letter" }, head, el("p", {}, one.explanation), key,
    one.value === null ? null : el("pre", { tabindex: "0", role: "group", "aria-label": `value of ${one.source}` }, one.value),
    headers ? el("pre", { tabindex: "0", role: "group", "aria-label": `headers of ${one.source}` }, headers) : null);
}

export function attach() {
  const button = at("letters-look");
  button.addEventListener("click", async () => {
    button.disabled = true;
    const found = await lookUp("/dashboard/dead-letters", at("letters-said"), "Reading the newest dead letters…");
    button.disabled = false;
    if (found === null) return;
    at("letters-said").textContent = found.held === 0 ? "There are none."
      : `${number(found.letters.length)} of ${number(found.held)}, the newest first.`;
    at("letters-found").replaceChildren(...(found.held === 0 ? [] : [
      el("div", { class: "charts" }, bars("By reason", "of those below", found.reasons)), ...found.letters.map(letter)]));
  });
}
