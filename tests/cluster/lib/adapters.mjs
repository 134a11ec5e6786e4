// The official adapters and the emitter, on either Redis client.
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { Emitter } from '@socket.io/redis-emitter';
import { createAdapter as createStreams } from '@socket.io/redis-streams-adapter';
import { createAdapter as createOldStreams } from 'redis-streams-adapter-0.2';
import { once } from 'node:events';
import Redis from 'ioredis';
import { createClient } from 'redis';

/**
 * Connects to Redis; a lost connection is no reason to end. The ready check of
 * ioredis sends INFO on a connection that the adapters have subscribed already
 * (streams: on a duplicate of this one), and the error ends the process.
 */
async function connect({ client, redis }) {
  const c = client === 'ioredis'
    ? new Redis(redis, { maxRetriesPerRequest: null, enableReadyCheck: false })
    : createClient({ url: redis });
  c.on('error', (err) => console.error('redis:', err.message || err.code));
  if (client !== 'ioredis') await c.connect();
  else if (c.status !== 'ready') await once(c, 'ready');
  return c;
}

const modes = { 'sharded-static': 'static', 'sharded-dynamic': 'dynamic', 'sharded-dynamic-private': 'dynamic-private' };

/** The adapter of options.flavour. */
export async function adapter(options) {
  const { flavour, requestTimeout = 5000 } = options;
  const pub = await connect(options);
  if (flavour === 'streams') {
    const { shardedPubSub = false, streamCount = 1, plaintext = false, maxLen = 10_000 } = options;
    return createStreams(pub, { useShardedPubSub: shardedPubSub, streamCount, onlyPlaintext: plaintext, maxLen });
  }
  if (flavour === 'streams-0.2') return createOldStreams(pub, { maxLen: options.maxLen ?? 10_000 });
  const sub = await connect(options);
  if (flavour === 'classic') {
    const { specificResponses = false } = options;
    return createAdapter(pub, sub, { requestsTimeout: requestTimeout, publishOnSpecificResponseChannel: specificResponses });
  }
  return createShardedAdapter(pub, sub, { subscriptionMode: modes[flavour] });
}

/** What emits without a server; there is none for the sharded adapter. */
export async function emitter(options) {
  return options.flavour === 'classic' ? new Emitter(await connect(options)) : null;
}
