// The page: ask for what is new as often as there is something, for as long as somebody looks.
import { ask } from "./asking.js";
import { at } from "./dom.js";
import * as letters from "./letters.js";
import { away, tell } from "./live.js";
import * as user from "./user.js";

const AGAIN_MS = 2000;
const SIGN_IN = 401;
let turn = 0;

const chosen = () => document.querySelector("input[name=window]:checked").value;

async function look(mine) {
  let next = AGAIN_MS;
  try {
    const told = await ask(`/dashboard/data?window=${chosen()}`);
    if (mine !== turn) return;
    tell(told);
    next = 1000 * told.every_s;
  } catch (error) {
    if (error.status === SIGN_IN) location.reload();
    away(error.message);
  }
  if (mine === turn && !document.hidden) setTimeout(() => mine === turn && look(mine), next);
}

function begin() {
  turn += 1;
  look(turn);
}

at("windows").addEventListener("change", begin);
document.addEventListener("visibilitychange", () => document.hidden || begin());
letters.attach();
user.attach();
begin();
