// What is seen of the stream: the timeline, the tags of now, the action cards. Text only, never HTML.

const MAX_ROWS = 400;
const MAX_CARDS = 20;
const MAX_TEXT = 2000;

export const byId = (id) => document.getElementById(id);
export const clock = (ms) => `${Math.floor(ms / 60000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;

/** A new element with a class, text and children. */
export function make(tag, className = "", text = "", children = []) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = String(text).slice(0, MAX_TEXT);
  element.append(...children);
  return element;
}

/** The log of what was heard, said and done; keeps to its end unless somebody scrolled up. */
export class Timeline {
  constructor(box, list) {
    this.box = box;
    this.list = list;
  }

  /** `kind`: words, reply, sound, action, notice; `heading` is its name for people. Returns the detail's element. */
  add(kind, heading, text, ms, detail = "") {
    byId("empty").hidden = true;
    const atEnd = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 40;
    const more = make("span", "detail", detail ? ` ${detail}` : "");
    const body = [make("span", "said", text), more];
    this.list.append(make("li", `row ${kind}`, "", [
      make("time", "", clock(ms)),
      make("span", "kind", heading),
      make("p", "", "", body),
    ]));
    while (this.list.children.length > MAX_ROWS) this.list.firstChild.remove();
    if (atEnd) this.box.scrollTop = this.box.scrollHeight;
    return more;
  }
}

/** The most probable sounds of the newest chunk. */
export class Tags {
  constructor(list) {
    this.list = list;
  }

  clear() {
    this.list.replaceChildren(make("li", "none", "Nothing is heard"));
  }

  show(tags) {
    const shown = tags
      .map(({ label, probability }) => ({ label: String(label), p: Math.max(0, Math.min(1, Number(probability) || 0)) }))
      .filter(({ p }) => p >= 0.05)
      .slice(0, 4);
    this.list.replaceChildren(...shown.map(({ label, p }) => {
      const bar = make("meter", "", `${Math.round(p * 100)} %`);
      bar.max = 1;
      bar.value = p;
      bar.setAttribute("aria-hidden", "true");
      return make("li", "", "", [make("span", "label", label), bar, make("span", "value", `${Math.round(p * 100)} %`)]);
    }));
    if (shown.length === 0) this.list.append(make("li", "none", "Nothing that it can name"));
  }
}

/** Cards of function calls; `onAnswer(call, accepted)` when somebody pressed a button. */
export class Cards {
  constructor(list, onAnswer) {
    this.list = list;
    this.onAnswer = onAnswer;
    this.open = new Map(); // call id -> card
    this.seen = new Set();
  }

  /** Show a call {call_id, name, arguments, confirm}; false where it was shown before. */
  add(call, ms) {
    if (this.seen.has(call.call_id)) return false;
    this.seen.add(call.call_id);
    if (this.seen.size > 200) this.seen.delete(this.seen.values().next().value);
    byId("no-actions").hidden = true;
    const title = make("h3", "", call.name);
    title.id = `call-${call.call_id}`;
    const state = make("p", "call-state", call.confirm ? "Waits for you" : "Done");
    const card = make("li", call.confirm ? "card pending" : "card", "", [
      make("div", "card-head", "", [title, make("time", "", clock(ms))]), argumentsOf(call.arguments), state,
    ]);
    card.tabIndex = -1;
    if (call.confirm) {
      const buttons = make("div", "buttons", "", [
        this.#button(card, call, true), this.#button(card, call, false),
      ]);
      card.append(buttons);
      this.open.set(call.call_id, card);
    }
    const last = [...this.list.children].findLast((other) => other.classList.contains("pending"));
    if (call.confirm || !last) this.list.prepend(card); // what waits stays on top
    else last.after(card);
    while (this.list.children.length > MAX_CARDS) this.list.lastChild.remove();
    return true;
  }

  #button(card, call, accepted) {
    const button = make("button", accepted ? "primary" : "", accepted ? "Confirm" : "Decline");
    button.type = "button";
    button.setAttribute("aria-describedby", `call-${call.call_id}`);
    button.addEventListener("click", () => {
      if (!this.onAnswer(call, accepted)) return;
      this.#settle(call.call_id, accepted ? "Confirmed" : "Declined");
      card.focus();
    });
    return button;
  }

  #settle(id, text) {
    const card = this.open.get(id);
    this.open.delete(id);
    card.querySelector(".buttons").remove();
    card.querySelector(".call-state").textContent = text;
    card.classList.remove("pending");
  }

  /** The session is over: what waits can no longer be answered. */
  expire() {
    for (const id of [...this.open.keys()]) this.#settle(id, "Not answered: the session ended");
  }
}

/** The arguments of a call as [name, value] texts; null where they are not a JSON object. */
function pairs(text) {
  let values;
  try {
    values = JSON.parse(text);
  } catch {
    return null;
  }
  if (values === null || typeof values !== "object") return null;
  return Object.entries(values).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
}

function argumentsOf(text) {
  const found = pairs(text);
  if (!found) return make("p", "arguments", String(text));
  return make("dl", "arguments", "", found.map(([name, value]) =>
    make("div", "", "", [make("dt", "", name), make("dd", "", value)])));
}

/** One line for a call: `set_lock: door back door, state unlocked`. */
export function callLine({ name, arguments: text }) {
  const found = pairs(text);
  if (!found) return `${name} ${text}`;
  return found.length ? `${name}: ${found.map((pair) => pair.join(" ")).join(", ")}` : name;
}
