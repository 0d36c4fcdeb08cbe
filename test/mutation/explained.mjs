// Mutants that no test can kill, since nothing that anybody sees differs. `line`: of the source, trimmed; `to`: what the mutant puts there.

export const EXPLAINED = [
  {
    file: 'server/core/decide.ts',
    line: 'if (lambdaIndex === null) return -1;',
    to: 'false',
    why: 'a null index finds no threshold, and nothing leaves above infinity: the mode is checked twice',
  },
  ...['false', 'true', 'score >= THRESHOLDS[end - 1]!'].map((to) => ({
    file: 'server/core/decide.ts',
    line: 'if (!(score > THRESHOLDS[end - 1]!)) return end;',
    to,
    why: 'a shortcut: the search behind it gives the same index',
  })),
  {
    file: 'server/core/breaker.ts',
    from: 'sum / s.length >= LEVEL',
    to: 'sum / s.length > LEVEL',
    why: 'a mean of products of logarithms is not 100,000 to the last bit',
  },
  {
    file: 'server/core/breaker.ts',
    from: 'binomialLower(disagreements, audits, STRATUM_DELTA) > limit',
    to: 'binomialLower(disagreements, audits, STRATUM_DELTA) >= limit',
    why: 'the root of a tail is not the limit to the last bit',
  },
  ...["'Stryker was here!'", 'planned.bundle.heads[at.exit].exit'].map((to) => ({
    file: 'server/safety.ts',
    line: "const exit = planned.bundle.heads[at.exit]?.exit ?? '';",
    to: to.replaceAll("'", '"'),
    why: 'an exit that answered is one of the bundle; the other case is for the compiler',
  })),
  {
    file: 'server/safety.ts',
    from: 'exit >= 0',
    to: 'true',
    why: 'a row that no head answered disagrees with nobody, and counts in a class of no exit',
  },
  ...['[]', 'cuts.get(headRevision) ?? []', 'bursts.get(key) ?? []'].map((from) => ({
    file: 'server/safety.ts',
    from,
    to: '["Stryker was here"]',
    why: 'an entry without a time is never recent, one without an exit never named',
  })),
  {
    file: 'server/safety.ts',
    line: 'if (track === null || track === undefined || policy === null) return [];',
    why: 'a track that has the asked head revision is one, and stands in a policy: the line is for the compiler',
  },
  {
    file: 'operator/lifecycle/alarm.ts',
    line: 'if (stable === null || detector === null) return draft;',
    from: 'stable === null',
    why: 'no stable has no detector either: the check is for the compiler',
  },
  {
    file: 'operator/lifecycle/alarm.ts',
    from: 'watched === null',
    why: 'where no heads are watched, counting keeps no lost audits: the check is for the compiler',
  },
  {
    file: 'crds/wire/policy.ts',
    from: "'custom'",
    why: 'nobody reads the code of a finding: a refusal has path and message',
  },
  ...['epoch', 'revision'].map((field) => ({
    file: 'crds/wire/policy.ts',
    from: `a.${field} < b.${field}`,
    to: `a.${field} <= b.${field}`,
    why: 'equal ones never come to this comparison',
  })),
  {
    file: 'operator/plan/discover-exits.ts',
    from: 'ordered.length <= MAX_DISCOVERED',
    to: 'ordered.length < MAX_DISCOVERED',
    why: 'spread over as many places as there are cuts, each cut is taken',
  },
  ...['/^-|-+$/g', '/^-+|-$/g'].map((to) => ({
    file: 'operator/plan/discover-exits.ts',
    from: '/^-+|-+$/g',
    to,
    why: 'a run of other characters is one dash already',
  })),
  {
    file: 'server/core/certificate.ts',
    line: 'const areOrdered = disagreements >= 0 && disagreements <= audits * rowUnits;',
    why: 'the tail of as many disagreements as audits, or more, is 1 and certifies nothing: the check says so early',
  },
  {
    file: 'server/core/certificate.ts',
    line: 'dispersion < Infinity &&',
    why: 'an infinite dispersion leaves no audits, and none certify nothing',
  },
  ...['1 / 1680 - (1 / 1188 - 691 / 360360 / n2) / n2', '1 / 1188 - 691 / 360360 / n2'].map(
    (from) => ({
      file: 'server/core/binomial.ts',
      from,
      why: 'from n = 16 on, where the series begins, these terms are below the 1e-12 that is promised',
    }),
  ),
  {
    file: 'server/core/binomial.ts',
    from: 'Math.abs(x - m) >= 0.1 * (x + m)',
    to: 'Math.abs(x - m) > 0.1 * (x + m)',
    why: 'at the border both forms give the same',
  },
  ...['i > 0', 'i < n', 'term > NEGLIGIBLE * sum'].map((from) => ({
    file: 'server/core/binomial.ts',
    from,
    why: 'the term behind the last one is 0, which is negligible, and one of exactly the bound is too',
  })),
  ...['ratio === 0', 'ratio === 1'].map((from) => ({
    file: 'server/core/binomial.ts',
    from,
    to: 'false',
    why: 'the sums give the same: all terms but one are 0',
  })),
  ...['k <= n * ratio', 'k >= n * ratio'].map((from) => ({
    file: 'server/core/binomial.ts',
    from,
    to: from.replace('=', ''),
    why: 'at the mean both sums converge',
  })),
  ...['k === n', 'k === 0'].map((from) => ({
    file: 'server/core/binomial.ts',
    from,
    to: 'false',
    why: 'the bracket closes at 1, or at 0, to the last bit',
  })),
  ...[
    'start: (k + 1) / (n + 1),',
    'start: k / (n + 1),',
    'slope: (ratio) => (-(n - k) / (1 - ratio)) * probability(k, n, ratio),',
    'slope: (ratio) => (k / ratio) * probability(k, n, ratio),',
    'for (let step = 0; step < MAX_STEPS && moved > STEP_TOLERANCE * ratio; step++) {',
    'if (value > target === isRising) high = ratio;',
    'const newton = ratio - (value * Math.log(value / target)) / slope(ratio);',
    'const next = newton > low && newton < high ? newton : (low + high) / 2;',
    'moved = Math.abs(next - ratio);',
  ].map((line) => ({
    file: 'server/core/binomial.ts',
    line,
    why: 'a worse step costs time: the bracket, halved, comes to the same root, and what goes on after it stays there',
  })),
];
