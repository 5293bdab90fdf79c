// Pictures of one's own: dropped, pasted or chosen. They are made as small as a tower needs them, so that they fit into a link
// and the answer to the link is the answer that was seen. Nothing of them stays on the server.

const SHORT_SIDE = 288; // above what towers crop; the picture keeps its proportions
const LONGEST = 1280;
const AS_IT_IS = 24 * 1024; // bytes: a small file stays as it is
const READ = ["image/jpeg", "image/png", "image/webp", "image/gif"];

function toText(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The picture's bytes in plain base64, as the server reads them. */
export const base64 = (picture) => {
  const text = picture.data.replaceAll("-", "+").replaceAll("_", "/");
  return text + "=".repeat((4 - (text.length % 4)) % 4);
};

/** An address that shows it. */
export const addressOf = (picture) => `data:${picture.type};base64,${base64(picture)}`;

async function reduced(file) {
  const bitmap = await createImageBitmap(file);
  try {
    const { width, height } = bitmap;
    const scale = Math.min(1, SHORT_SIDE / Math.min(width, height), LONGEST / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const paint = canvas.getContext("2d");
    paint.imageSmoothingQuality = "high";
    paint.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/webp", 0.9));
    return blob ?? file; // a browser that writes no WebP writes PNG, one without canvas nothing
  } finally {
    bitmap.close();
  }
}

/** A file as { type, data }; throws words where it is no picture. */
export async function take(file) {
  if (!file.type.startsWith("image/")) throw new Error(`${file.name || "What was given"} is not a picture.`);
  let blob = file;
  if (file.size > AS_IT_IS || !READ.includes(file.type))
    try {
      blob = await reduced(file);
    } catch {
      throw new Error(`This browser cannot read ${file.name || "the picture"}. Save it as JPEG or PNG and give it again.`);
    }
  return { type: blob.type, data: toText(new Uint8Array(await blob.arrayBuffer())) };
}

const firstPicture = (data) => [...(data?.files ?? [])].find((file) => file.type.startsWith("image/")) ?? data?.files?.[0];

/** Calls given(file) for whatever is dropped on the page or pasted into it. */
export function listen(given, veil) {
  let depth = 0;
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  const show = (shown) => {
    depth = shown ? depth : 0;
    veil.hidden = !shown;
  };
  addEventListener("dragenter", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth++;
    show(true);
  });
  addEventListener("dragover", (event) => carries(event) && event.preventDefault());
  addEventListener("dragleave", (event) => carries(event) && --depth <= 0 && show(false));
  addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    show(false);
    const file = firstPicture(event.dataTransfer);
    if (file) given(file);
  });
  addEventListener("paste", (event) => {
    const file = firstPicture(event.clipboardData);
    if (!file) return;
    event.preventDefault();
    given(file);
  });
}
