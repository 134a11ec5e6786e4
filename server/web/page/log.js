// The messages of a room: their order, their groups, their looks.

import { avatar, el } from './people.js';
import { Files } from './files.js';

const GROUP_TIME = 5 * 60 * 1000; // ms between messages of one group
const KEPT = 400; // messages on the page

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const link = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g;
const onlyPictures = /^(\p{Extended_Pictographic}|\p{Emoji_Modifier}|\u200d|\ufe0f|\s){1,12}$/u;

/**
 * Messages that the server has go by its clock, then by its numbers: these begin
 * anew when it has forgotten the room. Those it does not have yet come last.
 */
function inOrder(a, b) {
  const unsent = (b.seq < Infinity) - (a.seq < Infinity);
  return unsent || (a.seq < Infinity ? a.at - b.at || a.seq - b.seq : 0);
}

export class Log {
  #list;
  #empty;
  #items = new Map(); // key → {post, node, state}
  #files;
  #actions;
  #you = { id: '' };
  #notices = 0;

  /** actions: fetch(post), again(entry), discard(entry), view(picture), grown(). */
  constructor(list, empty, actions) {
    this.#list = list;
    this.#empty = empty;
    this.#actions = actions;
    this.#files = new Files(actions);
  }

  set you(person) { this.#you = person; }

  clear() {
    this.#files.release();
    this.#items.clear();
    this.#list.replaceChildren();
  }

  /** Fills in a history; a reader is not told of each message of it. */
  fill(posts) {
    this.#list.parentElement.setAttribute('aria-busy', 'true');
    for (const post of posts) this.#put(post);
    this.#arrange();
    this.#list.parentElement.removeAttribute('aria-busy');
  }

  /** Adds a message. It reports whether it is new. */
  add(post) {
    const fresh = this.#put(post);
    this.#arrange();
    return fresh;
  }

  /** Shows a message of one's own before the server has it. */
  addUnsent(entry) {
    const key = `${this.#you.id} ${entry.id}`;
    if (this.#items.has(key)) return;
    const file = entry.body.data && { name: entry.body.name, type: entry.body.type, size: entry.body.data.byteLength, data: entry.body.data };
    const post = { id: entry.id, from: this.#you, text: entry.body.text, file, at: Date.now(), seq: Infinity };
    this.#put(post, entry);
    this.#arrange();
  }

  /** Notes the receipt of a message of one's own. */
  sent(entry, receipt) {
    const item = this.#items.get(`${this.#you.id} ${entry.id}`);
    if (!item) return;
    Object.assign(item.post, receipt);
    item.entry = null;
    this.#state(item, '');
    this.#arrange();
  }

  /** Tells under a message why it has not arrived. */
  note(entry, text, failed = false) {
    const item = this.#items.get(`${this.#you.id} ${entry.id}`);
    if (item?.entry) this.#state(item, text, failed);
  }

  /** A line that is nobody's message. */
  notice(text) {
    const last = [...this.#items.values()].map((i) => i.post).filter((p) => p.seq < Infinity).sort(inOrder).at(-1);
    const node = el('li', { class: 'notice', text });
    this.#notices++;
    this.#items.set(`notice ${this.#notices}`, { post: { seq: last?.seq ?? 0, at: last?.at ?? Date.now() }, node, notice: true });
    this.#arrange();
  }

  #put(post, entry = null) {
    const key = `${post.from.id} ${post.id}`;
    const known = this.#items.get(key);
    if (known) {
      if (known.entry) this.sent(known.entry, post);
      return false;
    }
    const own = post.from.id === this.#you.id;
    const item = { post, entry, node: el('li', { class: own ? 'message own' : 'message', 'data-id': post.id }) };
    const time = el('time', { datetime: new Date(post.at).toISOString(), text: clock.format(post.at) });
    item.node.append(avatar(post.from), el('p', { class: 'who' }, el('b', { text: post.from.name }), time), this.#bubble(post));
    if (own) item.node.querySelector('.avatar').remove();
    this.#items.set(key, item);
    if (entry) this.#state(item, 'Sending…');
    return true;
  }

  #bubble(post) {
    if (post.file) return this.#files.bubble(post);
    const bubble = el('div', { class: onlyPictures.test(post.text) ? 'bubble big' : 'bubble', title: clock.format(post.at) });
    let from = 0;
    for (const found of post.text.matchAll(link)) {
      bubble.append(post.text.slice(from, found.index), el('a', { href: found[0], target: '_blank', rel: 'noopener noreferrer', text: found[0] }));
      from = found.index + found[0].length;
    }
    bubble.append(post.text.slice(from));
    return bubble;
  }

  #state(item, text, failed = false) {
    item.node.querySelector('.state')?.remove();
    item.node.classList.toggle('unsent', text !== '');
    if (!text) return;
    const line = el('p', { class: failed ? 'state failed' : 'state' }, el('span', { text }));
    if (failed) {
      line.append(
        el('button', { type: 'button', text: 'Try again', onclick: () => { this.#state(item, 'Sending…'); this.#actions.again(item.entry); } }),
        el('button', { type: 'button', text: 'Discard', onclick: () => this.#discard(item) }));
    }
    item.node.append(line);
  }

  #discard(item) {
    this.#actions.discard(item.entry);
    this.#items.delete(`${item.post.from.id} ${item.post.id}`);
    this.#arrange();
  }

  /** Brings the nodes into order, moving only those that are elsewhere, and groups them. */
  #arrange() {
    const items = [...this.#items.entries()].sort(([, a], [, b]) => inOrder(a.post, b.post));
    while (items.length > KEPT) this.#items.delete(items.shift()[0]);
    const spoken = items.some(([, i]) => !i.notice);
    const nodes = [];
    let before = null;
    let day = '';
    for (const [, item] of items) {
      const today = calendar.format(item.post.at);
      const turn = today !== day;
      if (turn && spoken) {
        item.day ??= el('li', { class: 'day' });
        item.day.textContent = today === calendar.format(Date.now()) ? 'Today' : today;
        nodes.push(item.day);
        day = today;
      }
      this.#group(item, turn ? null : before);
      nodes.push(item.node);
      before = item;
    }
    before?.node.classList.add('last');
    let at = this.#list.firstChild;
    const wanted = new Set(nodes);
    while (at) {
      const next = at.nextSibling;
      if (!wanted.has(at)) at.remove();
      at = next;
    }
    at = this.#list.firstChild;
    for (const node of nodes) {
      if (node === at) at = at.nextSibling;
      else this.#list.insertBefore(node, at);
    }
    this.#empty.hidden = spoken;
  }

  #group(item, before) {
    const joined = before && !before.notice && !item.notice &&
      before.post.from.id === item.post.from.id && item.post.at - before.post.at < GROUP_TIME;
    item.node.classList.toggle('first', !joined && !item.notice);
    item.node.classList.remove('last');
    if (before && !joined) before.node.classList.add('last');
  }
}
