// Clients as they should not be, until somebody kills the process: connections that send nothing, half a head, half a body, and one
// that asks again and again and reads no answer.
import { connect } from 'node:net';
import { setInterval } from 'node:timers';

const [host, port, path] = process.argv.slice(2);
const head = (length) =>
  `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
const firsts = ['', head(100).slice(0, 40), `${head(100)}{"inputs":`, `${head(2)}{}`.repeat(20)];

const sockets = await Promise.all(
  firsts.map(
    (first) =>
      new Promise((resolve, reject) => {
        const socket = connect(Number(port), host, () => {
          socket.pause();
          socket.write(first, () => resolve(socket));
        });
        socket.once('error', reject);
      }),
  ),
);
process.stdout.write(`${sockets.length} connections\n`);
setInterval(() => undefined, 60_000);
