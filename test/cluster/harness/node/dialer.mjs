// dialer.mjs SOCKET : runs inside the node's network. Each connection to the socket begins with a line "HOST PORT";
// from then on its bytes are that TCP connection's, so tests outside reach every pod and service.
import { Buffer } from 'node:buffer';
import { connect, createServer } from 'node:net';

const LONGEST_LINE = 300;

createServer({ allowHalfOpen: true }, (outside) => {
  let head = Buffer.alloc(0);
  const onHead = (chunk) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf(10);
    if (end < 0 && head.length > LONGEST_LINE) outside.destroy();
    if (end < 0) return;
    outside.off('data', onHead);
    outside.pause();
    const [host, port] = head.subarray(0, end).toString().split(' ');
    const inside = connect({ host, port: Number(port), allowHalfOpen: true });
    inside.once('connect', () => {
      inside.write(head.subarray(end + 1));
      outside.pipe(inside);
      inside.pipe(outside);
    });
    inside.on('error', () => outside.destroy());
    outside.on('close', () => inside.destroy());
  };
  outside.on('data', onHead);
  outside.on('error', () => undefined);
}).listen(process.argv[2]);
