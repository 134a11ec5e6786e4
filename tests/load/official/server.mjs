// The application that the load generator drives, on the official server: see
// tests/load/benchapp for its events. It listens on 127.0.0.1:$PORT;
// $PING_INTERVAL is in milliseconds (25000), $TLS_CERT and $TLS_KEY name files,
// $PARSER=msgpack and $DEFLATE=1 do what they say. Run it with --expose-gc.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { Server } from "socket.io";
import * as msgpack from "socket.io-msgpack-parser";

const { PORT, PING_INTERVAL, TLS_CERT, TLS_KEY, PARSER, DEFLATE } = process.env;

const options = {};
if (PING_INTERVAL) options.pingInterval = Number(PING_INTERVAL);
if (PARSER === "msgpack") options.parser = msgpack.default ?? msgpack;
if (DEFLATE === "1") options.perMessageDeflate = true;

const server = TLS_CERT
  ? createSecureServer({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) })
  : createServer();
const io = new Server(server, options);

io.on("connection", (socket) => {
  socket.on("echo", (...args) => args.pop()(...args));
  socket.on("join", (room, ack) => {
    socket.join(room);
    ack();
  });
  socket.on("leave", (room, ack) => {
    socket.leave(room);
    ack();
  });
  socket.on("pub", (room, payload) => {
    io.to(room).emit("msg", payload);
  });
  socket.on("gc", (ack) => {
    globalThis.gc();
    ack();
  });
  socket.on("stats", (ack) => {
    ack({ clients: io.of("/").sockets.size, rooms: io.of("/").adapter.rooms.size });
  });
});

server.listen(Number(PORT), "127.0.0.1");
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
