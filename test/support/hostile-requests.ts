// Requests that are wrong by every rule of HTTP, written byte by byte, and a seeded maker of more.
import type { SeededRandom } from './seeded-random.ts';
import { rawRequest } from './raw-http.ts';

/** [what it is, bytes, statuses of the answers in order; none: closed without one]. */
export type HostileCase = readonly [
  name: string,
  bytes: string | Buffer,
  statuses: readonly number[],
  /** Its client says that nothing follows. */
  ends?: true,
];

const CLOSE = 'connection: close';

/** The body in chunks of one byte. */
export function oneByOne(body: string): Buffer {
  const chunks = Array.from(body, (character) => `1\r\n${character}\r\n`);
  return Buffer.from(`${chunks.join('')}0\r\n\r\n`);
}

export function hostileCases(infer: string, body: string): readonly HostileCase[] {
  const post = (headers: readonly string[], sent: string | Buffer = body) =>
    rawRequest(`POST ${infer} HTTP/1.1`, headers, sent);
  const length = `content-length: ${body.length}`;
  const get = (path: string) => rawRequest(`GET ${path} HTTP/1.1`, [CLOSE]);
  const chunked = 'transfer-encoding: chunked';
  return [
    ['bytes of no protocol', '\x00\x01\x02\x03\xff\xfe\r\n\r\n', [400]],
    ['the start of a TLS handshake', Buffer.from('16030100c8010000c40303', 'hex'), [400]],
    ['the start of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
    ['a request of HTTP/0.9', 'GET /v2\r\n\r\n', [200]],
    ['a method that nobody knows', 'FETCH /v2 HTTP/1.1\r\nhost: x\r\n\r\n', [400]],
    ['a method in lower case', 'get /v2 HTTP/1.1\r\nhost: x\r\n\r\n', [400]],
    ['a version of tomorrow', 'GET /v2 HTTP/9.9\r\nhost: x\r\n\r\n', [400]],
    ['a header without a colon', 'GET /v2 HTTP/1.1\r\nhost x\r\n\r\n', [400]],
    [
      'a space before the colon',
      'GET /v2 HTTP/1.1\r\nhost: x\r\ncontent-length : 3\r\n\r\nabc',
      [400],
    ],
    ['a folded header', 'GET /v2 HTTP/1.1\r\nhost: x\r\nx-a: 1\r\n 2\r\n\r\n', [400]],
    ['a NUL in a header', 'GET /v2 HTTP/1.1\r\nhost: x\r\nx-a: 1\x002\r\n\r\n', [400]],
    ['line ends without CR', 'GET /v2 HTTP/1.1\nhost: x\n\n', [400]],
    ['no host', `GET /v2 HTTP/1.1\r\n${CLOSE}\r\n\r\n`, [400]],
    ['an older version without a host', 'GET /v2 HTTP/1.0\r\n\r\n', [200]],
    ['headers without end', rawRequest('GET /v2 HTTP/1.1', [`x: ${'a'.repeat(20_000)}`]), [431]],
    ['a path without end', get(`/${'a'.repeat(20_000)}`), [431]],
    ['length and chunks at once', post([length, chunked, CLOSE]), [400]],
    ['chunks and length at once', post([chunked, length, CLOSE]), [400]],
    ['two lengths', post([length, 'content-length: 3', CLOSE]), [400]],
    ['the same length twice', post([length, length, CLOSE]), [400]],
    ['a negative length', post(['content-length: -1', CLOSE]), [400]],
    ['a signed length', post([`content-length: +${body.length}`, CLOSE]), [400]],
    ['a length in hex', post(['content-length: 0x10', CLOSE]), [400]],
    ['a length with an exponent', post(['content-length: 1e3', CLOSE]), [400]],
    ['two numbers as a length', post(['content-length: 5 5', CLOSE]), [400]],
    ['a length beyond 64 bits', post(['content-length: 99999999999999999999', CLOSE]), [400]],
    ['a length beyond the limit', post(['content-length: 9007199254740991']), [413]],
    ['no length', post([CLOSE], ''), [411]],
    ['an unknown transfer coding', post(['transfer-encoding: xchunked', CLOSE]), [400]],
    [
      'chunks that are not the last coding',
      post(['transfer-encoding: chunked, gzip', CLOSE]),
      [400],
    ],
    ['a chunk size that is none', post([chunked, CLOSE], 'zz\r\nabc\r\n0\r\n\r\n'), [400]],
    ['a chunk size beyond 64 bits', post([chunked, CLOSE], 'FFFFFFFFFFFFFFFFFF\r\nabc'), [400]],
    ['a chunk longer than it says', post([chunked, CLOSE], '3\r\nabcdef\r\n0\r\n\r\n'), [400]],
    [
      'extensions of a chunk without end',
      post([chunked, CLOSE], `1;${'e'.repeat(20_000)}\r\na`),
      [400],
    ],
    ['chunks one byte each', post([chunked, CLOSE], oneByOne(body)), [200]], // prettier-ignore
    ['less than its length', post([`content-length: ${body.length + 10}`]), [400], true],
    ['more than its length', post([`content-length: ${body.length - 1}`], `${body.slice(0, -1)}}`), [400, 400]], // prettier-ignore
    ['a second request that is none', Buffer.concat([post([length]), Buffer.from('\x01\x02\r\n\r\n')]), [200, 400]], // prettier-ignore
    ['a whole address as its target', rawRequest('GET http://other.example/v2 HTTP/1.1', [CLOSE]), [200]], // prettier-ignore
    ['a star as its target', rawRequest('OPTIONS * HTTP/1.1', [CLOSE]), [404]],
    ['a way out of the root', get('/../../../../etc/passwd'), [404]],
    ['an encoded way out', get('/v2/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd'), [404]],
    ['a way out that is encoded twice', get('/v2/models/%252e%252e/infer'), [405]],
    ['a way out of another system', get('/v2/models/..%5c..%5cwindows'), [404]],
    ['an encoded NUL', get('/v2/models/digits%00/ready'), [404]],
    ['percent signs that decode to nothing', get('/v2/models/%E0%A4%A/ready'), [404]],
    ['bytes above 127 in its path', get('/v2/models/\xff\xfe'), [400]],
    ['two slashes', get('//v2//health//ready'), [404]],
    ['a query', get('/v2/health/ready?x=1'), [200]],
    ['the method TRACE', rawRequest('TRACE /v2 HTTP/1.1', [CLOSE]), [405]],
    ['a tunnel', rawRequest('CONNECT example.com:80 HTTP/1.1', [CLOSE]), []],
    ['another protocol to go on with', rawRequest('GET /v2 HTTP/1.1', [CLOSE, 'upgrade: websocket']), [200]], // prettier-ignore
    ['an expectation of its own', post([length, 'expect: miracles', CLOSE]), [417]],
  ];
}

const SPECIALS = [
  '\r\n',
  '\n',
  '\0',
  ' ',
  ':',
  '%00',
  '%',
  '..',
  '"',
  '{',
  ']',
  '-',
  '9'.repeat(30),
  '\xff',
  ';',
  ',',
];

/** A request that was good, with a few places changed: bytes flipped, cut, repeated, moved or put in. */
export function mutate(good: Buffer, random: SeededRandom): Buffer {
  let bytes = good;
  const place = (): number => Math.floor(random.uniform() * bytes.length);
  const changes = 1 + Math.floor(random.uniform() * 4);
  for (let i = 0; i < changes; i++) {
    const [from, to] = [place(), place()].toSorted((a, b) => a - b) as [number, number];
    const before = bytes.subarray(0, from);
    const after = bytes.subarray(from);
    switch (Math.floor(random.uniform() * 5)) {
      case 0:
        bytes = Buffer.from(bytes);
        bytes[from] = Math.floor(random.uniform() * 256);
        break;
      case 1:
        bytes = before;
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, to), after]);
        break;
      case 3:
        bytes = Buffer.concat([before, bytes.subarray(to)]);
        break;
      default: {
        const special = SPECIALS[Math.floor(random.uniform() * SPECIALS.length)] ?? '';
        bytes = Buffer.concat([before, Buffer.from(special, 'latin1'), after]);
      }
    }
    if (bytes.length === 0) return good.subarray(0, 1);
  }
  return bytes;
}
