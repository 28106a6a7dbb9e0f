// The source of audio: microphone, file or demo. All go through the same worklet, at real time.

import { toBase64 } from "./pcm.js";

/** Why audio cannot be captured at all here, or "" where it can. */
export function obstacle() {
  if (!window.isSecureContext) {
    return "The browser gives audio only to pages from https or from localhost. Open this page over https, or " +
      "through an SSH tunnel to the server's port on localhost.";
  }
  return window.AudioWorkletNode ? "" : "This browser has no AudioWorklet. Use a current one.";
}

const CONSTRAINTS = {
  audio: {
    echoCancellation: true, // else it hears its own replies
    noiseSuppression: false, // it would remove the very sounds that are listened for
    autoGainControl: false,
    channelCount: 1,
  },
};

/**
 * One capture. Calls `onBlock(base64, levelDb)` for every 50 ms of audio, `onEnd(reason)` when the source ended by
 * itself ("file" played through, "unplugged").
 */
export class Capture {
  constructor(context, onBlock, onEnd) {
    this.context = context;
    this.onBlock = onBlock;
    this.onEnd = onEnd;
    this.worklet = null;
    this.stream = null;
    this.node = null;
    this.audio = null; // decoded file
    this.offset = 0; // seconds of the file already played
    this.began = 0;
    this.generation = 0;
  }

  /** Decode a file. Throws Error with a message for people. */
  async load(bytes, name) {
    try {
      this.audio = await this.context.decodeAudioData(bytes);
    } catch {
      throw new Error(`${name} cannot be read as audio.`);
    }
    this.offset = 0;
  }

  /** Begin, or go on after `pause`. Throws Error with a message for people where there is no microphone. */
  async start(aloud) {
    const mine = ++this.generation;
    await this.context.audioWorklet.addModule(new URL("worklet.js", import.meta.url).href);
    const stream = this.audio ? null : await microphone();
    if (mine !== this.generation) { // stopped while the browser asked for permission
      stream?.getTracks().forEach((track) => track.stop());
      return;
    }
    this.worklet = new AudioWorkletNode(this.context, "soundflow-capture", { numberOfOutputs: 1 });
    this.worklet.port.onmessage = ({ data }) => {
      if (mine === this.generation) this.onBlock(toBase64(data.pcm), data.levelDb);
    };
    this.worklet.connect(this.context.destination); // silent; some browsers run only nodes that lead there
    if (stream) this.#fromMicrophone(stream, mine);
    else this.#fromFile(aloud, mine);
  }

  #fromMicrophone(stream, mine) {
    this.stream = stream;
    for (const track of stream.getTracks()) {
      track.addEventListener("ended", () => {
        if (mine !== this.generation) return;
        this.pause();
        this.onEnd("unplugged");
      });
    }
    this.node = this.context.createMediaStreamSource(stream);
    this.node.connect(this.worklet);
  }

  #fromFile(aloud, mine) {
    this.node = new AudioBufferSourceNode(this.context, { buffer: this.audio });
    this.node.connect(this.worklet);
    if (aloud) this.node.connect(this.context.destination);
    this.began = this.context.currentTime;
    this.node.onended = () => {
      if (mine !== this.generation) return;
      this.pause();
      this.offset = 0;
      this.onEnd("file");
    };
    this.node.start(0, this.offset);
  }

  /** Stop capture for good until `start`: the microphone's tracks are ended and the browser's own light goes out. */
  pause() {
    this.generation++;
    if (this.audio && this.node) this.offset += this.context.currentTime - this.began;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.node?.disconnect();
    if (this.audio) this.node?.stop();
    this.worklet?.port.postMessage("stop");
    this.worklet?.disconnect();
    this.stream = this.node = this.worklet = null;
  }
}

async function microphone() {
  try {
    return await navigator.mediaDevices.getUserMedia(CONSTRAINTS);
  } catch (error) {
    const why = {
      NotAllowedError: "The microphone was not allowed. Allow it in the browser's address bar, then start again.",
      NotFoundError: "No microphone was found. Plug one in, or use a file or the demo.",
      NotReadableError: "The microphone is used by another program.",
    };
    throw new Error(why[error.name] ?? `The microphone failed: ${error.name}.`);
  }
}
