// Ask this gateway; what is wrong is said in its own words.

export class Refused extends Error {
  constructor(status, message, retryS) {
    super(message);
    this.status = status;
    this.retryS = retryS;
  }
}

export async function ask(path) {
  let answer;
  try {
    answer = await fetch(path, { headers: { Accept: "application/json" } });
  } catch {
    throw new Refused(0, "The gateway does not answer.", 0);
  }
  if (answer.ok) return answer.json();
  const problem = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, problem.detail ?? `status ${answer.status}`, Number(answer.headers.get("Retry-After")));
}

const TRIES = 5;
const pause = (seconds) => new Promise((done) => { setTimeout(done, 1000 * seconds); });

// The same for what people look up: one at a time is served, so whoever comes second waits.
export async function lookUp(path, said, doing) {
  said.dataset.is = "busy";
  said.textContent = doing;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const found = await ask(path);
      said.dataset.is = "";
      said.textContent = "";
      return found;
    } catch (error) {
      if (error.status !== 503 || attempt === TRIES) {
        said.dataset.is = "bad";
        said.textContent = error.message;
        return null;
      }
      said.textContent = `${doing} (${error.message})`;
      await pause(error.retryS || 1);
    }
  }
}
