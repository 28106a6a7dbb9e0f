// Spoken replies: pieces are scheduled one behind the other, and all of them can be stopped at once.

import { fromBase64 } from "./pcm.js";

const RATE = 24000;
const LEAD_S = 0.06; // before the first piece, against a late second one
const MAX_AHEAD_S = 120;

export class Playback {
  /** `onIdle()`: the last piece was heard or stopped. */
  constructor(context, onIdle) {
    this.context = context;
    this.onIdle = onIdle;
    this.pieces = []; // {node, start, duration}, not yet over
    this.item = "";
    this.played = 0; // seconds of this item in pieces that are over
    this.next = 0;
    this.refused = new Set(); // items that were stopped; late pieces of them are dropped
  }

  get playing() {
    return this.pieces.length > 0;
  }

  /** Queue a piece of an item; false where it was dropped (stopped item, or too far ahead). Throws for bad base64. */
  push(item, text) {
    if (this.refused.has(item)) return false;
    const samples = fromBase64(text);
    const now = this.context.currentTime;
    if (samples.length === 0 || this.next - now > MAX_AHEAD_S) return false;
    if (item !== this.item) {
      this.item = item;
      this.played = 0;
    }
    const buffer = new AudioBuffer({ length: samples.length, sampleRate: RATE });
    buffer.copyToChannel(samples, 0);
    const node = new AudioBufferSourceNode(this.context, { buffer });
    node.connect(this.context.destination);
    const start = Math.max(this.next, now + LEAD_S);
    const piece = { node, item, start, duration: buffer.duration };
    node.onended = () => this.#over(piece);
    node.start(start);
    this.next = start + buffer.duration;
    this.pieces.push(piece);
    return true;
  }

  #over(piece) {
    const at = this.pieces.indexOf(piece);
    if (at < 0) return;
    this.pieces.splice(at, 1);
    if (piece.item === this.item) this.played += piece.duration;
    if (this.pieces.length === 0) this.onIdle();
  }

  /** Stop now. Returns {item, ms}: how much of it was heard; null where nothing plays. */
  stop() {
    if (this.pieces.length === 0) return null;
    const now = this.context.currentTime - (this.context.outputLatency || 0);
    const item = this.pieces[0].item;
    let heard = item === this.item ? this.played : 0;
    for (const piece of this.pieces) {
      if (piece.item === item) heard += Math.max(0, Math.min(piece.duration, now - piece.start));
      this.refuse(piece.item);
      piece.node.onended = null;
      piece.node.stop();
      piece.node.disconnect();
    }
    this.pieces = [];
    this.next = 0;
    this.onIdle();
    return { item, ms: Math.floor(heard * 1000) };
  }

  /** Play nothing more of an item. */
  refuse(item) {
    this.refused.add(item);
    if (this.refused.size > 64) this.refused.delete(this.refused.values().next().value);
  }
}
