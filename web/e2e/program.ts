// Builds the program and runs it on free ports: as a sandbox, and as a deployment that knows no made-up people.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** patience bounds how long a program may take to start, in milliseconds. */
const patience = 120_000;

/** Client is one that may get tokens. */
export interface Client {
  id: string;
  secret: string;
}

/** build makes the program, in a folder of its own. */
export function build(): string {
  const folder = mkdtempSync(join(tmpdir(), 'creditgraph-explorer-'));
  execFileSync('go', ['build', '-o', join(folder, 'creditgraph'), './cmd/creditgraph'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  return folder;
}

/** sandbox starts the program with its made-up world, and waits until the world's story is told. */
export async function sandbox(folder: string) {
  const program = start(folder, {});
  const address = await program.says(/creditgraph (http:\/\/\S+),/);
  await program.says(/the scenario is played()/);
  return { address, stop: program.stop };
}

/** deployment starts the program with a provider that nobody answers for, and clients that may get tokens. */
export async function deployment(folder: string) {
  const settings = {
    DATABASE_URL: `sqlite:${join(folder, 'deployment.db')}`,
    DATA_KEY: 'a key for a test and for nothing else',
    KREDETE_BASE_URL: `http://127.0.0.1:${await freePort()}/v2`,
    KREDETE_CLIENT_ID: 'test',
    KREDETE_CLIENT_SECRET: 'test',
    KREDETE_WEBHOOK_SECRET: 'test',
  };
  const run = (...args: string[]) => execFileSync(join(folder, 'creditgraph'), args, { cwd: folder, env: environment(settings), encoding: 'utf8' });
  run('migrate');
  const make = (name: string, scopes: string): Client => {
    const printed = run('client', 'create', '--name', name, '--scopes', scopes);
    return { id: /client_id:\s*(\S+)/.exec(printed)![1], secret: /client_secret:\s*(\S+)/.exec(printed)![1] };
  };
  const clients: Record<string, Client> = { analyst: make('analyst', 'read:customers read:loans read:events'), clerk: make('clerk', 'read:customers') };
  const program = start(folder, settings);
  return { address: await program.says(/creditgraph listens on (\S+)/), clients, stop: program.stop };
}

/** remove deletes what build made. */
export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

function environment(settings: Record<string, string>): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: tmpdir(), CREDITGRAPH_LISTEN: '127.0.0.1:0', ...settings };
}

function start(folder: string, settings: Record<string, string>) {
  const child = spawn(join(folder, 'creditgraph'), [], { cwd: folder, env: environment(settings), stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const listeners = new Set<(line: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      for (const listener of listeners) listener(line);
    });
  }
  return { says: (pattern: RegExp) => says(child, lines, listeners, pattern), stop: () => stop(child) };
}

/** says waits for a line, and is what the pattern's group has of it. */
function says(child: ChildProcess, lines: string[], listeners: Set<(line: string) => void>, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${why}\n${lines.join('\n')}`));
    const timer = setTimeout(() => fail(`the program did not say ${pattern}`), patience);
    const look = (line: string) => {
      const match = pattern.exec(line);
      if (!match) return;
      clearTimeout(timer);
      listeners.delete(look);
      resolve(match[1]);
    };
    listeners.add(look);
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`the program ended with ${code}`);
    });
    lines.forEach(look);
  });
}

function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
