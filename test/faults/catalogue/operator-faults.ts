import type { FaultRows } from './fault-row.ts';

/** The operator and the API server. */
export const OPERATOR_FAULTS: FaultRows = {
  O1: {
    fault: 'the operator dies between any two calls',
    holds: 'its successor ends the same way, with the same counts; no half policy is seen',
    tests: {
      'faults/sim/converges.test.ts': ['whichever call: %s'],
      'faults/loop/crashes.test.ts': [
        'an operator that dies %s it has written %s has a successor that ends the same way',
      ],
      'faults/loop/crashes.long.ts': [
        'whichever write: an operator that dies %s it has a successor that ends the same way',
      ],
      'cluster/service/asks-on-node.test.ts': [
        'SeldonIO/seldon-core#5032 status is true after operator and pods died',
      ],
    },
  },
  O2: {
    fault: 'the operator is frozen past its Lease, and thaws',
    holds: 'its own monotonic clock ends its leadership before any write',
    tests: {
      'unit/operator/kube/lease-elector.test.ts': [
        'that was frozen finds itself without the Lease before it could write, and writes nothing',
      ],
      'cluster/operator/process.test.ts': [
        'that was frozen past its Lease writes nothing when it thaws, and ends',
      ],
    },
  },
  O3: {
    fault: 'two leaders, or a second installation over one namespace',
    holds:
      'a policy is stored before it is pushed; one writer’s end state, no flapping; objects of another installation are not written',
    tests: {
      'faults/sim/ownership.test.ts': [
        'end with one policy: one stores a change, the other goes on with it or steps back',
        'stood in the API server before any pod saw it',
        'writes nothing but that the service is contested when it has one already',
      ],
      'faults/loop/rollout-faults.test.ts': [
        'two operators at once in a ramp: pods follow one of them, nothing counts twice, and the ramp ends',
      ],
      'http/server/policy.test.ts': [
        'a higher pair is applied, an equal one already applied, a lower one stale',
      ],
      'cluster/service/conditions-of-specs.test.ts': [
        'that another installation wants too says so, until that one may write',
      ],
    },
  },
  O4: {
    fault: 'the Lease is deleted, edited or of another time',
    holds: 'takeover within lease and retry by own clocks; an epoch is one above every epoch seen',
    tests: {
      'unit/operator/kube/lease-elector.test.ts': [
        'of a dead leader changes hands within the lease and one retry, and counts it',
        'is never taken before it stood still for a whole lease, whatever its times say',
        'whose duration somebody set to a year is taken after our lease all the same',
        'whose Lease is deleted makes it again and goes on counting where it was',
        'two candidates under any faults never lead at once',
      ],
      'unit/operator/controllers/decide-policy.test.ts': [
        'a claim is one above every epoch seen, wherever it was seen',
      ],
      'cluster/kube/lease-elector.test.ts': [
        'is lost at once when somebody writes another holder into the Lease, and kept when it is deleted',
      ],
    },
  },
  O5: {
    fault: 'a watch is cut, or open and silent',
    holds: 'found by the idle time-out at the latest; relisted; no change is lost',
    tests: {
      'unit/operator/kube/reflector.test.ts': [
        'that is silent for 75 s is ended and the list is read again',
      ],
      'cluster/kube/reflector.test.ts': [
        'loses no change to a connection that is reset, nor to one made while it was away',
        'finds out about a connection that is open and silent, and catches up',
      ],
    },
  },
  O6: {
    fault: 'the version of a watch expires, as an event or as a status',
    holds:
      'a list and a comparison by UID; deletions are told; nothing is decided before caches are full',
    tests: {
      'unit/operator/kube/reflector.test.ts': [
        'whose version expired is followed by a list at once, and the list is compared, not repeated',
        'tells of an object that replaced another of its name as gone and then there',
      ],
      'cluster/kube/reflector.test.ts': [
        'lists again when its version expired %s, and tells what went meanwhile',
      ],
      'cluster/kube/outages.test.ts': [
        'a version that was compacted before a restart expires, and the reflector lists again',
      ],
      'cluster/operator/process.test.ts': [
        'leads, is ready with full caches, and makes the identity once',
      ],
    },
  },
  O7: {
    fault: 'the store goes back in time',
    holds: 'versions are compared for equality only; a pod that acknowledges more raises the epoch',
    tests: {
      'unit/operator/kube/reflector.test.ts': [
        'takes an older version like any other: a restored store goes back in time',
      ],
      'faults/sim/staleness.test.ts': [
        'a store that goes back in time ends as its restored spec says, above what pods have, seed %i',
      ],
      'faults/sim/ownership.test.ts': [
        'goes above what a pod acknowledges when the store went back in time',
      ],
      'faults/sim/walks.long.ts': ['after its store went back in time, seed %i'],
      'cluster/controllers/restored-store.test.ts': [
        'the service is again what its restored spec says, by a policy above all that pods have, and what came later is gone',
      ],
    },
  },
  O8: {
    fault: 'a list or a cache is stale: an API server that lost etcd',
    holds: 'deletions and writes carry UID and version; a successor is never written',
    tests: {
      'unit/operator/kube/apply.test.ts': [
        'never brings an object back to life, nor touches its successor',
        'under a condition loses to whoever wrote first',
      ],
      'faults/sim/staleness.test.ts': [
        'a process that starts on an API server which lags %i writes behind, and may die there, ends the same',
      ],
      'cluster/kube/outages.test.ts': [
        'a second API server that lost etcd never lies to a list, is silent to a watch, and is caught up with',
      ],
    },
  },
  O9: {
    fault: '429, 500, 503, 504, refused or broken connections, an expired certificate',
    holds:
      'Retry-After is kept; each object backs off with jitter; one bucket bounds all; others go on',
    tests: {
      'unit/operator/kube/client.test.ts': [
        'the wait that a refusal asks for is kept when it is %s',
        'a reset, a refused connection and an answer without JSON are no answers',
      ],
      'unit/operator/kube/work-queue.test.ts': [
        'brings its key back after 1 s, then 2, up to 60, and success starts anew',
        'is spread by up to half its wait, so that keys that failed together do not return together',
        'of one key delays no other',
      ],
      'unit/operator/kube/token-bucket.test.ts': [
        '30 calls may start at once, then 20 a second, in the order in which they came',
      ],
      'faults/sim/repairs.test.ts': [
        'for being busy is left alone for as long as it asks',
        'one kind stops nothing else, is named, and is asked again every five minutes',
      ],
      'cluster/kube/reflector.test.ts': ['waits as long as it is told, then goes on'],
      'cluster/operator/expired-certificate.test.ts': [
        'is told no word: the operator says what is wrong, alive and not ready, and leads once it is renewed',
        'costs the leader its Lease and nothing else: services stay as they are, and the next one takes over',
      ],
    },
  },
  O10: {
    fault: 'a write is done and its answer lost',
    holds: 'read before repeating; names are deterministic: never a twin',
    tests: {
      'faults/sim/converges.test.ts': ['whichever write: %s'],
      'unit/operator/kube/apply.test.ts': [
        'whose write was done but not answered finds the object as it wanted it',
      ],
      'cluster/kube/writes.test.ts': [
        'a create and an apply whose answers were lost exist once, and reading shows it',
      ],
    },
  },
  O11: {
    fault: '409 on every write for a minute',
    holds: 'less than a write a second for an object; converges after it',
    tests: {
      'faults/sim/repairs.test.ts': [
        'every write with 409 for a minute is not asked more than once a second',
      ],
      'faults/sim/progress.test.ts': [
        'a rival that writes its own fields at full speed keeps nobody from being served',
      ],
    },
  },
  O12: {
    fault: 'etcd is killed',
    holds: 'converges when it is back; pods are unaffected',
    tests: {
      'cluster/controllers/outages.test.ts': [
        'etcd that is killed and comes back: what changed before is served, and nothing is made twice',
      ],
    },
  },
  O13: {
    fault: 'the API server is away for ten minutes',
    holds: 'servers and exits go on; one relist per kind on its return',
    tests: {
      'faults/loop/rollout-faults.test.ts': [
        'the API server away for ten minutes in a ramp: pods serve on, and the ramp ends as if nothing had been',
      ],
      'cluster/kube/outages.test.ts': [
        'an API server that was dead is listed once per kind on its return, and nothing is lost',
      ],
      'http/server/safety.test.ts': [
        'keeps stable exits with 299 own audits, but the candidate’s share ends',
      ],
    },
  },
  O14: {
    fault: 'the definition is deleted, and restored',
    holds:
      'no crash, no spin; resumes without a restart. The services are gone: a policy of admission prevents it',
    tests: {
      'faults/sim/repairs.test.ts': [
        'and comes back neither ends the process nor keeps a new service from being served',
      ],
      'cluster/kube/outages.test.ts': [
        'a deleted definition takes its objects along, and its return is noticed without a restart',
      ],
      'cluster/chart/admission.test.ts': ['a definition goes only once it is annotated for it'],
    },
  },
  O15: {
    fault: 'the definition is narrower, wider or without our version',
    holds: 'the operator goes on and says what it misses; a released field is never dropped',
    tests: {
      'cluster/controllers/outages.test.ts': [
        'that lost a field: Valid is False, what runs goes on, and the right one brings all back',
        'that has a field more: the operator goes on, and a service that uses it is told so and runs on',
        'without our version: what runs goes on, and so does the operator once it is back',
      ],
      'unit/charts/definition-changes.test.ts': [
        'a field that goes is a change, a new one is not, nor one that goes where all are kept',
      ],
    },
  },
  O16: {
    fault: 'an invalid object that got past the rules',
    holds:
      'the controller repeats every rule, the last good state serves, and no JSON ends the process',
    tests: {
      'cluster/api/agreement.test.ts': [
        'judge every rule between fields alike',
        'judge every bound of every field of both specs alike',
      ],
      'cluster/api/stripped-rules.test.ts': [
        'are refused by the reader with the words of the API server',
      ],
      'cluster/service/conditions-of-specs.test.ts': [
        'stored past CEL is told by our own parser, and what runs goes on until it is mended',
      ],
      'faults/sim/repairs.test.ts': [
        '%s leaves what runs alone, says why, and the good one recovers',
      ],
    },
  },
  O17: {
    fault: 'a finalizer that nobody takes away',
    holds: '',
    impossible: 'none is set; the garbage collector removes children',
  },
  O18: {
    fault: 'owner or namespace is deleted at any stage',
    holds: 'nothing is made under a deletion; 403 in a namespace that ends is final',
    tests: {
      'faults/sim/ownership.test.ts': [
        'nothing is left of a deleted service, at whatever stage it goes',
        'a service that is being deleted is written no more, also while something holds it back',
        'in a namespace that ends the operator neither makes anything nor spins',
      ],
      'cluster/kube/writes.test.ts': [
        'a child goes with its owner',
        'nothing can be created in a namespace that is going, and the error says why',
      ],
    },
  },
  O19: {
    fault: 'a child is edited or deleted by hand',
    holds:
      'restored in 10 s, fields of others untouched; the fifth time in ten minutes is told and waited out; an edited lambda never serves',
    tests: {
      'faults/sim/repairs.test.ts': [
        'of %s is put right within 10 s',
        'again and again is put right five times, then told and left for five minutes',
      ],
      'cluster/controllers/basic-service.test.ts': [
        'becomes Ready from the sample, rests, is repaired within 10 s and leaves nothing behind',
      ],
      'cluster/kube/writes.test.ts': [
        'a child edited by hand is put back, fields of others are left',
      ],
      'http/reload/policies.test.ts': ['%s, for stable', '%s: the whole document is refused'],
    },
  },
  O20: {
    fault: 'an object of somebody else has the name of a child',
    holds: 'not adopted, named in the status',
    tests: {
      'faults/sim/ownership.test.ts': [
        '%s %s is never written, is named, and its place is taken once it is gone',
      ],
      'cluster/kube/writes.test.ts': [
        'a foreign object of that name is neither changed nor adopted',
      ],
    },
  },
  O21: {
    fault: 'a rule of the Role is taken away',
    holds: 'the condition names verb and kind; other objects go on',
    tests: {
      'faults/sim/repairs.test.ts': [
        'one kind stops nothing else, is named, and is asked again every five minutes',
      ],
      'cluster/service/conditions.test.ts': ['the verb that the operator lacks, as Forbidden'],
    },
  },
  O22: {
    fault: '1,000 services with 10,000 pods',
    holds: 'memory and the time from spec to write stay bounded',
    tests: {
      'cluster/kwok.test.ts': ['a hundred pods with accelerators become ready on fake nodes'],
      'unit/operator/lifecycle/ledger.test.ts': [
        'of a service with 1,000 pods and 16 exits fits a ConfigMap, at its largest',
      ],
      'unit/operator/fleet/held-windows.test.ts': [
        'stay with their server, whose pod is heard all the same',
      ],
    },
    open: 'a bench made them (a change p99 0.3 s), but memory was over its bound meanwhile, and with traffic no run has reached its end since',
  },
  O23: {
    fault: 'the operator is up- or downgraded in a rollout',
    holds: 'goes on or aborts; an unknown schema keeps the old policy; no pod template changes',
    tests: {
      'unit/operator/plan/choose-template.test.ts': [
        'with another template version changes no pod',
        'after a downgrade the template of the newer operator stays',
      ],
      'unit/operator/plan/policy-version.test.ts': [
        'what a certificate is for came with version 3: older readers never see it, older ledgers are completed',
      ],
      'unit/crds/wire/policy.test.ts': [
        'size, depth, duplicate keys, __proto__ and unknown schemas are refused before the fields',
      ],
      'cluster/plan/children.test.ts': ['keep the template of a newer operator to the letter'],
      'cluster/service/asks.test.ts': [
        'kserve/kserve#5085 a new release of the operator, with other defaults, changes no pod',
      ],
    },
  },
  O24: {
    fault: 'a Secret or ConfigMap that the spec names vanishes',
    holds: 'the condition comes from what pods wait for; no Secret is watched',
    tests: {
      'faults/sim/repairs.test.ts': [
        'that names a ConfigMap recovers within 40 s once that is there',
      ],
      'cluster/service/conditions.test.ts': [
        'missing Secret of a volume: which pod does not begin, and where its name stands',
      ],
      'cluster/service/asks.test.ts': [
        'kserve/kserve#3724 the operator reads no Secret but its own identity, whatever services name',
      ],
    },
  },
  O25: {
    fault: 'the ledger or the policy is deleted or garbled',
    holds:
      'counts and watermarks begin together again; a policy is written anew at a higher pair; exits never widen',
    tests: {
      'faults/loop/rollout-faults.test.ts': [
        'the ledger %s in a ramp while no operator runs: exits go off, and a new certificate brings exits back',
      ],
      'faults/sim/ownership.test.ts': [
        'is stored again when it was %s, never below what pods have',
      ],
      'unit/operator/lifecycle/ledger.test.ts': ['with %s is refused whole'],
    },
  },
  O26: {
    fault:
      'a trainer fails, is late, dies, runs twice or offers other bytes; the operator dies while it takes over',
    holds:
      'the trainer writes nothing to the API; bundle and digest are verified before the revision; names are deterministic',
    tests: {
      'faults/loop/requests.test.ts': [
        'a training that fails is repeated by its Job, told, and asked for again after its cooldown',
      ],
      'faults/loop/reasons.test.ts': ['a trainer that never ends: the deadline of its Job ends it'],
      'faults/loop/crashes.test.ts': [
        'an operator that dies %s it has written %s has a successor that ends the same way',
      ],
      'unit/operator/fleet/fleet.test.ts': [
        'gives a bundle that is believed only under its own digest',
      ],
      'unit/operator/controllers/cache-head-revision/controller.test.ts': [
        'is removed after ten minutes, no sooner',
      ],
      'unit/operator/trainer/trainer-process.test.ts': [
        'says why it failed, in one sentence without a stack, and has no bundle',
      ],
    },
  },
};
