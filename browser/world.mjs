// The program as a demo in a folder of its own, a browser, and what every visit is held to.
import { createHmac } from 'node:crypto';
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const program = process.env.TOLLGATE ?? join(root, 'target/debug/tollgate');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const artifacts = join(root, 'artifacts/browser');

export const wide = { width: 1280, height: 800 };
export const narrow = { width: 360, height: 740 };

/** Starts the demo and the browser; `args` are the demo's own. */
export async function start(args = []) {
  const data = mkdtempSync(join(tmpdir(), 'tollgate-browser-'));
  const demo = spawn(program, ['demo', '--listen', '127.0.0.1:0', '--data', data, ...args], { stdio: 'ignore' });
  const facts = join(data, 'demo.json');
  for (let tries = 0; !existsSync(facts); tries += 1) {
    if (tries > 300 || demo.exitCode !== null) throw new Error(`${program} does not start`);
    await new Promise((done) => setTimeout(done, 100));
  }
  mkdirSync(artifacts, { recursive: true });
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  const command = (...args) => JSON.parse(execFileSync(program, [...args, '--data', data, '--json'], { encoding: 'utf8' }));
  const stop = async () => {
    await browser.close();
    demo.kill('SIGTERM');
    await new Promise((done) => demo.once('exit', done));
    rmSync(data, { recursive: true, force: true });
  };
  return { ...JSON.parse(readFileSync(facts, 'utf8')), browser, command, stop };
}

/** The practice providers, with every answer changed on its way by `change(text, inJson)`. */
export async function providers(change) {
  const sandbox = spawn(program, ['sandbox', '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const said = createInterface({ input: sandbox.stdout });
  const [line] = await once(said, 'line');
  const behind = line.match(/http:\/\/[^;\s]+/)[0];
  const server = createServer(async (request, response) => {
    const { host, connection, 'content-length': length, 'accept-encoding': encoding, ...headers } = request.headers;
    const body = [];
    for await (const part of request) body.push(part);
    const method = request.method;
    const answer = await fetch(behind + request.url, { method, headers, redirect: 'manual', body: body.length ? Buffer.concat(body) : undefined });
    const text = await answer.text();
    const type = answer.headers.get('content-type') ?? 'text/plain';
    response.writeHead(answer.status, { 'content-type': type });
    response.end(change(text, /^\s*[[{]/.test(text)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.closeAllConnections();
    server.close();
    sandbox.kill('SIGTERM');
  };
  return { url: `http://127.0.0.1:${server.address().port}`, stop };
}

/** A browser window whose pages must run clean: no broken policy, no failed script, no dialog. */
export async function visit(world, options = {}) {
  const context = await world.browser.newContext({ viewport: wide, ...options, baseURL: world.base_url });
  const page = await context.newPage();
  const faults = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) faults.push(`${page.url()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`${page.url()}: ${error.message}`));
  page.on('dialog', (dialog) => {
    faults.push(`${page.url()}: a dialog said ${dialog.message()}`);
    dialog.dismiss();
  });
  return { context, page, faults };
}

export async function signIn(page, { email, password }) {
  await page.goto('/sign-in');
  await page.fill('[name=email]', email);
  await page.fill('[name=password]', password);
  await page.click('button:has-text("Sign in")');
  await page.waitForURL((url) => url.pathname === '/');
}

/** The six digits of an authenticator app (RFC 6238). */
function code(secret) {
  const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const hash = createHmac('sha1', key).update(step).digest();
  const from = hash[19] & 15;
  return String((hash.readUInt32BE(from) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** A window of the demo's owner, at the console. */
export async function atWork(world) {
  const window = await visit(world);
  const { page } = window;
  const { email, password, totp_secret } = world.operator;
  await page.goto('/console');
  await page.fill('[name=email]', email);
  await page.fill('[name=password]', password);
  await page.click('main button:has-text("Sign in")');
  await page.fill('[name=code]', code(totp_secret));
  await page.click('main button:has-text("Sign in")');
  await page.waitForURL((url) => url.pathname === '/console');
  return window;
}

/** What an accessibility check finds wrong; run apart from the page, whose policy stays as it is. */
export async function violations(page) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const world = { frameId: frameTree.frame.id, worldName: 'axe' };
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', world);
  const run = async (expression) => {
    const how = { expression, contextId, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', how);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  await run(`${axe}; 0`);
  const found = await run(`axe.run(document, { rules: { 'target-size': { enabled: true } } }).then((all) => all.violations.map((one) =>
    one.id + ': ' + one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(' | ')))`);
  await session.detach();
  return found;
}

/** How far the page can be scrolled sideways, in pixels. */
export const overflow = (page) =>
  page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth));

/** How much the page moved while it was loading, where nobody asked it to (1 is a whole screen). */
export const shifted = (page) => page.evaluate(() => new Promise((done) => {
  let sum = 0;
  const add = (list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  };
  new PerformanceObserver(add).observe({ type: 'layout-shift', buffered: true });
  // what was buffered is given out with the next task
  setTimeout(() => done(sum), 0);
}));

/** Elements and scripts that a stranger's text became. */
export const planted = (page) => page.evaluate(() =>
  document.querySelectorAll('[onerror], [onload], main [style], a[href^="javascript:"], img[src="x"]').length);
