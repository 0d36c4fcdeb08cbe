import type { FaultRows } from './fault-row.ts';

/** What model servers are tested for elsewhere (Triton's QA, TensorFlow Serving). */
export const SERVER_LIST: FaultRows = {
  T1: {
    fault: 'rank, dimensions, missing, duplicate and extra inputs',
    holds: '400 with the reason',
    tests: {
      'http/protocol/tensors.test.ts': [
        'is read as its shape and type say, or refused with a code of 400',
      ],
      'http/server/errors.test.ts': ['%s'],
    },
  },
  T2: {
    fault: 'byte lengths that do not fit, shapes beyond 2^53',
    holds: '400, and the server lives',
    tests: {
      'http/protocol/tensors.test.ts': [
        'is read as its shape and type say, or refused with a code of 400',
        'leaves the server as it was',
      ],
      'unit/crds/wire/codecs.test.ts': [
        'a shape whose product is zero, negative, broken or beyond 2^53 has no count',
      ],
    },
  },
  T3: {
    fault: 'bodies just under and over the limit, in every form',
    holds: 'the limit is kept to the byte and named',
    tests: {
      'http/protocol/limits-at-work.test.ts': [
        'in JSON may be the limit, and not one more',
        'as binary %s may be the limit, whatever its elements become',
      ],
      'http/protocol/compression.test.ts': [
        '%s: it may become a multiple of the body limit, and not a byte more',
      ],
    },
  },
  T4: {
    fault: '65,536 chunks of one byte',
    holds: 'one body; memory is bounded',
    tests: {
      'http/protocol/hostile-process.test.ts': ['65,536 pieces of one byte are one body'],
      'http/protocol/large-bodies.test.ts': [
        'is bounded however many come at once: those that do not fit are answered 429 and told when to come again',
      ],
    },
  },
  T5: {
    fault: 'JSON 32 and 33 levels deep',
    holds: 'the first is read, the second refused before it is parsed',
    tests: {
      'http/protocol/limits-at-work.test.ts': [
        'may be nested 32 levels deep, and 33 are refused before they are parsed',
      ],
    },
  },
  T6: {
    fault: 'numbers of headers out of range',
    holds: '400',
    tests: {
      'http/protocol/limits-at-work.test.ts': [
        'Inference-Header-Content-Length %s is 400',
        'request-timeout %s is 400',
      ],
    },
  },
  T7: {
    fault: 'gzip, deflate, br, unknown codings, bombs',
    holds: 'read, or 415; a bomb is refused',
    tests: {
      'http/protocol/compression.test.ts': [
        'is read as it was before',
        'the coding %s is 415 and says which are read',
      ],
      'http/protocol/hostile-process.test.ts': [
        'fifteen bodies of %s that become 66 MiB are refused, holding few at a time',
      ],
    },
  },
  T8: {
    fault: 'outputs that are no finite numbers',
    holds: 'exact in binary, null in JSON, counted',
    tests: {
      'http/protocol/limits-at-work.test.ts': [
        'pass through binary tensors bit by bit, and are null in JSON',
      ],
      'http/server/metrics.test.ts': [
        'traffic moves the figures by the right amounts, and they agree with the evidence',
      ],
    },
  },
  T9: {
    fault: 'a load that fails',
    holds: 'what was loaded goes on',
    tests: {
      'http/reload/policies.test.ts': ['one of %s is refused, on either track'],
      'http/server/policy.test.ts': ['a plan that the engine refuses'],
    },
  },
  T10: {
    fault: 'swaps under load',
    holds: 'no request fails, and every answer is of exactly one snapshot',
    tests: {
      'http/server/policy.test.ts': [
        '20 swaps under load: no error, and every answer is of exactly one snapshot',
      ],
      'http/reload/swaps.test.ts': [
        '100 swaps of heads under load fail no request, mix no answers, and leave nothing behind',
      ],
    },
  },
  T11: {
    fault: 'thousands of swaps with many clients',
    holds: 'no request fails, memory stays flat',
    tests: {
      'http/reload/swaps.long.ts': [
        '5,000 swaps under load fail no request, and memory stays flat',
      ],
    },
  },
  T12: {
    fault: 'the end with work in flight, in a load, in a swap, with idle connections',
    holds: 'what is under way is answered, and the end comes',
    tests: {
      'http/lifecycle/drain.test.ts': [
        'what is under way when the drain begins is answered; what comes then is refused with where to go',
        'what does not end within the timeout is cut off, and the end comes all the same',
      ],
      'http/lifecycle/signals.test.ts': [
        'SIGTERM under open-loop load over many kept connections: none fails, and all of them are told to close',
      ],
      'http/lifecycle/start.test.ts': ['a signal during the start ends it without a delay'],
    },
  },
  T13: {
    fault: 'paths out of the folder',
    holds: 'they reach no file',
    tests: {
      'http/protocol/hostile-process.test.ts': [
        'paths that lead out of their folder reach no file, on either port',
      ],
    },
  },
  T14: {
    fault: 'a wrong digest, then the right one',
    holds: 'refused, then loaded',
    tests: {
      'http/protocol/digests.test.ts': [
        'under the digest of other bytes are refused and stay invisible, under their own they serve',
        'of another digest is not served, of its own it is',
      ],
    },
  },
  T15: {
    fault: 'queue limit, deadline, cancellation',
    holds: '429, 504, and no work for nobody',
    tests: {
      'http/server/errors.test.ts': [
        'a queue without room is 429 at once, more rows than it ever has is 413',
        'past its deadline it is 504, and its place in the queue is free',
        'a client that hangs up leaves the queue',
      ],
      'http/load/overload.test.ts': [
        'a request whose deadline passes while it waits is 504, and is not run',
      ],
    },
  },
  T16: {
    fault: 'metrics of traffic and of revisions that go',
    holds: 'move by the right amount, vanish with their revision',
    tests: {
      'http/server/metrics.test.ts': [
        'traffic moves the figures by the right amounts, and they agree with the evidence',
        'series of a revision vanish with it, and lambda while exits are off',
      ],
      'http/metrics/series.test.ts': [
        'however often heads are replaced, the page tells of those in force alone',
      ],
    },
  },
  T17: {
    fault: 'a leak',
    holds: 'the slope of memory is flat, and an engine that leaks is caught by the same check',
    tests: {
      'http/reload/swaps.test.ts': ['the same check catches an engine that keeps %s nobody needs'],
      'http/reload/swaps.long.ts': [
        '5,000 swaps under load fail no request, and memory stays flat',
        'the same check catches an engine that keeps what nobody needs',
      ],
    },
  },
  T18: {
    fault: 'mixed traffic for long, with clients that break off',
    holds: 'no failure, nothing grows',
    tests: {
      'http/protocol/fuzz.long.ts': [
        'an hour of seeded changes to good requests of every route harms nothing',
      ],
      'http/load/overload.test.ts': [
        'clients that hang up free what they held: the places in the queue, and those of requests at once',
      ],
      'faults/soak/short-soak.long.ts': [
        'leaves nothing behind, fails no request, keeps nothing, and catches what does',
      ],
      'faults/soak/soak.long.ts': [
        'of two hours leaves nothing behind, fails no request, keeps nothing, and catches what does',
      ],
    },
  },
  T19: {
    fault: 'seeded damage to requests of every route',
    holds: 'no failure, no crash, bounded memory',
    tests: {
      'http/protocol/hostile-process.test.ts': [
        'seeded changes to good requests of every route never end in a failure',
      ],
      'http/protocol/fuzz.long.ts': [
        'an hour of seeded changes to good requests of every route harms nothing',
      ],
    },
  },
  T20: {
    fault: 'strangers at the admin port',
    holds: 'refused, by key and by right',
    tests: {
      'http/admin/rights.test.ts': [
        'with keys, the trainer may read samples and state, read and delete inputs, and nothing else by any spelling',
        'refuses every call of %s',
      ],
      'http/server/admin-tls.test.ts': [
        'two hundred failed handshakes leave the port answering',
        'a new leader, which knows only the root key, is let in at once',
      ],
      'cluster/pods/running-pod.test.ts': [
        'nobody without a key of the service is served on an admin port',
      ],
    },
  },
  T21: {
    fault: 'pipelining, wrong lengths, settings that change on open connections',
    holds: 'answered in order; the next request has the new settings',
    tests: {
      'http/protocol/hostile-process.test.ts': [
        'requests in one piece are answered in order, one byte at a time too',
      ],
      'http/protocol/limits-at-work.test.ts': [
        'change with the policy: the next request of an open connection has the new limit',
        'whose bytes stop being requests keeps the answers before them',
      ],
    },
  },
};
