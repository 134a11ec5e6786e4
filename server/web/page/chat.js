// The page: what people do goes to the connection, what it tells is shown.

import { Connection, randomID } from './connection.js';
import { prepared } from './files.js';
import { Log } from './log.js';
import { avatar, el, showPeople } from './people.js';
import { TypingLine, TypingSender } from './typing.js';

const $ = (id) => document.getElementById(id);
const ALWAYS = ['lobby', 'random', 'pictures'];

/** Storage may be forbidden; the chat works without it. */
const store = {
  get(area, key) { try { return window[area].getItem(key); } catch { return null; } },
  set(area, key, value) { try { window[area].setItem(key, value); } catch { /* next time it is asked for */ } },
  drop(area, key) { try { window[area].removeItem(key); } catch { /* as above */ } },
};

/** The room that the address names after its #, or ''. */
function roomInAddress() {
  try { return decodeURIComponent(location.hash.slice(1)).toLowerCase(); } catch { return ''; }
}

function identity() {
  const key = store.get('sessionStorage', 'hermod-key') ?? randomID();
  store.set('sessionStorage', 'hermod-key', key);
  return key;
}

class Page {
  #connection;
  #log;
  #typing = new TypingLine($('typing'));
  #writing;
  #you = { id: '', name: '' };
  #room = '';
  #rooms = [];
  #limit = 512 * 1024;
  #unread = 0;
  #near = true; // the end of the log is in view

