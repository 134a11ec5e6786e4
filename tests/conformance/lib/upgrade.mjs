// The upgrade of a polling session to a websocket, step by step.
import assert from 'node:assert/strict';
import { path } from './session.mjs';
import { RawWs } from './ws.mjs';

/** Opens a websocket for the session and probes with it. */
export async function probe(s, packet = '2probe') {
  const ws = await RawWs.connect(s.port, path('websocket', { sid: s.sid }));
  assert.ok(ws.accepted, `upgrade: ${ws.response?.line} ${ws.response?.text}`);
  ws.text(packet);
  return ws;
}

/** The whole upgrade as a client does it; afterwards `next` and `send` go by websocket. */
export async function upgrade(s) {
  const get = s.get('the GET that the probe ends');
  const ws = await probe(s);
  assert.equal(await ws.message('the answer to the probe'), '3probe');
  let res = await get;
  for (let beats = 0; res.text === '2' && beats < 5; beats++) { // the heartbeat came first
    await s.post('3');
    res = await s.get('the GET that the probe ends');
  }
  assert.equal(res.status, 200);
  assert.equal(res.text, '6', 'the waiting GET is ended by a noop');
  ws.text('5');
  s.ws = ws;
  s.close();
  s.send = async (...list) => ws.text(...list);
  s.next = async (what) => {
    for (;;) {
      const m = await ws.message(what);
      if (m.code) return { closed: true, ...m };
      if (m === '2') ws.text('3');
      else if (m !== '6') return m;
    }
  };
  s.close = () => ws.close();
  return s;
}
