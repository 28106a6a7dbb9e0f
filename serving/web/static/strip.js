// The decision strip: one column a chunk, newest right, the last two minutes, on a canvas. A slider to the keyboard
// and to screen readers: arrow keys choose a chunk, its values are read.

const MAX_COLUMNS = 300; // 2 minutes of 400 ms
const MIN_WIDTH = 3;
const MARKS = 16; // px under the bars
const KINDS = ["silent", "speak", "act"];

const percent = (p) => `${Math.round(p * 100)} %`;
const clock = (ms) => `${Math.floor(ms / 60000)}:${((ms % 60000) / 1000).toFixed(1).padStart(4, "0")}`;

export class Strip {
  /** `canvas` is drawn on, `readout` says the values of the chosen or newest column. */
  constructor(canvas, readout) {
    this.canvas = canvas;
    this.readout = readout;
    this.columns = []; // {decision, p: {silent, speak, act}, chunk, ms}
    this.chosen = -1; // chunk index that is held, or -1: the newest
    this.hovered = -1;
    this.drawing = 0;
    this.following = false;
    canvas.addEventListener("pointermove", (event) => this.#hover(event));
    canvas.addEventListener("pointerdown", (event) => this.#hover(event));
    canvas.addEventListener("pointerleave", () => this.#point(-1));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => { this.chosen = -1; this.#changed(); });
    canvas.addEventListener("focus", () => this.#changed());
    new ResizeObserver(() => this.#changed()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#changed());
    this.#changed();
  }

  /** One `response.listen`, `response.speak` or `overlap.decision`. */
  push(event) {
    const p = { silent: 0, speak: 0, act: 0 };
    for (const { value, probability } of event.probabilities ?? []) {
      if (value in p) p[value] = Math.max(0, Math.min(1, Number(probability) || 0));
    }
    const decision = KINDS.includes(event.decision) ? event.decision : "silent";
    const chunk = Number(event.chunk_index);
    const ms = Number(event.audio_ms) || 0;
    if (!Number.isInteger(chunk)) return;
    const last = this.columns.at(-1);
    if (last && last.chunk === chunk) this.columns.pop(); // said twice, after a resume
    this.columns.push({ decision, p, chunk, ms });
    if (this.columns.length > MAX_COLUMNS) this.columns.shift();
    this.#changed();
  }

  clear() {
    this.columns = [];
    this.chosen = this.hovered = -1;
    this.#changed();
  }

  get #shown() {
    const fit = Math.max(1, Math.floor(this.canvas.clientWidth / MIN_WIDTH));
    return this.columns.slice(-Math.min(fit, MAX_COLUMNS));
  }

  get #width() {
    return Math.max(MIN_WIDTH, this.canvas.clientWidth / MAX_COLUMNS);
  }

  #current() {
    const wanted = this.hovered >= 0 ? this.hovered : this.chosen;
    return this.columns.find((column) => column.chunk === wanted) ?? this.columns.at(-1);
  }

  #hover(event) {
    const fromRight = this.canvas.getBoundingClientRect().right - event.clientX;
    const column = this.#shown.at(-1 - Math.max(0, Math.floor(fromRight / this.#width)));
    this.#point(column ? column.chunk : -1);
  }

  #point(chunk) {
    this.hovered = chunk;
    this.#changed();
  }

  #key(event) {
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 25, PageDown: -25 };
    const shown = this.#shown;
    if (shown.length === 0) return;
    const now = this.#current();
    let at = shown.indexOf(now);
    if (event.key in steps) at += steps[event.key];
    else if (event.key === "Home") at = 0;
    else if (event.key === "End") at = shown.length - 1;
    else return;
    event.preventDefault();
    at = Math.max(0, Math.min(shown.length - 1, at));
    this.chosen = at === shown.length - 1 ? -1 : shown[at].chunk;
    this.#changed();
  }

  #changed() {
    this.drawing ||= requestAnimationFrame(() => {
      this.drawing = 0;
      this.#tell();
      this.#draw();
    });
  }

  #tell() {
    const column = this.#current();
    const following = document.activeElement === this.canvas && this.chosen < 0;
    const text = column
      ? `${clock(column.ms)}, chunk ${column.chunk}: ${column.decision}. ` +
        KINDS.map((kind) => `${kind} ${percent(column.p[kind])}`).join(", ")
      : "No decision yet";
    this.readout.textContent = text;
    if (following && this.following) return; // else a screen reader would read 150 chunks a minute
    this.following = following;
    this.canvas.setAttribute("aria-valuetext", text);
    this.canvas.setAttribute("aria-valuemin", String(this.columns[0]?.chunk ?? 0));
    this.canvas.setAttribute("aria-valuemax", String(this.columns.at(-1)?.chunk ?? 0));
    this.canvas.setAttribute("aria-valuenow", String(column?.chunk ?? 0));
  }

  #draw() {
    const { canvas } = this;
    const density = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (width === 0) return;
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    const pen = canvas.getContext("2d");
    pen.scale(density, density);
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const bars = height - MARKS;
    const shown = this.#shown;
    const column = this.#width;
    const current = this.#current();
    pen.strokeStyle = colour("line");
    for (const share of [0, 0.5, 1]) {
      const y = Math.round(share * (bars - 1)) + 0.5;
      pen.beginPath();
      pen.moveTo(0, y);
      pen.lineTo(width, y);
      pen.stroke();
    }
    shown.forEach((entry, i) => {
      const x = width - (shown.length - i) * column;
      if (i > 0 && Math.floor(entry.ms / 10000) !== Math.floor(shown[i - 1].ms / 10000)) {
        pen.fillStyle = colour("line");
        pen.fillRect(Math.round(x), 0, 1, bars);
      }
      const speak = entry.p.speak * bars;
      const act = entry.p.act * bars;
      pen.fillStyle = colour("speak");
      pen.fillRect(x, bars - speak, column - 0.5, speak);
      pen.fillStyle = colour("act");
      hatch(pen, x, bars - speak - act, column - 0.5, act);
      if (entry.decision === "speak") triangle(pen, x + column / 2, bars + 3, colour("speak"));
      if (entry.decision === "act") diamond(pen, x + column / 2, bars + 2, colour("act"));
      if (entry === current && (this.hovered >= 0 || this.chosen >= 0)) {
        pen.strokeStyle = colour("text");
        pen.strokeRect(Math.floor(x) - 0.5, 0.5, Math.ceil(column) + 1, height - 1);
      }
    });
  }
}

function hatch(pen, x, y, width, height) {
  for (let at = 0; at < height; at += 3) pen.fillRect(x, y + at, width, Math.min(2, height - at));
}

function triangle(pen, x, y, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(x + 4, y + 10);
  pen.lineTo(x - 4, y + 10);
  pen.fill();
}

function diamond(pen, x, y, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(x + 4, y + 6);
  pen.lineTo(x, y + 12);
  pen.lineTo(x - 4, y + 6);
  pen.fill();
}
