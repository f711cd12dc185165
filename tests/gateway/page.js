// A page as far as the snippet sees one: time stands still until a test lets it go on.
const calls = [], beacons = [], timers = new Map(), listeners = {};
let status = 200;
const console = { log() {} };
class URL { constructor(path, base) { this.href = base.replace(/\/[^/]*$/, "") + path } toString() { return this.href } }
let timerIds = 0;
const setTimeout = (run, ms) => { timers.set(++timerIds, { run, ms }); return timerIds };
const clearTimeout = id => timers.delete(id);
const fetch = (to, { body }) => {
  calls.push({ to: String(to), events: JSON.parse(body) });
  return status ? Promise.resolve({ status }) : Promise.reject(new Error("offline"));
};
const navigator = { sendBeacon(to, body) { beacons.push({ to: String(to), events: JSON.parse(body) }); return true } };
const window = {};
const document = {
  currentScript: { src: "https://gate.example/headrace.js", dataset: DATASET },
  visibilityState: "visible",
  addEventListener(name, heard) { listeners[name] = heard },
};
const happen = (name, dataset) => listeners[name]({
  target: { closest: () => dataset && { dataset }, querySelector: () => dataset },
});
// Run the timers that are due; return how long the longest of them had waited.
const tick = () => {
  const due = [...timers.values()];
  timers.clear();
  due.forEach(one => one.run());
  return Math.max(0, ...due.map(one => one.ms));
};
const told = () => JSON.stringify({ calls, beacons });
