// The socket to /v1/realtime: opens, sends, and comes back with ?resume= when it was lost.

const INCLUDE = "decisions,sounds,levels";
const MAX_BUFFERED = 1 << 20; // bytes that the socket has not sent yet
const MAX_HELD = 100; // blocks of audio (5 s) kept while the socket is away
const RESUME_TRIES = 2; // before the session is given up: the server may still hold the lost socket
const STUCK_MS = 10000;
const IDLE_MS = 60000;
const OPEN_MS = 10000;
const WAITS_MS = [500, 1000, 2000, 4000, 8000];

const REASONS = {
  1008: "The server refused: policy or token.",
  1009: "The server refused a message as too large.",
  1011: "The server had an error.",
  1012: "The server is restarting.",
  1013: "The server is full.",
};

/**
 * `onState(state, text)`: "connecting" | "open" | "waiting" | "closed". `onEvent(event)`: each server event.
 * `onSession(resumed)`: the session is there; a moment to send its settings. `onDrop()`: audio was dropped.
 */
export class Wire {
  constructor({ onState, onEvent, onSession, onDrop }) {
    Object.assign(this, { onState, onEvent, onSession, onDrop });
    this.socket = null;
    this.session = "";
    this.token = "";
    this.live = false; // the session is there
    this.tries = 0;
    this.held = [];
    this.timer = 0;
    this.stuckSince = 0;
    this.wanted = false;
    this.sentAt = 0;
    setInterval(() => { // a muted page sends nothing, and the server ends connections that are idle for long
      if (Date.now() - this.sentAt > IDLE_MS) this.send({ type: "session.update", session: { type: "realtime" } });
    }, IDLE_MS / 2);
  }

  open(token) {
    this.token = token;
    this.wanted = true;
    this.tries = 0;
    this.session = "";
    this.held = [];
    this.#connect();
  }

  close() {
    this.wanted = false;
    clearTimeout(this.timer);
    this.#leave(1000);
    this.onState("closed", "Not connected");
  }

  /** Send an event; false where there is no session now. */
  send(event) {
    if (!this.live || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(event));
    this.sentAt = Date.now();
    return true;
  }

  /** Send 50 ms of audio (base64), or keep it for the session that comes back. */
  audio(block) {
    if (!this.wanted) return;
    if (this.live && this.socket.bufferedAmount > MAX_BUFFERED) {
      this.#stuck();
      return;
    }
    this.stuckSince = 0;
    if (this.send({ type: "input_audio_buffer.append", audio: block })) return;
    this.held.push(block);
    if (this.held.length > MAX_HELD) {
      this.held.shift();
      this.onDrop();
    }
  }

  #stuck() {
    this.onDrop();
    this.stuckSince ||= Date.now();
    if (Date.now() - this.stuckSince > STUCK_MS) this.#lost("The network does not take the audio");
  }

  #connect() {
    const url = new URL("v1/realtime", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("include", INCLUDE);
    if (this.session) url.searchParams.set("resume", this.session);
    const protocols = ["realtime"];
    if (this.token) protocols.push(`openai-insecure-api-key.${this.token}`);
    this.onState("connecting", this.tries ? `Connecting again (try ${this.tries + 1})` : "Connecting");
    let socket;
    try {
      socket = new WebSocket(url, protocols);
    } catch {
      this.wanted = false;
      this.onState("closed", "The token has characters that a browser cannot send.");
      return;
    }
    this.socket = socket;
    this.timer = setTimeout(() => this.#lost("No answer"), OPEN_MS);
    socket.onmessage = ({ data }) => this.socket === socket && this.#receive(data);
    socket.onclose = ({ code, reason }) => this.socket === socket && this.#closed(code, reason);
  }

  #receive(data) {
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      this.#lost("The server sent something that is not JSON");
      return;
    }
    if (event === null || typeof event !== "object" || typeof event.type !== "string") return;
    if (event.type === "session.created" && !this.live) this.#created(event.session?.id ?? "");
    this.onEvent(event);
  }

  #created(id) {
    clearTimeout(this.timer);
    const resumed = this.session !== "" && this.session === id;
    this.session = id;
    this.live = true;
    this.tries = 0;
    this.onState("open", "Connected");
    this.onSession(resumed);
    const held = this.held;
    this.held = [];
    for (const block of held) this.audio(block);
  }

  #closed(code, reason) {
    const was = this.live;
    if (was && code === 1000) { // the server ended the session: nothing to come back to
      this.wanted = false;
      this.#leave(1000);
      this.onState("closed", reason || "The server ended the session.");
      return;
    }
    this.#lost(reason || REASONS[code] || (was ? "The connection was lost" : "The server did not accept"), was);
  }

  async #lost(why, wasLive = this.live) {
    this.#leave(4000);
    if (!this.wanted) return;
    const wait = WAITS_MS[Math.min(this.tries, WAITS_MS.length - 1)] * (0.75 + Math.random() / 2);
    this.tries++;
    this.onState("waiting", `${why}. Next try in ${Math.ceil(wait / 1000)} s`);
    this.timer = setTimeout(() => this.#connect(), wait);
    if (wasLive) return;
    const status = await this.#status();
    if (!this.wanted || this.live) return;
    const excuse = { 0: "The server does not answer", 503: "The server is not ready or full" }[status];
    if (excuse) this.onState("waiting", `${excuse}; it is tried again and again`);
    if (excuse) return;
    if (status === 401) this.#give(this.token ? "The token is not right." : "The server wants a token.");
    else if (this.tries <= RESUME_TRIES) return;
    else if (this.session) this.session = ""; // it is up and does not know the session: begin a new one
    else this.#give("The server is up, but did not accept a session.");
  }

  /** How the server does, asked by plain HTTP: 401 for our token, 503 not ready, 200 well, 0 away. */
  async #status() {
    const headers = this.token ? { Authorization: `Bearer ${this.token}` } : {};
    try {
      const models = await fetch(new URL("v1/models", document.baseURI), { headers, cache: "no-store" });
      return models.status === 401 ? 401 : (await fetch(new URL("ready", document.baseURI))).status;
    } catch {
      return 0;
    }
  }

  #give(why) {
    this.wanted = false;
    this.#leave(4000);
    this.onState("closed", why);
  }

  #leave(code) {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    this.live = false;
    this.stuckSince = 0;
    if (socket && socket.readyState <= WebSocket.OPEN) socket.close(code);
  }
}
