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
];
