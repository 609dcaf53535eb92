// The program as a demo in a folder of its own, a browser, and what every visit is held to.
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const program = process.env.TOLLGATE ?? join(root, 'target/debug/tollgate');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const artifacts = join(root, 'artifacts/browser');

export const wide = { width: 1280, height: 800 };
export const narrow = { width: 360, height: 740 };

/** Starts the demo and the browser. */
export async function start() {
  const data = mkdtempSync(join(tmpdir(), 'tollgate-browser-'));
  const demo = spawn(program, ['demo', '--listen', '127.0.0.1:0', '--data', data], { stdio: 'ignore' });
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
  const found = await run(`axe.run(document).then((all) => all.violations.map((one) =>
    one.id + ': ' + one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(' | ')))`);
  await session.detach();
  return found;
}

/** How far the page can be scrolled sideways, in pixels. */
export const overflow = (page) =>
  page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth));
