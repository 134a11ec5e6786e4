// The chat page: the official client below, plain DOM above.
const $ = (id) => document.getElementById(id)
const LIMIT = 512 * 1024 // bytes of a file, as the server's default
const ACK = 8000 // ms that an answer may take before it is asked for again

if (typeof io === 'undefined') $('missing').hidden = false
else start()

function start() {
  const socket = io({ autoConnect: false, reconnectionDelayMax: 3000 })
  const state = {
    name: sessionStorage.getItem('name') || localStorage.getItem('name') || '',
    room: sessionStorage.getItem('room') || 'lobby',
    rooms: JSON.parse(sessionStorage.getItem('rooms') || '["lobby"]'),
    inside: false,
    seen: new Map(), // id → element
    waiting: new Map(), // id → what is not confirmed yet
    typists: new Map(), // name → timer
  }
  $('name').value = state.name
  $('room').value = state.room
  $('door').hidden = false
  if (sessionStorage.getItem('room')) enter()
  else (state.name ? $('room') : $('name')).focus()

  // ---- coming in, and back

  $('enter').addEventListener('submit', (e) => {
    e.preventDefault()
    state.name = $('name').value.trim()
    state.room = $('room').value.trim()
    enter()
  })

  function enter() {
    $('door-error').textContent = ''
    if (socket.connected) join(state.room)
    else socket.connect()
  }

  socket.on('connect', () => { online(true); join(state.room) })
  socket.on('disconnect', () => online(false))
  socket.io.on('reconnect_attempt', () => online(false))
  socket.on('connect_error', () => { if (!state.inside) $('door-error').textContent = 'The server cannot be reached. Trying again…' })

  function online(yes) {
    $('state').classList.toggle('on', yes)
    $('state').lastElementChild.textContent = yes ? 'Connected' : 'Reconnecting…'
    $('banner').hidden = yes || !state.inside
  }

  async function join(room, retry = 0) {
    const answer = await ask('join', { room, name: state.name })
    if (!answer) return socket.connected && join(room)
    if (answer.error) {
      // After a cut the server may not have noticed yet that the old connection is gone.
      if (answer.error.code === 'name_taken' && state.inside && retry < 60) return setTimeout(() => socket.connected && join(room, retry + 1), 1000)
      $('door-error').textContent = answer.error.message
      return leaveToDoor()
    }
    const moved = !state.inside || state.room !== answer.room
    Object.assign(state, { room: answer.room, name: answer.name, inside: true })
    if (!state.rooms.includes(answer.room)) state.rooms.push(answer.room)
    sessionStorage.setItem('room', state.room)
    sessionStorage.setItem('name', state.name)
    sessionStorage.setItem('rooms', JSON.stringify(state.rooms))
    localStorage.setItem('name', state.name)
    show(answer, moved)
    resend()
  }

  function leaveToDoor() {
    state.inside = false
    sessionStorage.removeItem('room')
    $('chat').hidden = true
    $('door').hidden = false
    $('name').focus()
  }

  // ask sends an event and resolves to the answer, or to undefined if none came.
  function ask(event, body) {
    return socket.timeout(ACK).emitWithAck(event, body).catch(() => undefined)
  }

  // ---- what is shown

  function show(answer, moved) {
    $('door').hidden = true
    $('chat').hidden = false
    $('title').textContent = answer.room
    document.title = `${answer.room} · Hermod chat`
    if (moved) {
      state.seen.clear()
      $('log').replaceChildren()
    }
    people(answer.people)
    rooms()
    for (const m of answer.history) post(m, false)
    empty()
    $('log').scrollTop = $('log').scrollHeight
    if (moved && matchMedia('(min-width: 761px)').matches) $('text').focus()
  }

  function rooms() {
    $('rooms').replaceChildren(...state.rooms.map((room) => {
      const b = el('button', { type: 'button', textContent: room, onclick: () => go(room) })
      if (room === state.room) b.setAttribute('aria-current', 'true')
      return el('li', {}, b)
    }))
  }

  function people(names) {
    $('people').replaceChildren(...names.map((name) => el('li', {}, face(name), el('span', { textContent: name === state.name ? `${name} (you)` : name }))))
    $('count').textContent = names.length
    $('subtitle').textContent = names.length === 1 ? 'Only you are here' : `${names.length} people are here`
  }

  function empty() {
    $('log').querySelector('.empty')?.remove()
    if (!state.seen.size) $('log').append(el('li', { className: 'empty', textContent: 'Nothing has been said here yet. Open this page in a second window, or write the first message.' }))
  }

  // post shows a message once, whether it comes from here, from the server or from the history.
  function post(m, live = true) {
    const known = state.seen.get(m.id)
    if (known) {
      known.classList.remove('waiting', 'failed')
      known.querySelector('.note')?.remove()
      return
    }
    const log = $('log')
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80
    log.querySelector('.empty')?.remove()
    const last = log.lastElementChild
    const first = !last?.classList.contains('msg') || last.dataset.from !== m.from || m.at - last.dataset.at > 5 * 60e3
    const mine = m.from === state.name
    const item = el('li', { className: `msg${first ? ' first' : ''}${mine ? ' mine' : ''}${m.waiting ? ' waiting' : ''}` })
    item.dataset.from = m.from
    item.dataset.at = m.at
    if (first) {
      item.append(face(m.from), el('div', { className: 'who' }, el('b', { textContent: mine ? 'You' : m.from }), el('time', { textContent: clock(m.at), dateTime: new Date(m.at).toISOString() })))
    } else if (!mine) item.append(el('span'))
    item.append(el('div', { className: 'bubble' }, m.file ? attachment(m.file) : document.createTextNode(m.text)))
    if (m.waiting) item.append(el('span', { className: 'note', textContent: 'Waiting…' }))
    state.seen.set(m.id, item)
    log.append(item)
    if (live && (atEnd || mine)) log.scrollTop = log.scrollHeight
  }

  function attachment(file) {
    const blob = new Blob([file.data], { type: /^image\/(png|jpeg|gif|webp|avif)$/.test(file.type) ? file.type : 'application/octet-stream' })
    const href = URL.createObjectURL(blob)
    if (blob.type.startsWith('image/')) {
      const log = $('log')
      return el('img', { src: href, alt: file.name, onload: () => { if (log.scrollHeight - log.scrollTop - log.clientHeight < 420) log.scrollTop = log.scrollHeight } })
    }
    return el('a', { className: 'download', href, download: file.name, textContent: `⤓ ${file.name} (${size(blob.size)})` })
  }

  function face(name) {
    const letters = name.split(/\s+/).map((w) => [...w][0]).slice(0, 2).join('').toUpperCase()
    let hash = 0
    for (const c of name) hash = (hash * 31 + c.codePointAt(0)) >>> 0
    return el('span', { className: `face c${hash % 8}`, textContent: letters, ariaHidden: 'true' })
  }

  // ---- sending

  function send(event, body, view) {
    const id = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`
    state.waiting.set(id, { event, body: { id, ...body }, room: state.room })
    post({ id, from: state.name, at: Date.now(), waiting: true, ...view })
    deliver(id)
  }

  // deliver sends until the server has confirmed. Sent twice, a message counts once: the server knows its id.
  async function deliver(id) {
    const w = state.waiting.get(id)
    if (!w || w.under || !socket.connected || w.room !== state.room) return
    w.under = true
    const answer = await ask(w.event, w.body)
    w.under = false
    if (!answer) return socket.connected && deliver(id)
    state.waiting.delete(id)
    const item = state.seen.get(id)
    if (answer.error && item) {
      item.classList.add('failed')
      item.querySelector('.note').textContent = answer.error.message
    } else post({ id })
  }

  async function resend() {
    for (const id of [...state.waiting.keys()]) await deliver(id)
  }

  socket.on('message', (m) => { stopTyping(m.from); post(m) })
  socket.on('people', people)

  $('say').addEventListener('submit', (e) => {
    e.preventDefault()
    const text = $('text').value.trim()
    if (!text) return
    $('text').value = ''
    grow()
    tell(false)
    send('say', { text }, { text })
  })

  $('text').addEventListener('keydown', (e) => {
    if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
      e.preventDefault()
      $('say').requestSubmit()
    }
  })

  async function sendFiles(files) {
    for (const f of files) {
      const data = new Uint8Array(await f.arrayBuffer())
      if (data.length === 0 || data.length > LIMIT) {
        $('typing').textContent = `${f.name} is ${size(data.length)}; a file may have up to ${size(LIMIT)}.`
        continue
      }
      const file = { name: f.name || 'picture', type: f.type, data }
      send('file', file, { file })
    }
  }
  $('file').addEventListener('change', (e) => { sendFiles(e.target.files); e.target.value = '' })
  document.addEventListener('paste', (e) => { if (state.inside && e.clipboardData.files.length) { e.preventDefault(); sendFiles(e.clipboardData.files) } })
  document.addEventListener('dragover', (e) => { if (state.inside) { e.preventDefault(); $('drop').hidden = false } })
  document.addEventListener('dragleave', (e) => { if (!e.relatedTarget) $('drop').hidden = true })
  document.addEventListener('drop', (e) => { e.preventDefault(); $('drop').hidden = true; if (state.inside) sendFiles(e.dataTransfer.files) })

  // ---- typing

  let told = false
  let idle
  function tell(on) {
    clearTimeout(idle)
    if (on) idle = setTimeout(() => tell(false), 3000)
    if (on === told || !socket.connected) return
    told = on
    socket.volatile.emit('typing', on)
  }
  function grow() {
    $('text').style.height = 'auto'
    $('text').style.height = `${Math.min($('text').scrollHeight + 2, 144)}px`
  }
  $('text').addEventListener('input', () => { grow(); tell($('text').value !== '') })

  socket.on('typing', ({ name, on }) => {
    stopTyping(name)
    if (on && name !== state.name) state.typists.set(name, setTimeout(() => stopTyping(name), 6000))
    typing()
  })
  function stopTyping(name) {
    clearTimeout(state.typists.get(name))
    if (state.typists.delete(name)) typing()
  }
  function typing() {
    const names = [...state.typists.keys()]
    $('typing').textContent = names.length === 0 ? '' : names.length === 1 ? `${names[0]} is typing…` : `${names.slice(0, 3).join(', ')} are typing…`
  }

  // ---- rooms

  function go(room) {
    closeSide()
    if (room === state.room || !socket.connected) return
    for (const t of state.typists.values()) clearTimeout(t)
    state.typists.clear()
    typing()
    join(room)
  }
  $('switch').addEventListener('submit', (e) => {
    e.preventDefault()
    const room = $('other').value.trim()
    $('other').value = ''
    if (room) go(room)
  })
  $('menu').addEventListener('click', () => {
    const open = $('side').classList.toggle('open')
    $('menu').setAttribute('aria-expanded', open)
  })
  function closeSide() {
    $('side').classList.remove('open')
    $('menu').setAttribute('aria-expanded', 'false')
  }
  $('log').addEventListener('click', closeSide)
  document.addEventListener('keydown', (e) => { if (e.key === 'Escape') closeSide() })
}

function el(tag, props, ...children) {
  const e = Object.assign(document.createElement(tag), props)
  e.append(...children)
  return e
}

function clock(at) {
  return new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
}

function size(n) {
  return n < 1024 ? `${n} bytes` : n < 1024 * 1024 ? `${Math.round(n / 1024)} KB` : `${(n / 1024 / 1024).toFixed(1)} MB`
}