  constructor(io) {
    this.#connection = new Connection(io, identity(), $('client').dataset.path);
    this.#writing = new TypingSender((on) => this.#connection.typing(on));
    this.#log = new Log($('log'), $('empty'), {
      fetch: (post) => this.#connection.fetch(post.from.id, post.id),
      again: (entry) => this.#connection.again(entry),
      discard: (entry) => this.#connection.discard(entry),
      view: (picture) => this.#view(picture),
      grown: () => this.#follow(),
    });
    this.#listen();
    this.#rooming();
    this.#composing();
    this.#scrolling();
    this.#start();
  }

  #start() {
    const room = roomInAddress() || 'lobby';
    const name = store.get('sessionStorage', 'hermod-name');
    $('room').value = room;
    $('name').value = name ?? store.get('localStorage', 'hermod-name') ?? '';
    $('welcome-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#enter($('room').value, $('name').value);
    });
    $('welcome').addEventListener('cancel', (event) => event.preventDefault());
    if (name) this.#enter(room, name);
    else this.#welcome();
  }

  #welcome(problem = '') {
    $('welcome-problem').textContent = problem;
    $('enter').disabled = false;
    if (!$('welcome').open) $('welcome').showModal();
    ($('name').value ? $('enter') : $('name')).focus();
  }

  async #enter(room, name) {
    $('enter').disabled = true;
    $('welcome-problem').textContent = '';
    try {
      await this.#connection.join(room, name);
      $('welcome').close();
      if (matchMedia('(hover: hover)').matches) $('text').focus();
    } catch (err) {
      this.#welcome(err.message);
    }
    $('enter').disabled = false;
  }

  #listen() {
    const on = (type, f) => this.#connection.addEventListener(type, (event) => f(event.detail));
    on('state', (state) => this.#banner(state));
    on('room', (answer) => this.#entered(answer));
    on('refused', (err) => this.#welcome(err.message));
    on('message', (post) => this.#received(post));
    on('people', (change) => this.#people(change));
    on('typing', ({ room, person, on }) => room === this.#room && this.#typing.set(person, on));
    on('rooms', (list) => { this.#rooms = list; this.#showRooms(); });
    on('sent', ({ entry, receipt }) => this.#log.sent(entry, receipt));
    on('failed', ({ entry, message }) => this.#log.note(entry, message, true));
    on('lost', () => this.#markUnsent());
    $('banner-button').addEventListener('click', () => this.#connection.resume());
    $('sign-out').addEventListener('click', () => this.#signOut());
  }

  #banner(state) {
    const texts = {
      connecting: 'Connecting…',
      reconnecting: 'Reconnecting… What you write is sent when the connection is back.',
      replaced: 'You go on chatting in another window.',
    };
    document.body.dataset.state = state;
    $('banner-text').textContent = texts[state] ?? '';
    $('banner-button').hidden = state !== 'replaced';
    $('banner').hidden = !(state in texts);
    if (state !== 'online') this.#typing.clear();
    this.#follow();
  }

  #entered({ room, you, people, history, rooms, maxFile }) {
    this.#you = you;
    this.#log.you = you;
    this.#limit = maxFile;
    if (room !== this.#room) {
      this.#log.clear();
      this.#typing.clear();
      this.#near = true;
    }
    this.#room = room;
    this.#rooms = rooms;
    store.set('sessionStorage', 'hermod-name', you.name);
    store.set('localStorage', 'hermod-name', you.name);
    if (roomInAddress() !== room) window.history.replaceState(null, '', `#${room}`);
    $('room-name').textContent = room;
    $('me-name').textContent = you.name;
    $('me-avatar').replaceWith(Object.assign(avatar(you), { id: 'me-avatar' }));
    $('text').placeholder = `Write to #${room}`;
    this.#title();
    this.#showRooms();
    this.#showPeople(people);
    this.#log.fill(history);
    for (const entry of this.#connection.unsent(room)) this.#log.addUnsent(entry);
    this.#follow();
  }

  #received(post) {
    if (post.room !== this.#room) return;
    this.#typing.set(post.from, false);
    if (!this.#log.add(post)) return;
    if (document.hidden) this.#unread++;
    this.#title();
    if (this.#near) this.#follow();
    else $('newer').hidden = false;
  }

  #people({ room, person, people, came }) {
    if (room !== this.#room) return;
    this.#showPeople(people);
    this.#typing.set(person, false);
    this.#log.notice(`${person.name} ${came ? 'came in' : 'left'}`);
    this.#follow();
  }

  #showPeople(people) {
    showPeople(people, this.#you, { list: $('people'), faces: $('faces'), count: $('room-count') });
  }

  #showRooms() {
    const counts = new Map(this.#rooms.map((r) => [r.name, r.people]));
    const names = [...new Set([...ALWAYS, this.#room, ...counts.keys()])].filter(Boolean);
    $('rooms').replaceChildren(...names.map((name) => el('li', {}, el('button', {
      type: 'button', 'aria-current': name === this.#room && 'page', onclick: () => this.#go(name),
    }, el('span', { class: 'room-label', text: name }),
    counts.get(name) > 0 && el('span', { class: 'count', text: String(counts.get(name)), title: `${counts.get(name)} here` })))));
  }

  #rooming() {
    $('new-room').addEventListener('submit', async (event) => {
      event.preventDefault();
      const name = $('new-room-name').value.trim().replace(/^#/, '').replaceAll(/\s+/g, '-');
      if (name && await this.#go(name)) $('new-room-name').value = '';
    });
    addEventListener('hashchange', () => {
      const name = roomInAddress();
      if (name && this.#room && name !== this.#room) this.#go(name);
    });
    const drawer = (open) => {
      $('side').classList.toggle('open', open);
      $('scrim').hidden = !open;
      $('menu').setAttribute('aria-expanded', String(open));
      $('talk').inert = open;
      (open ? $('rooms').querySelector('button') : $('menu'))?.focus();
    };
    $('menu').addEventListener('click', () => drawer(true));
    $('scrim').addEventListener('click', () => drawer(false));
    addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && $('side').classList.contains('open')) drawer(false);
    });
    this.#closeDrawer = () => $('side').classList.contains('open') && drawer(false);
    matchMedia('(max-width: 760px)').addEventListener('change', this.#closeDrawer);
  }
  #closeDrawer;

  async #go(name) {
    $('room-problem').textContent = '';
    try {
      if (name !== this.#room) {
        if (this.#connection.state !== 'online') throw new Error('There is no connection at the moment.');
        this.#writing.stop();
        await this.#connection.join(name, this.#you.name);
      }
      this.#closeDrawer();
      return true;
    } catch (err) {
      if (!err.outdated) $('room-problem').textContent = err.message;
      return false;
    }
  }

  #signOut() {
    this.#writing.stop();
    this.#connection.leave();
    this.#closeDrawer();
    this.#log.clear();
    $('room').value = this.#room;
    this.#room = '';
    store.drop('sessionStorage', 'hermod-name');
    store.drop('sessionStorage', 'hermod-key');
    this.#welcome();
  }

  #composing() {
    const text = $('text');
    const blank = () => $('composer').classList.toggle('blank', text.value.trim() === '');
    const grow = () => {
      blank();
      if (CSS.supports('field-sizing', 'content')) return;
      text.style.height = 'auto';
      text.style.height = `${text.scrollHeight}px`;
    };
    blank();
    text.addEventListener('input', () => { grow(); this.#writing.note(text.value !== ''); });
    text.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      $('composer').requestSubmit();
    });
    $('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      const value = text.value.trim();
      if (!value || !this.#room) return;
      text.value = '';
      grow();
      this.#writing.stop();
      this.#send('say', { text: value });
      text.focus();
    });
    $('attach').addEventListener('click', () => $('file').click());
    $('file').addEventListener('change', () => { this.#sendFiles([...$('file').files]); $('file').value = ''; });
    addEventListener('paste', (event) => {
      const files = [...event.clipboardData.files];
      if (files.length > 0 && this.#room) { event.preventDefault(); this.#sendFiles(files); }
    });
    this.#dropping();
  }

  #dropping() {
    const withFiles = (event) => this.#room && event.dataTransfer?.types.includes('Files');
    addEventListener('dragover', (event) => {
      if (!withFiles(event)) return;
      event.preventDefault();
      $('drop').hidden = false;
    });
    addEventListener('dragleave', (event) => { if (!event.relatedTarget) $('drop').hidden = true; });
    addEventListener('drop', (event) => {
      $('drop').hidden = true;
      if (!withFiles(event)) return;
      event.preventDefault();
      this.#sendFiles([...event.dataTransfer.files]);
    });
  }

  async #sendFiles(files) {
    for (const file of files) {
      try {
        const small = await prepared(file, this.#limit);
        this.#send('file', { name: small.name, type: small.type, data: await small.arrayBuffer() });
      } catch (err) {
        this.#log.notice(err.message);
        this.#follow();
      }
    }
  }

  #send(kind, body) {
    const entry = this.#connection.send(this.#room, kind, body);
    this.#log.addUnsent(entry);
    this.#markUnsent();
    this.#near = true;
    this.#follow();
  }

  #markUnsent() {
    const offline = this.#connection.state !== 'online';
    for (const entry of this.#connection.unsent(this.#room)) {
      if (!entry.failed) this.#log.note(entry, offline ? 'Not sent yet' : 'Sending…');
    }
  }

  #scrolling() {
    const box = $('scroll');
    box.addEventListener('scroll', () => {
      this.#near = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
      if (this.#near) $('newer').hidden = true;
    }, { passive: true });
    $('newer').addEventListener('click', () => { this.#near = true; this.#follow(); });
    new ResizeObserver(() => this.#follow()).observe(box);
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) { this.#unread = 0; this.#title(); }
    });
  }

  /** Keeps the end of the log in view if it was. */
  #follow() {
    if (!this.#near) return;
    $('scroll').scrollTop = $('scroll').scrollHeight;
    $('newer').hidden = true;
  }

  #title() {
    document.title = `${this.#unread ? `(${this.#unread}) ` : ''}${this.#room ? `#${this.#room} · ` : ''}Hermod`;
  }

  #view({ url, name }) {
    $('lightbox-image').src = url;
    $('lightbox-image').alt = name;
    Object.assign($('lightbox-save'), { href: url, download: name });
    $('lightbox').showModal();
  }
}

if (window.io) {
  new Page(window.io);
} else {
  $('app').hidden = true;
  $('missing').hidden = false;
}
