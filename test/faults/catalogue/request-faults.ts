import type { FaultRows } from './fault-row.ts';

/** What clients send. */
export const REQUEST_FAULTS: FaultRows = {
  Q1: {
    fault: 'a flood, open loop',
    holds: 'what is too much is 429 at once; the rest is answered; nothing grows',
    tests: {
      'http/load/overload.test.ts': [
        'a flood is answered to the last request, what is too much with 429; no row is lost or run twice, and nothing grows',
        'with a deadline shorter than the queue is long, the engine still works for answers that somebody gets',
      ],
      'unit/server/queue/batcher.test.ts': [
        'ten times what the queue holds: each is answered once, and never more wait than may',
      ],
      'bench/overload.long.ts': [
        'under ten times its capacity a server keeps 80 % of it, refuses at once, and is over it in 5 s',
      ],
    },
  },
  Q2: {
    fault: 'slowloris, thousands of idle sockets',
    holds: 'our limits end them; others are served',
    tests: {
      'faults/server/slow-clients.test.ts': [
        'of headers keep nobody else out, and are told 408 by our limit, not by Node’s of a minute',
        'of bodies take neither the places for requests nor the memory that they announce',
        'sockets that never say a word are counted, and make room by our limit',
      ],
    },
  },
  Q3: {
    fault: 'a client that takes nothing of its answer',
    holds: 'bounded buffer; it is cut off',
    tests: {
      'faults/server/slow-clients.test.ts': [
        'a reader that takes nothing gets no more answers than its connection holds, and loses it in the end',
      ],
      'http/protocol/limits-at-work.test.ts': [
        'whose client takes nothing of its answer is cut off',
      ],
    },
  },
  Q4: {
    fault: 'malformed tensors',
    holds: '400 with the reason; the server as it was',
    tests: {
      'http/protocol/tensors.test.ts': [
        'is read as its shape and type say, or refused with a code of 400',
        'of the first protocol is read or refused the same way',
        'leaves the server as it was',
      ],
    },
  },
  Q5: {
    fault: 'image bombs',
    holds: 'bytes, then pixels of the header, one frame, a process with bounded memory',
    tests: {
      'http/protocol/images.test.ts': [
        'is refused by its header, before anything decodes it',
        'small files of many large rows count as what they become',
        'more than the queue holds are refused before they are decoded',
      ],
      'http/protocol/hostile-process.test.ts': [
        'pictures that say they are enormous are refused by their headers',
        'pictures that say they are small and are not are found broken',
      ],
      'http/protocol/image-process.test.ts': [
        'a decoder that dies is replaced, and costs no request',
      ],
    },
  },
  Q6: {
    fault: 'a client that hangs up',
    holds: 'its places are free at once, and its rows are not run',
    tests: {
      'http/load/overload.test.ts': [
        'clients that hang up free what they held: the places in the queue, and those of requests at once',
      ],
      'unit/server/queue/batcher.test.ts': [
        'leaves its place when its client hangs up, and is not run',
      ],
    },
  },
  Q7: {
    fault: 'smuggling, double lengths, huge headers',
    holds: 'refused in one string, or closed',
    tests: {
      'http/protocol/hostile-process.test.ts': [
        'what is no HTTP is refused in one string, or closed, as the table says',
      ],
      'http/protocol/limits-at-work.test.ts': [
        'whose headers are larger than the limit is answered 431 in one string',
      ],
    },
  },
  Q8: {
    fault: 'ids of clients in logs, labels and traces',
    holds: 'at most 128 printable characters, never a label',
    tests: {
      'http/server/errors.test.ts': ['a value of the client is echoed short', '%s'],
      'http/metrics/series.test.ts': [
        'the worst legal configuration, 16 exits on both tracks and every refusal, stays under 2,000 series',
      ],
      'unit/server/http/traceparent.test.ts': ['%s names no trace'],
    },
  },
  Q9: {
    fault: 'JSON with __proto__, depth, 1e400, duplicates',
    holds: 'read as JSON.parse reads it, within limits that it does not have',
    tests: {
      'unit/server/core/json/json-reader.test.ts': [
        'is read as JSON.parse reads it, in slices of any size',
        'with a change anywhere is read or refused as JSON.parse does',
        'depth counts lists and objects, in tensors and in what nobody reads',
      ],
      'http/protocol/hostile-process.test.ts': [
        'a compressed body that is nested a million deep is refused before it is parsed',
      ],
    },
  },
  Q10: {
    fault: 'paths that lead out, by dots, links, percent signs or NUL',
    holds: 'they reach no file; links of a claim stay inside; weights in other files are seen',
    tests: {
      'http/protocol/hostile-process.test.ts': [
        'paths that lead out of their folder reach no file, on either port',
      ],
      'http/server/backbone-ways.test.ts': [
        'may be reached by a link inside the claim, never by one that leads out',
        'is refused when its %s is a link that leads out: %s',
      ],
      'http/server/fetch-tfjs.test.ts': ['that is no model, or names files elsewhere, is refused'],
      'unit/server/core/onnx/read-model.test.ts': [
        'weights in other files, packed dims, functions and sparse weights are seen',
      ],
    },
  },
  Q11: {
    fault: 'server-side request forgery',
    holds: 'hosts of a list, every address checked once, redirects again',
    tests: {
      'http/server/fetch-backbone.test.ts': [
        'a name that leads to %s',
        'a name with one private address among public ones',
        'a name server that answers differently the second time is asked once',
        'a host that is not in the list, also when a listed one redirects to it',
      ],
      'unit/server/net/address-class.test.ts': ['%s is %s'],
    },
  },
  Q12: {
    fault: 'secrets in outputs',
    holds: 'no message, log or status shows one',
    tests: {
      'http/stores/transfer.test.ts': [
        'S3 is asked with a signature, and never with the key itself',
        'a Secret with %o is told by its key, not by its value',
      ],
      'http/server/fetch-backbone.test.ts': ['and signatures never stand in a message'],
      'http/stores/upload.test.ts': [
        'for good is given up after as many pauses as there are, with its last words and no secret',
      ],
      'cluster/stores/stores.test.ts': ['refuses a wrong password, and no message shows any'],
      'unit/operator/kube/client.test.ts': [
        'an error is one line without headers or token, also from a proxy that speaks HTML',
      ],
      'faults/secrets/secrets.test.ts': [
        'are in none of its logs, metrics, objects, events, answers and archives',
      ],
    },
  },
};
