// 16-bit PCM and base64.

/** ArrayBuffer -> base64 text. */
export function toBase64(buffer) {
  const bytes = new Uint8Array(buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

/** base64 of little-endian 16-bit PCM -> Float32Array in [-1, 1]; throws what atob throws for text that is none. */
export function fromBase64(text) {
  const raw = atob(text);
  const out = new Float32Array(raw.length >> 1);
  for (let i = 0; i < out.length; i++) {
    const value = raw.charCodeAt(2 * i) | (raw.charCodeAt(2 * i + 1) << 8);
    out[i] = (value > 32767 ? value - 65536 : value) / 32768;
  }
  return out;
}
