// A file that somebody dropped or chose, as text. Owns what passes as text and how much of it; knows
// no page.

const MOST_BYTES = 500_000;

// {text, note}: the note says why there is no text.
export async function textOf(file) {
  if (file.size > MOST_BYTES) return { text: "", note: `${file.name} is larger than 500 KB` };
  const bytes = await file.arrayBuffer();
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (text.includes("\0")) throw new TypeError("bytes");
    return text.trim() ? { text, note: "" } : { text: "", note: `${file.name} is empty` };
  } catch {
    return { text: "", note: `${file.name} is no text: add it in the Library, and ask there` };
  }
}
