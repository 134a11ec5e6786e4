// Pictures and files: made smaller before they leave, shown when they come.

import { el, icon } from './people.js';

const shown = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']);
const SHEET = 'M7 3h7l5 5v13H7zM14 3v5h5';

export function sizeText(bytes) {
  if (bytes < 1024) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  if (bytes < 1 << 20) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / (1 << 20)).toFixed(1)} MB`;
}

/** Bubbles of files, and the blob addresses that they hold. */
export class Files {
  #actions;
  #urls = new Set();

  constructor(actions) { this.#actions = actions; }

  /** Gives back the memory of all files shown so far. */
  release() {
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls.clear();
  }

  bubble(post) {
    return shown.has(post.file.type) ? this.#picture(post) : this.#file(post);
  }

  /** The address of the content, fetched if the history came without it. */
  async #url(post) {
    const { file } = post;
    const data = file.data ?? await this.#actions.fetch(post);
    // A type of its own is given to pictures alone: nothing else may be opened
    // as a page of this server.
    const type = shown.has(file.type) ? file.type : 'application/octet-stream';
    const url = URL.createObjectURL(new Blob([data], { type }));
    this.#urls.add(url);
    return url;
  }

  #picture(post) {
    const { file } = post;
    const bubble = el('div', { class: 'bubble picture' }, el('span', { class: 'wait', text: 'Loading…' }));
    const show = async () => {
      try {
        const url = await this.#url(post);
        const img = el('img', { alt: file.name });
        img.src = url;
        await img.decode();
        bubble.replaceChildren(el('button', { type: 'button', 'aria-label': `Show ${file.name} larger`, onclick: () => this.#actions.view({ url, name: file.name }) }, img));
      } catch {
        bubble.replaceChildren(el('span', { class: 'wait', text: 'This picture is not kept any more.' }));
      }
      this.#actions.grown();
    };
    show();
    return bubble;
  }

  #file(post) {
    const { file } = post;
    const label = () => [
      el('span', { class: 'sheet' }, icon(SHEET)),
      el('span', {}, el('b', { text: file.name }), el('small', { text: sizeText(file.size) })),
    ];
    const bubble = el('div', { class: 'bubble file' });
    const save = async (event) => {
      const button = event.currentTarget;
      button.disabled = true;
      try {
        const a = el('a', { href: await this.#url(post), download: file.name }, ...label());
        bubble.replaceChildren(a);
        a.click();
        a.focus();
      } catch {
        button.querySelector('small').textContent = 'It is not kept any more.';
      }
    };
    bubble.append(el('button', { type: 'button', 'aria-label': `Download ${file.name}, ${sizeText(file.size)}`, onclick: save }, ...label()));
    return bubble;
  }
}

/** The file as it may be sent: a picture that is too large is made smaller. */
export async function prepared(file, limit) {
  if (file.size <= limit) return file;
  if (!shown.has(file.type) || file.type === 'image/gif') {
    throw new Error(`${file.name} is too large: a file has at most ${sizeText(limit)}.`);
  }
  const bitmap = await createImageBitmap(file);
  for (let side = 1920, quality = 0.86; side > 300; side *= 0.75, quality -= 0.05) {
    const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
    const canvas = el('canvas');
    canvas.width = Math.round(bitmap.width * scale);
    canvas.height = Math.round(bitmap.height * scale);
    canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', Math.max(quality, 0.6)));
    if (blob && blob.size <= limit) return new File([blob], file.name.replace(/\.\w+$/, '') + '.jpg', { type: 'image/jpeg' });
  }
  throw new Error(`${file.name} cannot be made small enough.`);
}
