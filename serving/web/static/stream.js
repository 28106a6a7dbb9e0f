// What the server's events do to the page.

import { callLine } from "./view.js";

const MAX_SOUNDS = 64;
const MAX_OPEN = 8; // replies that are followed at once
/** Races that mean nothing to a person: the reply was over when it was stopped, or is of the socket before. */
const EXPECTED = new Set([
  "response_cancel_not_active", "item_truncate_invalid_item_id", "conversation_already_has_active_response",
]);

/** Follows one session. `send` sends an event, `view` is {timeline, tags, strip, cards, hearing, saying, problem}. */
export class Stream {
  constructor(view, playback, send) {
    Object.assign(this, { view, playback, send });
    this.now = 0; // ms of audio heard
    this.voice = true;
    this.replies = new Map(); // response id -> {text, items, stopped, from}
    this.sounds = new Map(); // label -> detail of its row, while it goes on
    this.heardItem = "";
    this.heardText = "";
    this.owes = false; // a response is to be asked for, once none is open
  }

  /** A session that knows nothing of the one before. */
  fresh() {
    this.now = 0;
    this.replies.clear();
    this.owes = false;
    this.sounds.clear();
    this.#hearing("", "");
    this.#saying("");
    this.view.strip.clear();
    this.view.cards.expire();
  }

  /** The same session on a new socket: what was being said has no end any more. */
  resumed() {
    for (const { text, from } of this.replies.values()) {
      if (text) this.view.timeline.add("reply", "Said", text.trim(), from, "cut: the connection was lost");
    }
    this.replies.clear();
    if (!this.playback.playing) this.#saying("");
  }

  /** Stop the voice that plays, tell the server how much of it was heard; whether something played. */
  hush() {
    const stopped = this.playback.stop();
    if (!stopped) return false;
    this.send({
      type: "conversation.item.truncate", item_id: stopped.item, content_index: 0, audio_end_ms: stopped.ms,
    });
    return true;
  }

  /** The person wants no more of the reply. */
  stopReply() {
    for (const [id, reply] of this.replies) {
      this.send({ type: "response.cancel", response_id: id });
      reply.stopped = true;
      reply.items.forEach((item) => this.playback.refuse(item));
    }
    this.hush();
    this.#saying("");
  }

  /** The voice came to its end or was stopped. */
  quiet() {
    if (this.replies.size === 0) this.#saying("");
  }

  handle(event) {
    const act = Object.hasOwn(HANDLERS, event.type) ? HANDLERS[event.type] : null;
    if (!act) return;
    try {
      act.call(this, event);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.view.problem(`The server sent ${event.type} without what it must have.`);
    }
  }

