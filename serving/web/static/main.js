// The page: controls on one side, the stream on the other.

import { Capture, obstacle } from "./capture.js";
import { Playback } from "./playback.js";
import { Stream } from "./stream.js";
import { Strip } from "./strip.js";
import { byId, Cards, Tags, Timeline } from "./view.js";
import { Wire } from "./wire.js";

const TOKEN = "soundflow.token";
const TAIL_S = 2; // silence behind a file, so that its last words come out
const MAX_FILE_BYTES = 200e6;

let context = null;
let capture = null;
let stream = null;
let running = false;
let muted = false;
let dropped = 0;

const wire = new Wire({
  onState(state, text) {
    byId("state").dataset.state = state;
    byId("state").textContent = text;
    if (state !== "closed") return;
    if (running && text !== "Not connected") problem(text);
    stop();
  },
  onSession(resumed) {
    if (resumed) stream.resumed();
    else stream.fresh();
    if (configure()) byId("applied").textContent = "";
  },
  onEvent: (event) => stream.handle(event),
  onDrop() {
    if (dropped++ % 100 === 0) problem("The network is too slow or away: audio was dropped.");
  },
});

const timeline = new Timeline(byId("log"), byId("timeline"));
const view = {
  timeline,
  tags: new Tags(byId("tags")),
  strip: new Strip(byId("strip"), byId("readout")),
  cards: new Cards(byId("actions"), (call, accepted) => stream.answer(call, accepted)),
  hearing: byId("hearing"),
  saying: byId("saying"),
  hush: byId("hush"),
  problem,
};

function problem(text) {
  byId("problem").textContent = text;
  byId("problem").hidden = text === "";
}

const source = () => document.querySelector("input[name=source]:checked").value;

function showSource() {
  byId("file-box").hidden = source() !== "file";
  byId("aloud-box").hidden = source() === "microphone";
}

async function chosenBytes() {
  if (source() === "demo") {
    const answer = await fetch(new URL("demo.wav", document.baseURI));
    if (!answer.ok) throw new Error(await answer.text());
    return [await answer.arrayBuffer(), "The demo"];
  }
  const file = byId("file").files[0];
  if (!file) throw new Error("Choose an audio file first.");
  if (file.size > MAX_FILE_BYTES) throw new Error(`${file.name} is larger than ${MAX_FILE_BYTES / 1e6} MB.`);
  return [await file.arrayBuffer(), file.name];
}

function withTail(audio) {
  const whole = new AudioBuffer({
    length: audio.length + Math.ceil(TAIL_S * audio.sampleRate),
    numberOfChannels: audio.numberOfChannels,
    sampleRate: audio.sampleRate,
  });
  for (let i = 0; i < audio.numberOfChannels; i++) whole.copyToChannel(audio.getChannelData(i), i);
  return whole;
}

async function start() {
  problem(obstacle());
  if (obstacle()) return;
  running = true;
  muted = false;
  dropped = 0;
  buttons();
  try {
    context ??= new AudioContext({ latencyHint: "interactive" });
    await context.resume();
    const playback = new Playback(context, () => stream.quiet());
    stream = new Stream(view, playback, (event) => wire.send(event));
    stream.voice = byId("voice").checked;
    const mine = capture = new Capture(context, onBlock, onEnd);
    if (source() !== "microphone") {
      const [bytes, name] = await chosenBytes();
      await mine.load(bytes, name);
      mine.audio = withTail(mine.audio);
    }
    if (mine !== capture) return; // stopped meanwhile
    await mine.start(byId("aloud").checked);
    if (mine !== capture) return;
    wire.open(byId("token").value.trim()); // only now: no session where the microphone was not allowed
    buttons();
  } catch (error) {
    stop();
    problem(error.message);
  }
}

function stop() {
  running = false;
  capture?.pause();
  stream?.playback.stop();
  capture = null;
  view.cards.expire();
  level(null);
  buttons();
}

function onBlock(audio, levelDb) {
  wire.audio(audio);
  level(levelDb);
}

function onEnd(reason) {
  level(null);
  if (reason === "file") {
    byId("mute").disabled = true;
    byId("capture").textContent = "The audio has ended. The session stays open until you stop it.";
    return;
  }
  muted = true;
  buttons();
  problem("The microphone was taken away. Plug it in and press Unmute.");
}

async function mute() {
  if (!capture) return;
  if (!muted) {
    muted = true;
    capture.pause();
    level(null);
  } else {
    try {
      await capture.start(byId("aloud").checked);
      muted = false;
      problem("");
    } catch (error) {
      problem(error.message);
    }
  }
  buttons();
}

