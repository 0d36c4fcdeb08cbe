// Bills of materials in CycloneDX (specification 1.6): cyclonedx-npm describes every installed package, an image's bill
// keeps those that the image holds. Neither time nor serial number is written: the same files give the same bytes.
import { Buffer } from 'node:buffer';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { manifestOf } from './image-contents.mjs';

const MIB = 1024 * 1024;

/** Every package that is installed for a project, in the project's folder. */
export async function describePackages(project = '.') {
  const flags = ['--output-reproducible', '--flatten-components', '--spec-version', '1.6'];
  const { stdout } = await promisify(execFile)(
    resolve('node_modules', '.bin', 'cyclonedx-npm'),
    [...flags, '--output-format', 'JSON', '--no-validate'],
    { cwd: project, maxBuffer: 64 * MIB },
  );
  return JSON.parse(stdout);
}

/** `held` are folders of packages that the image has as such or inside a bundle; `further` are ready components. */
export async function writeBillOfMaterials(path, { image, held, described, further = [] }) {
  const project = described.metadata.component;
  const components = await componentsOf(held, described);
  const subject = {
    ...{ type: 'container', 'bom-ref': `layercache-${image}`, name: `layercache-${image}` },
    version: project.version,
    licenses: project.licenses,
  };
  const refs = new Set(components.map((component) => component['bom-ref']));
  const all = [...components, ...further];
  const bill = {
    ...{ $schema: described.$schema, bomFormat: described.bomFormat },
    ...{ specVersion: described.specVersion, version: 1 },
    metadata: { tools: described.metadata.tools, component: subject },
    components: all,
    dependencies: [
      { ref: subject['bom-ref'], dependsOn: all.map((component) => component['bom-ref']) },
      ...described.dependencies.filter(({ ref }) => refs.has(ref)).map(within(refs)),
      ...further.map((component) => ({ ref: component['bom-ref'] })),
    ],
  };
  await writeFile(path, `${JSON.stringify(bill, null, 2)}\n`);
}

function within(refs) {
  return ({ ref, dependsOn = [] }) => ({
    ref,
    dependsOn: dependsOn.filter((one) => refs.has(one)),
  });
}

/** One for each name and version, in order; a package can be installed at several places. */
async function componentsOf(folders, described) {
  const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8'));
  const found = new Map();
  for (const folder of folders) {
    const { name, version } = await manifestOf(folder);
    const key = `${name}@${version}`;
    const { integrity } = packages[folder.slice(folder.indexOf('node_modules/'))] ?? {};
    const component = { ...componentOf(key, described), hashes: hashesOf(integrity) };
    const inner = await compiledInto(folder, key);
    found.set(key, inner.length > 0 ? { ...component, components: inner } : component);
  }
  return [...found.keys()].sort().map((key) => found.get(key));
}

/** Libraries that were compiled into a package of binaries, where it lists them as libvips does. */
async function compiledInto(folder, key) {
  const text = await readFile(join(folder, 'versions.json'), 'utf8').catch(() => '{}');
  return Object.entries(JSON.parse(text)).map(([name, version]) => ({
    ...{ type: 'library', name, version, purl: `pkg:generic/${name}@${version}` },
    'bom-ref': `${key}|${name}`,
  }));
}

/** Without what is this machine's affair: where npm put and got the package. */
function componentOf(key, described) {
  const found = described.components.find((component) => keyOf(component) === key);
  if (found === undefined) {
    throw new Error(`${key} is in an image and not among the installed packages: run npm ci.`);
  }
  const { externalReferences = [] } = found;
  return {
    ...found,
    properties: undefined,
    externalReferences: externalReferences.filter(({ type }) => type !== 'distribution'),
  };
}

/** Of the archive in the registry, as the lock has it. */
function hashesOf(integrity = '') {
  return [...integrity.matchAll(/sha512-(\S+)/g)].map(([, digest]) => ({
    alg: 'SHA-512',
    content: Buffer.from(digest, 'base64').toString('hex'),
  }));
}

function keyOf({ group, name, version }) {
  return `${group === undefined || group === '' ? '' : `${group}/`}${name}@${version}`;
}
