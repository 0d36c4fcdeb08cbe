/** MUTATION.md: one row a target, then every survivor, explained or not. */
export function renderResults(results, targets) {
  const names = Object.keys(targets).filter((name) => name in results);
  const rows = names.map((name) => {
    const { date, mutants, killed, survivors } = results[name];
    const explained = survivors.filter(({ why }) => why !== null).length;
    const share = ((100 * killed) / mutants).toFixed(1);
    const least = targets[name].least === 1 ? 'all but explained' : '85 %';
    return `| ${name} | ${targets[name].mutate.map((file) => `\`${file}\``).join(', ')} | ${mutants} | ${killed} (${share} %) | ${explained} | ${survivors.length - explained} | ${least} | ${date} |`;
  });
  return `# Mutation testing

Every target is changed in small ways by Stryker's mutators, constants too, one at a time, and its tests must notice: \`npm run mutation\`, or
\`npm run mutation -- "exit comparison"\`; with \`--survivors\` only those below are asked again. A target takes seconds to minutes. Survivors are read: a
better test kills them, or \`mutation/explained.mjs\` says why nobody could tell. This page is written by the run.

| target | files | mutants | killed | survivors that change nothing | other survivors | wanted | run |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
${names.map((name) => renderSurvivors(name, results[name])).join('')}`;
}

function renderSurvivors(name, { survivors }) {
  if (survivors.length === 0) return '';
  const quote = (text) => `\`${text.replaceAll('`', "'").slice(0, 160)}\``;
  const lines = survivors.map(
    ({ file, at, from, to, why }) =>
      `- \`${file}:${at}\`: ${quote(from)} as ${quote(to)}${why === null ? '' : `: ${why}`}`,
  );
  return `\n## Survivors: ${name}\n\n${lines.join('\n')}\n`;
}
