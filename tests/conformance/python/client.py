"""The cases of python_clients.test.mjs, with the client of python-socketio.

    python3 client.py URL TRANSPORTS

runs every case against the test application at URL and prints a line of JSON
for each: {"name": ..., "result": ...} or {"name": ..., "error": ...}. Bytes are
{"$bin": base64}, as on the control interface.
"""
import base64
import json
import queue
import sys
import threading
import time

import socketio

URL = sys.argv[1]
TRANSPORTS = sys.argv[2].split(',')
WAIT = 20


def connect(namespaces=('/',), **options):
    """A client that is connected, and a queue of what it hears."""
    sio = socketio.Client(reconnection=options.pop('reconnection', False), reconnection_delay=0.1)
    heard = queue.Queue()
    for namespace in namespaces:
        for event in ('echo', 'named', 'news', 'bye', 'greeting'):
            sio.on(event, lambda *args, n=namespace, e=event: heard.put([n, e, *args]), namespace=namespace)
        sio.on('question', lambda *args: answer(args), namespace=namespace)
        sio.on('connect', lambda n=namespace: heard.put([n, 'connect']), namespace=namespace)
        sio.on('disconnect', lambda n=namespace: heard.put([n, 'disconnect']), namespace=namespace)
        sio.on('connect_error', lambda data=None, n=namespace: heard.put([n, 'connect_error', data]), namespace=namespace)
    sio.connect(URL, transports=TRANSPORTS, namespaces=list(namespaces), wait_timeout=WAIT, **options)
    for _ in namespaces:
        heard.get(timeout=WAIT)
    return sio, heard


def answer(args):
    """What this client acknowledges a question with."""
    return args[0] if len(args) == 1 else tuple(args)


def travels():
    sio, _ = connect()
    sid = sio.get_sid()
    result = {'id': sid, 'transport': sio.transport(), 'served': sio.call('ack', 'alive', timeout=WAIT)}
    sio.disconnect()
    return result


def events():
    sio, heard = connect()
    values = [None, True, 0, -1.5, 'text', 'é€😀\u2028<&>', '', [], {}, [1, [2, {'a': None}]], {'k': ['v', {'n': 1}]}]
    out = []
    for v in values:
        sio.emit('echo', v if v is not None else (None,))
        out.append(heard.get(timeout=WAIT)[2:])
    sio.emit('echo', ('two', 2))
    out.append(heard.get(timeout=WAIT)[2:])
    sio.emit('echo')
    out.append(heard.get(timeout=WAIT)[2:])
    sio.disconnect()
    return out


def order():
    sio, heard = connect()
    sid, out = sio.get_sid(), []
    for i in range(0, 200, 10):  # this client takes no more than 16 packets in one answer
        for k in range(i, i + 10):
            sio.emit('echo', k)
        out += [heard.get(timeout=WAIT)[2] for _ in range(10)]
    sio.disconnect()
    # Each event is handled in a thread of its own here: the order is the server's to tell.
    return {'id': sid, 'returned': sorted(out) == list(range(200))}


def acks():
    sio, _ = connect()
    out = [
        sio.call('ack', ('a', 1), timeout=WAIT),
        sio.call('ack', None, timeout=WAIT),
        sio.call('ask', (['q', 2],), timeout=WAIT),
        sio.call('ask', ([{'deep': [1, b'\x01\x02']}],), timeout=WAIT),
    ]
    done = threading.Event()
    sio.emit('ack', 'callback', callback=lambda *args: (out.append(list(args)), done.set()))
    done.wait(WAIT)
    sio.disconnect()
    return out


def binary():
    sio, heard = connect()
    out = []
    for v in (b'', b'\x00\x01\xff', [b'one', {'two': b'two', 'plain': 1}], bytes(100_000)):
        sio.emit('echo', v)
        got = heard.get(timeout=WAIT)[2]
        out.append(len(got) if isinstance(got, bytes) and len(got) > 100 else got)
    out.append(sio.call('ack', b'\x05\x06', timeout=WAIT))
    sio.disconnect()
    return out


