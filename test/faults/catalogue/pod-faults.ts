import type { FaultRows } from './fault-row.ts';

/** Pods of the model server. */
export const POD_FAULTS: FaultRows = {
  P1: {
    fault: 'a pod is killed',
    holds:
      'others answer; what was in flight fails by its connection, never wrongly; heads that end pods are remembered',
    tests: {
      'faults/server/killed-pod.test.ts': [
        'the others answer on, what was in flight fails by its connection and never wrongly, and no engine is left behind',
      ],
      'faults/loop/first-pod.test.ts': ['heads that end their first pods never come to the others'],
      'unit/operator/lifecycle/shadowing.test.ts': [
        'takes heads back that pods crash on twice within two minutes of loading them',
      ],
      'cluster/node.test.ts': [
        'kills a container that takes more memory than its limit, and says OOMKilled',
      ],
    },
  },
  P2: {
    fault: 'a stored policy ends the process',
    holds: 'the third start skips it: backbone alone, reported',
    tests: {
      'http/reload/poison-policy.test.ts': [
        'a mounted policy that ended the process twice is skipped at the third start: the backbone answers, and the next policy applies',
      ],
    },
  },
  P3: {
    fault: 'a pod is slow',
    holds: 'tracks are compared on one pod: the candidate is not blamed',
    tests: {
      'faults/loop/rollout-faults.test.ts': [
        'a pod that stalls again and again in a ramp is slow on both tracks: the candidate is not blamed, and the ramp ends',
      ],
      'unit/operator/lifecycle/ramping.test.ts': [
        'of %s leaves out a pod on which stable breaks the limit too',
      ],
    },
  },
  P4: {
    fault: 'NaN or infinity',
    holds:
      'of a head: the row runs to the end, a burst cuts the exit before the next batch. Of the backbone: passed on exactly, never evidence, and its known answer says whose fault it is',
    tests: {
      'http/server/safety.test.ts': [
        'send the row to the end; ten in a minute cut the exit until the next revision',
        'and gives its known answer goes on: it was the input',
        'and no longer gives it is not ready until another host does',
      ],
      'unit/server/core/decide.test.ts': [
        'a score of %s sends the row to the end although a later head is sure',
      ],
      'http/protocol/limits-at-work.test.ts': [
        'pass through binary tensors bit by bit, and are null in JSON',
      ],
      'http/server/evidence.test.ts': [
        'rows without a finite backbone answer are neither evidence nor lost',
      ],
    },
  },
  P5: {
    fault: 'evidence that is garbage',
    holds: 'one bad value drops its window: no data, never other data',
    tests: {
      'unit/crds/wire/evidence.test.ts': [
        'an answer that differs in one field is refused, drops the window, or is read as it stands',
        'an answer with damaged characters is refused, drops the window, or is read as it stands',
        'an answer that is no JSON, has a wrong frame or speaks for another pod is refused whole',
      ],
      'unit/operator/fleet/fleet-store.test.ts': [
        'when one window breaks a law: that window alone is dropped, and told',
      ],
      'unit/operator/fleet/pod-client.test.ts': ['a compressed bomb: nothing is ever inflated'],
      'unit/operator/stats/merge-evidence.test.ts': [
        'gives the same rows and watermarks for any order and multiplicity of the windows',
      ],
    },
  },
  P6: {
    fault: 'one pod is wrong and denies every disagreement',
    holds: 'it does not speak for others: a certificate holds with and without it',
    tests: {
      'faults/loop/promises.test.ts': [
        'a pod that denies every disagreement is named, and lambda is what the other pods prove',
      ],
      'unit/operator/lifecycle/flagged-pods.test.ts': [
        'one of 5 pods that denies everything while the others are at 1.6 budgets certifies nothing',
        'of 10 honest pods at most one in a hundred certificates has one that stands out',
      ],
    },
  },
  P7: {
    fault: 'a pod acknowledges what it did not apply',
    holds: 'known answers tell: no candidate goes past staging',
    tests: {
      'faults/loop/requests.test.ts': [
        'a pod that lies about its heads proves nothing: no candidate goes past staging',
      ],
      'unit/operator/lifecycle/shadowing.test.ts': [
        'says once which pod gives other known answers, and counts nothing of it',
      ],
    },
  },
  P8: {
    fault: 'a pod keeps an old policy',
    holds: 'the mount is the second way; the status names it, promotion waits',
    tests: {
      'cluster/service/conditions.test.ts': [
        'which pod refused the policy',
        'which pod does not answer on its admin port',
      ],
      'cluster/pods/running-pod.test.ts': [
        'a service answers through its address, and its pods take policies by push and by ConfigMap',
      ],
      'faults/loop/asks.test.ts': [
        'argoproj/argo-rollouts#4347 a share counts when every ready pod has acknowledged it',
      ],
    },
  },
  P9: {
    fault: 'the operator dies in a ramp',
    holds: 'the ramp goes on from its last stored step',
    tests: {
      'faults/loop/requests.test.ts': [
        'an operator that is killed again and again ends the same way, and counts no row twice',
      ],
      'faults/loop/seeded-loop.test.ts': [
        'an hour of faults, deaths and edits on the way to certified exits: policies stay lawful, and heads serve in the end',
      ],
      'faults/loop/crashes.long.ts': [
        'whichever write: an operator that dies %s it has a successor that ends the same way',
      ],
    },
  },
  P10: {
    fault: 'pods are replaced in a ramp',
    holds: 'a new pod serves stable until it holds the candidate',
    tests: {
      'faults/loop/rollout-faults.test.ts': [
        'pods that are replaced in the middle of a step load the candidate before the share goes on',
      ],
      'faults/server/rollout-under-load.long.ts': [
        'heads start, ramp, are aborted, promoted, rolled back and switched off, pods come, are replaced and deleted: no request fails',
      ],
      'http/server/policy.test.ts': [
        'that is not here yet leaves share 0, and joins when it is pushed',
      ],
      'cluster/loop/loop.long.ts': [
        'a second revision, trained by a Job of its own on younger rows, ramps to 100 % while pods join and leave, and no request fails',
      ],
    },
  },
  P11: {
    fault: 'the disk is full or read-only',
    holds: 'served from memory, and told',
    tests: {
      'http/reload/disk.test.ts': [
        '%s costs durability alone: heads are served from memory, and it is told',
      ],
    },
  },
  P12: {
    fault: 'clocks are apart, or jump',
    holds: 'sequence numbers and monotonic clocks decide',
    tests: {
      'http/reload/clock.test.ts': [
        'a wall clock that jumps by ten minutes back and forth changes nothing but text: order, deadlines, staleness and windows follow the monotonic clock',
      ],
    },
  },
  P13: {
    fault: 'evidence does not come for one period, or for ten',
    holds:
      'one holds; more than 1 % of audits lost voids the evidence; a silent operator leaves exits only where own audits are enough',
    tests: {
      'unit/operator/lifecycle/stages.test.ts': [
        'with %s evidence lets no more leave, and counts no row',
      ],
      'unit/operator/lifecycle/serving.test.ts': [
        'over ten ticks void the certificate, and the alarm count stays',
        'are those too that never came: half of what the rate demands',
        'of windows that are gone count as many as windows hold',
      ],
      'unit/operator/lifecycle/fleet.test.ts': ['that fall silent hold everything as it is'],
      'http/server/safety.test.ts': [
        'loses its exits when the server has too few audits of its own, and gets them back when he speaks',
      ],
    },
  },
  P14: {
    fault: 'the engine host dies, hangs or sends garbage',
    holds: 'the server lives, is not ready in 5 s, starts another; rows are not mixed up',
    tests: {
      'http/engine/supervision.test.ts': [
        '%s by %s: counted as %s',
        'and does not come back: not ready, 503 at the deadline, alive; back once it can load again',
      ],
      'http/server/safety.test.ts': [
        'is not ready after five seconds; requests wait until their deadline, then 503',
      ],
      'unit/server/engine/pending-calls.test.ts': [
        'an answer to nobody is dropped, one to a call goes to that call alone',
      ],
      'cluster/pods/running-pod.test.ts': ['a pod outlives its engine, without a restart'],
    },
  },
  P15: {
    fault: 'a row that ends the engine host',
    holds: 'tried again once, alone; then refused by its content for ten minutes',
    tests: {
      'http/server/safety.test.ts': [
        'costs no request: rows in flight are run again, alone, on the backbone',
        'with a row that ended it twice refuses the row, and serves all others',
      ],
      'unit/server/queue/queue.test.ts': [
        'a poison row is refused for ten minutes, by content',
        'the poison list is bounded: the oldest entry goes',
      ],
    },
  },
  P16: {
    fault: 'heads are pushed cut, slowly, repeatedly, with a wrong digest, too large',
    holds: 'invisible until verified; once by digest',
    tests: {
      'http/reload/policies.test.ts': [
        'that is cut is not there, and the next one is whole',
        'by many at once is kept once',
        'over the cap is refused before it is read',
        'does not hold up requests',
      ],
      'http/protocol/digests.test.ts': [
        'under the digest of other bytes are refused and stay invisible, under their own they serve',
      ],
    },
  },
  P17: {
    fault: 'the mounted directory is swapped while it is read',
    holds: 'a policy never finds the heads of another one',
    tests: {
      'http/reload/mounted.test.ts': [
        '10,000 swaps of the mounted directory under readers: a policy never finds the heads of another one',
      ],
      'unit/operator/plan/pod-template.test.ts': [
        'mounts nothing by subPath, since that is never refreshed',
      ],
    },
  },
};