  #hearing(item, text) {
    this.heardItem = item;
    this.heardText = text;
    this.view.hearing.textContent = text || "…";
  }

  #saying(text) {
    this.view.saying.textContent = text || "…";
    this.view.hush.disabled = text === "";
  }

  reply(id) {
    let reply = this.replies.get(id);
    if (!reply) {
      reply = { text: "", items: new Set(), stopped: false, from: this.now };
      this.replies.set(id, reply);
      if (this.replies.size > MAX_OPEN) this.replies.delete(this.replies.keys().next().value);
    }
    return reply;
  }

  decided(event) {
    this.now = Math.max(this.now, Number(event.audio_ms) || 0);
    this.view.strip.push(event);
  }

  heard(event) {
    this.now = Math.max(this.now, Number(event.audio_ms) || 0);
    this.view.tags.show(Array.isArray(event.tags) ? event.tags : []);
  }

  sound({ label, probability, onset_ms: onset, offset_ms: offset }) {
    const name = String(label);
    const sure = `${Math.round((Number(probability) || 0) * 100)} %`;
    if (offset === null || offset === undefined) {
      this.sounds.set(name, this.view.timeline.add("sound", "Sound", name, Number(onset) || 0, sure));
      if (this.sounds.size > MAX_SOUNDS) this.sounds.delete(this.sounds.keys().next().value);
      return;
    }
    const detail = `${sure}, for ${(Math.max(0, offset - onset || 0) / 1000).toFixed(1)} s`;
    const row = this.sounds.get(name); // its onset was told: no second row
    if (row) row.textContent = ` ${detail}`;
    else this.view.timeline.add("sound", "Sound", name, Number(onset) || 0, detail);
    this.sounds.delete(name);
  }

  words({ item_id: item, delta }) {
    this.#hearing(item, (item === this.heardItem ? this.heardText : "") + (delta ?? ""));
  }

  finalWords({ item_id: item, transcript }) {
    if (item === this.heardItem || this.heardItem === "") this.#hearing("", "");
    if (transcript) this.view.timeline.add("words", "Heard", transcript.trim(), this.now);
  }

  text({ response_id: id, item_id: item, delta }) {
    const reply = this.reply(id);
    reply.items.add(item);
    reply.text = (reply.text + (delta ?? "")).slice(0, 4000);
    if (!reply.stopped) this.#saying(reply.text);
  }

  audio({ response_id: id, item_id: item, delta }) {
    const reply = this.reply(id);
    reply.items.add(item);
    if (!this.voice || reply.stopped || typeof delta !== "string") return;
    try {
      this.playback.push(item, delta);
    } catch (error) {
      this.view.problem(`The server sent audio that cannot be read: ${error.message}`);
    }
  }

  item({ item }) {
    if (item?.type !== "function_call" || item.status === "incomplete") return;
    const call = { ...item, call_id: item.call_id ?? item.id, confirm: item.confirm === true };
    if (!this.view.cards.add(call, this.now)) return;
    const detail = call.confirm ? "waits for you" : "done";
    this.view.timeline.add("action", "Action", callLine(call), this.now, detail);
    if (!call.confirm) this.answer(call, true);
  }

  /** Tell the outcome of a call and ask for a reply about it. False where there is no session. */
  answer(call, accepted) {
    const output = accepted ? { ok: true } : { ok: false, error: "declined by the user" };
    const sent = this.send({
      type: "conversation.item.create",
      item: { type: "function_call_output", call_id: call.call_id, output: JSON.stringify(output) },
    });
    if (sent) {
      this.owes = true;
      this.#pay();
    }
    return sent;
  }

  #pay() {
    if (!this.owes || this.replies.size > 0) return;
    this.owes = !this.send({ type: "response.create" });
  }

  created({ response }) {
    if (typeof response?.id === "string") this.reply(response.id);
  }

  done({ response }) {
    const reply = this.replies.get(response?.id);
    if (!reply) return;
    this.replies.delete(response.id);
    this.#pay();
    const cancelled = response.status === "cancelled";
    if (cancelled) {
      reply.items.forEach((item) => this.playback.refuse(item));
      if (reply.items.has(this.playback.item)) this.hush();
    }
    if (reply.text) {
      const why = response.status_details?.reason === "turn_detected" ? "stopped: somebody spoke" : "stopped";
      const detail = cancelled ? why : response.status === "completed" ? "" : response.status;
      this.view.timeline.add("reply", "Said", reply.text.trim(), reply.from, detail);
    }
    if (!this.playback.playing) this.#saying("");
  }

  notice({ code, message }) {
    this.view.timeline.add("notice", "Notice", message || code, this.now);
  }

  failed({ error }) {
    if (EXPECTED.has(error?.code)) return;
    this.view.timeline.add("notice", "Error", error?.message || "The server reported an error.", this.now);
  }
}

const HANDLERS = {
  "response.listen": Stream.prototype.decided,
  "response.speak": Stream.prototype.decided,
  "overlap.decision": Stream.prototype.decided,
  "input_audio_buffer.heard": Stream.prototype.heard,
  "conversation.item.sound_detection": Stream.prototype.sound,
  "conversation.item.input_audio_transcription.delta": Stream.prototype.words,
  "conversation.item.input_audio_transcription.completed": Stream.prototype.finalWords,
  "response.created": Stream.prototype.created,
  "response.output_audio_transcript.delta": Stream.prototype.text,
  "response.output_text.delta": Stream.prototype.text,
  "response.output_audio.delta": Stream.prototype.audio,
  "response.output_item.done": Stream.prototype.item,
  "response.done": Stream.prototype.done,
  "output_audio_buffer.cleared": Stream.prototype.hush,
  "session.notice": Stream.prototype.notice,
  "error": Stream.prototype.failed,
};