def namespaces():
    sio, heard = connect(('/', '/chat'))
    out = {'ids': sio.get_sid('/') != sio.get_sid('/chat')}
    sio.emit('echo', 'main')
    out['main'] = heard.get(timeout=WAIT)
    sio.emit('echo', 'chat', namespace='/chat')
    out['chat'] = heard.get(timeout=WAIT)
    sio.disconnect()
    return out


def refused():
    out = []
    for namespace, auth in (('/nowhere', None), ('/refused', None), ('/auth', {'token': 'wrong'})):
        sio = socketio.Client(reconnection=False)
        heard = queue.Queue()
        sio.on('connect_error', heard.put, namespace=namespace)
        sio.connect(URL, transports=TRANSPORTS, namespaces=[namespace], auth=auth, wait=False)
        out.append(heard.get(timeout=WAIT))
        sio.disconnect()
    return out


def auth():
    sio, _ = connect(('/auth',), auth={'token': 'secret'})
    result = sio.call('ack', 'inside', namespace='/auth', timeout=WAIT)
    sio.disconnect()
    return result


def rooms():
    (a, heard_a), (b, heard_b) = connect(), connect()
    room = 'py-' + a.get_sid()
    for sio in (a, b):
        sio.call('join', room, timeout=WAIT)
    out = {'member': room in a.call('rooms', timeout=WAIT)}
    a.call('broadcast', ({'to': room}, 'news', ['to the room', b'\x01']), timeout=WAIT)
    out['b'] = heard_b.get(timeout=WAIT)[1:]
    b.call('leave', room, timeout=WAIT)
    a.call('broadcast', ({'to': room, 'via': 'server'}, 'news', ['left']), timeout=WAIT)
    out['a'] = heard_a.get(timeout=WAIT)[1:]
    b.call('ack', None, timeout=WAIT)
    out['b heard more'] = not heard_b.empty()
    a.disconnect()
    b.disconnect()
    return out


def leaves():
    sio, _ = connect()
    sid = sio.get_sid()
    # While its writer is at work the client goes without a word: it drops what is queued.
    sio.eio.queue.join()
    time.sleep(0.3)
    sio.disconnect()
    return sid


def dismissed():
    sio, heard = connect()
    sid = sio.get_sid()
    sio.emit('bye', True)
    out = [heard.get(timeout=WAIT)[1:] for _ in range(2)]
    sio.disconnect()
    return {'id': sid, 'heard': out}


def comes_back():
    sio, heard = connect(reconnection=True)
    sio.emit('engine-bye')
    out = [heard.get(timeout=WAIT)[1] for _ in range(3)]
    out.append(sio.call('ack', 'again', timeout=WAIT))
    sio.disconnect()
    return out


def heartbeat():
    sio, heard = connect()
    try:
        out = heard.get(timeout=1.5)  # five heartbeats of 300 ms
    except queue.Empty:
        out = sio.call('ack', 'still here', timeout=WAIT)
    sio.disconnect()
    return out


def to_json(v):
    if isinstance(v, bytes):
        return {'$bin': base64.b64encode(v).decode()}
    if isinstance(v, (list, tuple)):
        return [to_json(x) for x in v]
    if isinstance(v, dict):
        return {k: to_json(x) for k, x in v.items()}
    return v


def main():
    cases = [travels, events, order, acks, binary, namespaces, refused, auth, rooms, leaves, dismissed, heartbeat]
    if TRANSPORTS != ['polling']:  # after a close packet this client does not come back
        cases.append(comes_back)
    for case in cases:
        try:
            line = {'name': case.__name__, 'result': to_json(case())}
        except Exception as err:  # each case is reported, whatever happened
            line = {'name': case.__name__, 'error': repr(err)}
        print(json.dumps(line), flush=True)


main()