function buttons() {
  const microphone = source() === "microphone";
  byId("start").textContent = running ? "Stop" : "Start";
  byId("start").classList.toggle("primary", !running);
  byId("sources").disabled = byId("file").disabled = byId("token").disabled = running;
  byId("mute").disabled = !running || !capture?.worklet && !muted;
  byId("mute").textContent = microphone
    ? (muted ? "Unmute (microphone is off)" : "Mute")
    : (muted ? "Go on (paused)" : "Pause");
  byId("capture").textContent = !running ? "Nothing is captured."
    : muted ? (microphone ? "Muted: the microphone is released." : "Paused: nothing is sent.")
    : microphone ? "The microphone is on and its audio is sent." : "The audio plays and is sent.";
}

function level(db) {
  if (db === null) view.tags.clear();
  const shown = db === null ? -60 : Math.max(-60, Math.min(0, db));
  byId("level-bar").style.width = `${((shown + 60) / 60) * 100}%`;
  byId("level").setAttribute("aria-valuenow", shown.toFixed(0));
  byId("level").setAttribute("aria-valuetext", db === null ? "no input" : `${shown.toFixed(0)} dB`);
  byId("level-text").textContent = db === null ? "off" : `${shown.toFixed(0)} dB`;
}

/** The functions of the text field; throws Error with a message for people. */
function tools() {
  const text = byId("tools").value.trim();
  if (!text) return [];
  try {
    const found = JSON.parse(text);
    if (Array.isArray(found)) return found;
  } catch {
    // told below
  }
  throw new Error("Functions: expected a JSON list of {type, name, description, parameters}.");
}

let touched = false; // an empty instruction or list replaces the server's own only once somebody changed it

/** Send the settings; whether there was a session to take them. */
function configure() {
  const session = {
    type: "realtime",
    output_modalities: [byId("voice").checked ? "audio" : "text"],
    soundflow: { proactivity: Number(byId("dial").value) },
  };
  const instructions = byId("instruction").value.trim();
  try {
    const functions = tools();
    if (touched || instructions) session.instructions = instructions;
    if (touched || functions.length) session.tools = functions;
    problem("");
  } catch (error) {
    problem(error.message);
    return false;
  }
  return wire.send({ type: "session.update", session });
}

function apply() {
  touched = true;
  byId("applied").textContent = configure() ? "Applied." : byId("problem").hidden ? "Applies when it starts." : "";
}

byId("start").addEventListener("click", () => (running ? wire.close() : start()));
byId("mute").addEventListener("click", mute);
byId("apply").addEventListener("click", apply);
byId("hush").addEventListener("click", () => stream?.stopReply());
byId("sources").addEventListener("change", () => { showSource(); buttons(); });
byId("dial").addEventListener("input", () => { byId("dial-value").textContent = Number(byId("dial").value).toFixed(2); });
byId("dial").addEventListener("change", configure);
byId("instruction").addEventListener("input", () => { byId("applied").textContent = ""; });
byId("voice").addEventListener("change", () => {
  if (stream) {
    stream.voice = byId("voice").checked;
    if (!stream.voice) stream.hush();
  }
  configure();
});
byId("token").addEventListener("change", () => sessionStorage.setItem(TOKEN, byId("token").value.trim()));
byId("demo-tools").addEventListener("click", async () => {
  const answer = await fetch(new URL("demo-tools.json", document.baseURI));
  if (!answer.ok) {
    problem(await answer.text());
    return;
  }
  byId("tools").value = await answer.text();
  apply();
});
document.addEventListener("keydown", ({ key }) => { if (key === "Escape") stream?.stopReply(); });
window.addEventListener("pagehide", () => { if (running) wire.close(); });

document.addEventListener("dragover", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  document.body.classList.toggle("dropping", !running);
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  if (running || event.dataTransfer.files.length === 0) return;
  byId("file").files = event.dataTransfer.files;
  document.querySelector("input[value=file]").checked = true;
  showSource();
  buttons();
});

/** A link may carry its token behind #; it goes into the tab's storage and out of the address. */
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(TOKEN, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  byId("token").value = sessionStorage.getItem(TOKEN) ?? "";
}

window.addEventListener("hashchange", takeToken);
takeToken();
byId("dial-value").textContent = Number(byId("dial").value).toFixed(2);
showSource();
buttons();
