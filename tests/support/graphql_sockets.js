// Talks to a GraphQL server over WebSocket, with the client of graphql-ws and by hand; prints one JSON object.
//   node graphql_sockets.js ws://127.0.0.1:4000/graphql MESSAGES     (JSON, see below; node_modules beside this file)
'use strict';
const { createClient } = require('graphql-ws');
const WebSocket = require('ws');

const url = process.argv[2];
const { subscription, mutation, query, wrong, unknown } = JSON.parse(process.argv[3]);
const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });

const all = (payload) => new Promise((resolve) => {
  const results = [];
  client.subscribe(payload, {
    next: (value) => results.push(value),
    error: (error) => resolve({ results, error: Array.isArray(error) ? error : String(error) }),
    complete: () => resolve({ results }),
  });
});

// One subscription, with a mutation as soon as its first event is there.
const followed = () => new Promise((resolve, reject) => {
  const events = [];
  let made = null;
  const stop = client.subscribe(subscription, {
    async next(value) {
      events.push(value);
      if (events.length === 1) made = all(mutation);
      if (events.length === 2) {
        stop();
        resolve({ events, made: await made });
      }
    },
    error: reject,
    complete: () => {},
  });
});

// Sends messages by hand; what comes back, up to the end of the socket or the answer to the last ping.
const byHand = (messages, protocol = 'graphql-transport-ws', address = url) => new Promise((resolve) => {
  const socket = new WebSocket(address, protocol === null ? [] : [protocol]);
  const heard = [];
  const say = (items) => items.forEach((item) => socket.send(typeof item === 'string' ? item : JSON.stringify(item)));
  const first = messages[0] === init ? 1 : messages.length; // then the rest has to wait for the answer
  socket.on('open', () => say(messages.slice(0, first)));
  socket.on('message', (data) => {
    heard.push(JSON.parse(String(data)));
    if (heard.at(-1).type === 'connection_ack') say(messages.slice(first));
    if (heard.at(-1).payload?.last) socket.close();
  });
  socket.on('error', (error) => resolve({ heard, error: error.message }));
  socket.on('close', (code, reason) => resolve({ heard, code, reason: String(reason) }));
});
const init = { type: 'connection_init' };
const last = { type: 'ping', payload: { last: true } };
const subscribe = (id, payload) => ({ type: 'subscribe', id, payload });

async function main() {
  const told = {
    followed: await followed(),
    query: await all(query),
    wrong: await all(wrong),
    unknown: await all(unknown),
    pings: await byHand([init, { type: 'ping' }, { type: 'pong' }, last]),
    stopped: await byHand([init, subscribe('a', subscription), { type: 'complete', id: 'a' }, { type: 'complete', id: 'b' }, last]),
    refused: {
      protocol: await byHand([], 'graphql-ws'),
      noProtocol: await byHand([], null),
      early: await byHand([subscribe('a', query)]),
      twice: await byHand([init, init]),
      same: await byHand([init, subscribe('a', subscription), subscribe('a', subscription)]),
      garbage: await Promise.all(['{', '[]', '{"type":"next"}', subscribe('', query), subscribe('a', {}), subscribe('a', { query: 1 })].map((item) => byHand([init, item]))),
      path: await byHand([], 'graphql-transport-ws', url.replace('/graphql', '/other')),
    },
  };
  await client.dispose();
  console.log(JSON.stringify(told));
}
main();
