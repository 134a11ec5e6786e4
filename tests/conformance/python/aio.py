"""A short talk with the asyncio client of python-socketio (aiohttp).

    python3 aio.py URL TRANSPORTS

prints one line of JSON.
"""
import asyncio
import json
import sys

import socketio

WAIT = 20


async def main(url, transports):
    sio = socketio.AsyncClient(reconnection=False)
    heard = asyncio.Queue()
    sio.on('echo', lambda *args: heard.put_nowait(list(args)))
    await sio.connect(url, transports=transports, wait_timeout=WAIT)
    out = {'transport': sio.transport()}
    await sio.emit('echo', ['text', {'n': 1}])
    out['echo'] = await asyncio.wait_for(heard.get(), WAIT)
    await sio.emit('echo', b'\x01\x02')
    out['bytes'] = (await asyncio.wait_for(heard.get(), WAIT))[0].hex()
    out['ack'] = await sio.call('ack', ('a', 1), timeout=WAIT)
    out['many'] = await asyncio.gather(*(sio.call('ack', i, timeout=WAIT) for i in range(10))) == list(range(10))
    await sio.disconnect()
    print(json.dumps(out), flush=True)


asyncio.run(main(sys.argv[1], sys.argv[2].split(',')))
