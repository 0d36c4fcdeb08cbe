/** Rules as tables and figures call them. */
export const RULE_NAMES = {
  certified: 'Layercache, certified',
  ours: 'Layercache, calibrated score',
  selfXit: 'SelfXit: largest probability',
  selfXitHeads: 'SelfXit with its own heads',
  branchyNet: 'BranchyNet: entropy',
  gati: 'Gati-like: learned selector',
  apparate: 'Apparate: threshold per exit',
  patience: 'PABEE: patience, every head',
} as const;
