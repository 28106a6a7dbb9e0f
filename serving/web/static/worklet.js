// Audio of the context's rate in, 24 kHz mono 16-bit PCM out in blocks of 50 ms, each with its level.

const RATE = 24000;
const BLOCK = 1200;
const CROSSINGS = 24; // zero crossings of the sinc on each side
const STEPS = 128; // table entries between two zero crossings

/** Streaming windowed-sinc resampler; state is the newest input samples and the position of the next output. */
class Resampler {
  constructor(from, to) {
    this.step = from / to;
    this.scale = Math.min(1, to / from) * 0.94; // cutoff, as a share of the input's Nyquist frequency
    this.reach = Math.ceil(CROSSINGS / this.scale);
    this.table = new Float32Array(CROSSINGS * STEPS + 2);
    for (let i = 0; i < this.table.length; i++) {
      const x = i / STEPS;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
      const w = Math.min(1, x / CROSSINGS);
      this.table[i] = sinc * (0.42 + 0.5 * Math.cos(Math.PI * w) + 0.08 * Math.cos(2 * Math.PI * w));
    }
    this.kept = new Float32Array(this.reach); // silence before the first sample
    this.position = this.reach; // of the next output, in samples of `kept`
  }

  /** [n] input samples -> the output samples that they complete. */
  push(input) {
    const data = new Float32Array(this.kept.length + input.length);
    data.set(this.kept);
    data.set(input, this.kept.length);
    const out = [];
    while (this.position + this.reach < data.length) {
      const first = Math.ceil(this.position - this.reach);
      const last = Math.floor(this.position + this.reach);
      let sum = 0;
      for (let i = first; i <= last; i++) {
        const at = Math.abs(this.position - i) * this.scale * STEPS;
        const whole = Math.floor(at);
        if (whole >= CROSSINGS * STEPS) continue;
        const low = this.table[whole];
        sum += data[i] * (low + (this.table[whole + 1] - low) * (at - whole));
      }
      out.push(sum * this.scale);
      this.position += this.step;
    }
    const drop = Math.max(0, Math.min(data.length, Math.floor(this.position) - this.reach));
    this.kept = data.slice(drop);
    this.position -= drop;
    return out;
  }
}

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = sampleRate === RATE ? null : new Resampler(sampleRate, RATE);
    this.block = new Int16Array(BLOCK);
    this.filled = 0;
    this.power = 0;
    this.open = true;
    this.port.onmessage = () => { this.open = false; };
  }

  process(inputs) {
    const channels = inputs[0];
    if (!this.open) return false;
    if (channels.length === 0) return true;
    const mono = new Float32Array(channels[0].length);
    for (const channel of channels) {
      for (let i = 0; i < mono.length; i++) mono[i] += channel[i] / channels.length;
    }
    for (const sample of this.resampler ? this.resampler.push(mono) : mono) this.take(sample);
    return true;
  }

  take(sample) {
    const limited = Math.max(-1, Math.min(1, sample));
    this.block[this.filled++] = Math.round(limited * 32767);
    this.power += limited * limited;
    if (this.filled < BLOCK) return;
    const levelDb = 10 * Math.log10(Math.max(this.power / BLOCK, 1e-10));
    this.port.postMessage({ pcm: this.block.buffer, levelDb }, [this.block.buffer]);
    this.block = new Int16Array(BLOCK);
    this.filled = 0;
    this.power = 0;
  }
}

registerProcessor("soundflow-capture", Capture);
