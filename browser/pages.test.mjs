// What customers do, in a real browser. Run by scripts/test; screenshots are left in artifacts/browser.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { artifacts, narrow, overflow, planted, shifted, signIn, start, violations, visit, wide } from './world.mjs';

// what strangers may write where it is shown: each would run a script if a page took it for markup
const CORPUS = [
  '"><img src=x onerror="alert(1)"><script>alert(2)</script>',
  "'-alert(3)-'",
  '</title></textarea></script><svg onload=alert(4)>',
  'javascript:alert(5)//',
  '{{constructor.constructor("alert(6)")()}}${alert(7)}',
  '<a href="javascript:alert(8)">here</a>',
  '\u202egnp.exe" style="position:fixed" hx-get="/mailbox" hx-trigger="load',
  '&lt;img src=x onerror=alert(9)&gt;',
];
const HOSTILE = '"><img src=x onerror="alert(1)"><script>alert(2)</script>';
const PASSWORD = 'violet anchor parade seven';

let world;
before(async () => { world = await start(); });
after(async () => { await world?.stop(); });

const button = (page, text) => page.click(`main button:has-text("${text}")`);

/** A new customer, proved by mail and signed in. */
async function signUp(page, email) {
  await page.goto('/sign-up');
  await page.fill('[name=email]', email);
  await page.fill('[name=password]', PASSWORD);
  await button(page, 'Sign up');
  // leaving before the answer would take the form back
  await page.click('main a[href="/mailbox"]');
  await page.click('main article a[href*="/verify"] >> nth=0');
  await page.fill('main [name=password]', PASSWORD);
  await button(page, 'Confirm');
  await signIn(page, { email, password: PASSWORD });
}

/** Sign-up to statement; answers with the window it happened in. */
async function wholeWay(email, viewport) {
  const window = await visit(world, { viewport });
  const { page } = window;
  await signUp(page, email);

  await page.goto('/keys');
  await button(page, 'Enable API access');
  await page.fill('form[action="/keys"] [name=name]', HOSTILE);
  await button(page, 'Create key');
  const key = await page.locator('.fresh code').innerText();
  assert.match(key, /^tg_demo_/);

  const { codes } = world.command('redeem', 'create', '--usd', '5.00');
  await page.goto('/wallet/top-up');
  await page.fill('[name=code]', codes[0]);
  await button(page, 'Redeem');
  assert.match(await page.locator('.notice').innerText(), /redeemed/);

  const curl = ['-s', `${world.base_url}/api/v1/otp?action=balance`, '-H', `X-API-Key: ${key}`];
  const balance = JSON.parse(execFileSync('curl', curl, { encoding: 'utf8' }));
  assert.deepEqual(balance, { success: true, data: { wallet_balance: '5.000000', currency: 'USD' } });

  await page.goto('/numbers?country=pakistan&q=discord');
  await page.click('details.offer summary >> nth=0');
  await button(page, 'Buy on the best route');
  await page.waitForSelector('#live .number code');
  // nobody reloads: the code arrives by itself
  const code = await page.waitForSelector('#live .code code', { timeout: 20_000 });
  assert.match(await code.innerText(), /^\d{6}$/);

  await page.goto('/orders');
  assert.match(await page.locator('tbody tr').first().innerText(), /Discord/);
  await page.click('tbody tr a >> nth=0');
  assert.match(await page.locator('.story').innerText(), /Message received/);
  await page.goto('/wallet');
  assert.match(await page.locator('#statement').innerText(), /Redeem code/);
  await page.waitForTimeout(1_200); // the log is written behind
  await page.goto('/log');
  assert.match(await page.locator('main').innerText(), /balance/);
  assert.equal(await overflow(page), 0);
  return window;
}

test('the whole way of a customer at a desk', async () => {
  const { context, faults } = await wholeWay('desk@example.com', wide);
  await context.close();
  assert.deepEqual(faults, []);
});

test('the whole way of a customer with a phone', async () => {
  const { context, faults } = await wholeWay('phone@example.com', narrow);
  await context.close();
  assert.deepEqual(faults, []);
});

test('an SMM order shows its price as it is typed and delivers before the eyes', async () => {
  const { context, page, faults } = await visit(world);
  await signIn(page, world.customer);
  await page.goto('/smm');
  await page.locator('#q').pressSequentially('followers');
  await page.waitForFunction(() => document.querySelectorAll('.services li').length < 12);
  await page.goto('/smm/order?service=1');
  await page.fill('[name=link]', 'https://instagram.com/browser');
  await page.fill('[name=quantity]', '500');
  await page.click('button:has-text("Order for $0.54")');
  await page.waitForURL(/\/orders\/\d+/);
  await page.waitForFunction(() => /Completed/.test(document.querySelector('#order .status').innerText), null, { timeout: 30_000 });
  await context.close();
  assert.deepEqual(faults, []);
});

test('every form works without scripts', async () => {
  const { context, page } = await visit(world, { javaScriptEnabled: false });
  await signIn(page, world.customer);
  await page.goto('/numbers');
  await page.fill('main [name=q]', 'pakistan');
  await button(page, 'Search');
  await page.click('.tiles a >> nth=0');
  await page.fill('main [name=q]', 'telegram');
  await button(page, 'Search');
  await page.click('details.offer summary >> nth=0');
  await button(page, 'Buy on the best route');
  assert.match(await page.locator('#live').innerText(), /Telegram/i);
  await page.goto('/smm/order?service=1');
  await page.fill('[name=link]', 'https://instagram.com/without-scripts');
  await page.fill('[name=quantity]', '100');
  await button(page, 'Show the price');
  await button(page, 'Order for $0.108');
  assert.match(await page.locator('.notice').innerText(), /The order is placed/);
  await page.goto('/smm/mass');
  await page.fill('textarea', '50 | https://t.me/one | 100\n50 | https://t.me/two | 100');
  await button(page, 'Check the lines');
  await button(page, 'Place 2 orders');
  assert.match(await page.locator('main h2 >> nth=0').innerText(), /2 of 2 ordered/);
  await page.goto('/wallet');
  await page.fill('[name=threshold]', '1.50');
  await button(page, 'Save');
  assert.match(await page.locator('.notice').innerText(), /mail/);
  await context.close();
});

test('an account is made, proved and used without scripts', async () => {
  const { context, page } = await visit(world, { javaScriptEnabled: false, viewport: narrow });
  const email = 'plain@example.com';
  await signUp(page, email);
  await page.goto('/keys');
  await button(page, 'Enable API access');
  await page.fill('form[action="/keys"] [name=name]', 'plain');
  await page.fill('form[action="/keys"] [name=addresses]', 'nowhere');
  await button(page, 'Create key');
  assert.match(await page.locator('.problem').innerText(), /nowhere/);
  await page.fill('form[action="/keys"] [name=addresses]', '127.0.0.1');
  await button(page, 'Create key');
  assert.match(await page.locator('.fresh code').innerText(), /^tg_demo_/);
  await page.click('summary:text-is("Replace")');
  await button(page, 'Make a new key');
  const key = await page.locator('.fresh code').innerText();
  const curl = ['-s', `${world.base_url}/api/v1/otp?action=balance`, '-H', `X-API-Key: ${key}`];
  assert.equal(JSON.parse(execFileSync('curl', curl, { encoding: 'utf8' })).data.wallet_balance, '0.000000');
  await page.goto('/numbers?country=pakistan&q=discord');
  await page.click('details.offer summary >> nth=0');
  await button(page, 'Buy on the best route');
  assert.match(await page.locator('.problem').innerText(), /Top up/);
  const { codes } = world.command('redeem', 'create', '--usd', '5.00');
  await page.goto('/wallet/top-up');
  await page.fill('[name=code]', codes[0]);
  await button(page, 'Redeem');
  await page.goto('/smm/order?service=1');
  await page.fill('[name=link]', 'https://instagram.com/plain?sandbox=never');
  await page.fill('[name=quantity]', '100');
  await button(page, 'Show the price');
  await button(page, 'Order for $0.108');
  await button(page, 'Ask to cancel');
  assert.match(await page.locator('.notice').innerText(), /cancel is asked for/);
  await page.goto('/account');
  await button(page, 'Set up');
  assert.match(await page.locator('#second-factor').innerText(), /Scan this/);
  await page.goto('/account');
  await button(page, 'Sign out everywhere');
  await page.click('header details.who summary');
  await page.click('header button:has-text("Sign out")');
  await page.waitForURL(/signed-out|sign-in|\/$/);
  assert.equal((await page.goto('/wallet')).url().includes('/sign-in'), true);
  await context.close();
});

test('the keyboard reaches everything, shows where it is and goes back where it was', async () => {
  const { context, page, faults } = await visit(world);
  await signIn(page, world.customer);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => !!document.activeElement.closest('main')), true, 'the bar is skipped');
  await page.focus('header summary');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Account and security');
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.matches('header summary') && !document.querySelector('.who').open), true);
  for (const path of ['/numbers?country=pakistan&q=discord', '/smm', '/smm/order?service=1', '/orders?kind=smm', '/wallet', '/keys', '/log', '/account']) {
    await page.goto(path);
    await page.evaluate(() => document.querySelectorAll('main details').forEach((one) => { one.open = true; }));
    await page.evaluate(() => document.activeElement.blur());
    const steps = await page.evaluate(() => [...document.querySelectorAll('a[href], button:not(:disabled), input:not([type=hidden], [tabindex="-1"]), select, textarea, summary, [tabindex="0"]')].filter((one) => one.checkVisibility()).length);
    let seen = 0;
    for (let step = 0; step < Math.min(steps, 60); step += 1) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate(() => {
        const one = document.activeElement;
        if (one === document.body) return null;
        const box = one.getBoundingClientRect();
        const bar = document.querySelector('header.top');
        const below = bar.contains(one) ? 0 : bar.getBoundingClientRect().bottom;
        const style = getComputedStyle(one);
        return {
          what: one.outerHTML.slice(0, 80), outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
          inSight: box.width * box.height > 0 && (one.className === 'skip' || (box.bottom > below && box.top < innerHeight)),
        };
      });
      if (!at) break;
      seen += 1;
      if (!at.outlined) faults.push(`${path}: nothing shows the focus at ${at.what}`);
      if (!at.inSight) faults.push(`${path}: the focus is out of sight at ${at.what}`);
    }
    if (seen < Math.min(steps, 60) - 2) faults.push(`${path}: ${seen} of ${steps} places are reached`);
  }
  await context.close();
  assert.deepEqual(faults, []);
});

test('times are those of the reader', async () => {
  for (const [timezoneId, hour] of [['Asia/Tokyo', 9], ['America/Los_Angeles', -8]]) {
    const { context, page, faults } = await visit(world, { timezoneId, locale: 'en-GB' });
    await signIn(page, world.customer);
    await page.goto('/orders');
    const time = page.locator('tbody time').first();
    const at = new Date(await time.getAttribute('datetime'));
    const there = new Date(at.getTime() + hour * 3_600_000);
    const shown = await time.innerText();
    assert.ok(shown.includes(`${there.toISOString().slice(11, 16)}`), `${shown} for ${at.toISOString()} in ${timezoneId}`);
    await context.close();
    assert.deepEqual(faults, []);
  }
});

test('a waiting number is announced when its code comes, and keeps the keyboard where it is', async () => {
  const { context, page, faults } = await visit(world);
  await signIn(page, world.customer);
  await page.goto('/numbers?country=pakistan&q=discord');
  await page.click('details.offer summary >> nth=0');
  await button(page, 'Buy on the best route');
  const order = await page.locator('#live a[href^="/orders/"]').first().getAttribute('href');
  const copy = `number-${order.split('/').at(-1)}`;
  await page.focus(`#${copy}`);
  await page.waitForFunction(() => /Code for Discord, order \d+: \d{6}/.test(document.querySelector('#news').textContent), null, { timeout: 20_000 });
  assert.equal(await page.evaluate(() => document.activeElement.id), copy);
  await context.close();
  assert.deepEqual(faults, []);
});

test('the page of a number shows its code as it comes', async () => {
  const { context, page, faults } = await visit(world);
  await signIn(page, world.customer);
  const headers = { 'X-API-Key': world.api_key, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ service_id: '306343', country_id: '61' });
  const bought = await (await fetch(`${world.base_url}/api/v1/otp?action=buy_number`, { method: 'POST', headers, body })).json();
  await page.goto(`/orders/${bought.data.order_id}`);
  assert.match(await page.locator('#order').innerText(), /left/);
  const code = await page.waitForSelector('.codes-here code', { timeout: 20_000 });
  assert.match(await code.innerText(), /^\d{6}$/);
  assert.equal(await page.locator('#order').getAttribute('hx-get'), null, 'what is over is not asked for again');
  await context.close();
  assert.deepEqual(faults, []);
});

test('docs answer to the key that is typed, and ask before they spend', async () => {
  const { context, page, faults } = await visit(world);
  await page.goto('/docs');
  await page.fill('#own-key', world.api_key);
  assert.equal((await page.locator('[data-code] code').first().innerText()).includes(world.api_key), true);
  const form = page.locator('form[data-target="/api/v1/otp?action=balance"]');
  await form.locator('xpath=..').locator('summary').click();
  await form.locator('button:not(.copy)').click();
  await form.locator('.answer').waitFor();
  assert.match(await form.locator('.answer').innerText(), /"success": true/);
  const cancel = page.locator('form[data-target="/api/v1/otp?action=cancel"]');
  await cancel.locator('xpath=..').locator('summary').click();
  await cancel.locator('[name=order_id]').fill('1');
  await cancel.locator('button:not(.copy)').click();
  await page.waitForTimeout(200);
  assert.equal(await cancel.locator('.answer').isVisible(), false, 'a dismissed question sends nothing');
  await context.close();
  assert.deepEqual(faults.filter((fault) => !/a dialog said This is sent/.test(fault)), []);
});

test('every page is accessible, fits a phone, keeps its policy and shows hostile text as text', async () => {
  const { context, page } = await visit(world);
  await signIn(page, { email: 'desk@example.com', password: PASSWORD });
  await page.goto('/orders');
  const order = await page.locator('tbody tr a').first().getAttribute('href');
  const cookies = await context.storageState();
  await context.close();
  const hostile = encodeURIComponent(HOSTILE);
  const own = ['/', '/numbers', '/numbers?country=pakistan&q=discord', '/numbers?q=disc', '/numbers?service=Discord', `/numbers?q=${hostile}`, '/smm', `/smm?q=${hostile}`,
    '/smm/order?service=1', '/smm/order?service=90', `/smm/order?service=1&link=${hostile}`, '/smm/mass', '/orders', '/orders?kind=smm', order,
    `/search?q=${hostile}`, '/wallet', '/wallet/top-up', '/keys', '/log', `/log?action=${hostile}`, '/account', '/account/standing', '/confirm-password', '/docs', '/docs/changelog', '/nothing-here'];
  const open = ['/', '/policy', '/report-abuse', '/sign-in', '/sign-up', '/forgot', '/reset?token=x', '/verify?token=x', '/mailbox', '/docs', '/docs/changelog'];
  const wrong = [];
  for (const [viewport, colorScheme] of [[wide, 'light'], [wide, 'dark'], [narrow, 'light'], [narrow, 'dark']]) {
    for (const [paths, storageState, who] of [[own, cookies, 'in'], [open, undefined, 'out']]) {
      const window = await visit(world, { viewport, colorScheme, storageState });
      for (const path of paths) {
        await window.page.goto(path);
        await window.page.waitForFunction(() => document.readyState === 'complete');
        const name = `${who}${path.replace(/\W+/g, '-').slice(0, 40)}-${viewport.width}-${colorScheme}.png`;
        await window.page.screenshot({ path: join(artifacts, name), fullPage: path !== '/docs' });
        const sideways = await overflow(window.page);
        if (sideways > 0) wrong.push(`${path} at ${viewport.width}: ${sideways} px too wide`);
        const moved = await shifted(window.page);
        if (moved > 0.001) wrong.push(`${path} at ${viewport.width}: moved by ${moved} while it was loading`);
        // colours were checked at the desk, and the docs are long
        if (viewport === narrow && (colorScheme === 'dark' || path === '/docs')) continue;
        for (const found of await violations(window.page)) wrong.push(`${path} ${viewport.width} ${colorScheme}: ${found}`);
      }
      wrong.push(...window.faults);
      await window.context.close();
    }
  }
  assert.deepEqual(wrong, []);
});

test('hostile text is text on every page that shows it', async () => {
  const { context, page, faults } = await visit(world);
  await signIn(page, world.customer);
  const api = async (target, body) => {
    const headers = { 'X-API-Key': world.api_key, 'Content-Type': 'application/json' };
    const how = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers };
    return (await fetch(world.base_url + target, how)).json();
  };
  // in links of orders and in names of keys; the query of every page follows
  for (const [turn, text] of CORPUS.entries()) {
    const link = `https://instagram.com/p/${turn}?x=${encodeURIComponent(text)}`;
    await api('/api/v1/smm?action=place_order', { service_id: 1, link, quantity: 100 });
    await page.goto('/keys');
    await page.fill('form[action="/keys"] [name=name]', text.slice(0, 64));
    await button(page, 'Create key');
    assert.match(await page.locator('.fresh code').innerText(), /^tg_demo_/, text);
  }
  const { data: { orders } } = await api('/api/v1/smm?action=orders&limit=3');
  await page.goto('/keys');
  await page.waitForFunction(() => document.readyState === 'complete');
  const shown = await page.locator('main').innerText();
  for (const text of CORPUS) assert.ok(shown.includes(text.slice(0, 64)), `${text} is not shown as it is`);
  const paths = ['/', '/orders?kind=smm', ...orders.map((one) => `/orders/${one.order_id}`), '/wallet', '/log', '/account'];
  for (const text of CORPUS) {
    const typed = encodeURIComponent(text);
    paths.push(`/search?q=${typed}`, `/numbers?q=${typed}`, `/numbers?country=${typed}`, `/smm?q=${typed}&category=${typed}`,
      `/smm/order?service=1&link=${typed}`, `/smm/order?service=${typed}`, `/orders?status=${typed}&since=${typed}`,
      `/log?action=${typed}&order=${typed}&before=${typed}`, `/wallet?from=${typed}`, `/sign-in?next=${typed}`,
      `/reset?token=${typed}`, `/verify?token=${typed}`, `/?notice=${typed}`, `/docs?q=${typed}`, `/${typed}`);
  }
  for (const path of paths) {
    await page.goto(path);
    await page.waitForFunction(() => document.readyState === 'complete');
    const made = await planted(page);
    if (made) faults.push(`${path}: ${made} elements of a stranger`);
  }
  await context.close();
  assert.deepEqual(faults, []);
});

test('the docs find what is typed and spell the request that is tried', async () => {
  const { context, page, faults } = await visit(world);
  await signIn(page, world.customer);
  await page.goto('/docs');
  assert.equal(await page.locator('nav.side a[aria-current]').innerText(), 'Docs');
  await page.fill('#seek', 'refill_status');
  await page.waitForFunction(() => document.querySelector('#otp').hidden);
  assert.equal(await page.locator('#otp-balance').isVisible(), false);
  assert.match(await page.locator('.seek [role=status]').innerText(), /^\d+ of \d+ sections$/);
  await page.fill('#seek', '');
  await page.locator('#otp').waitFor();
  const form = page.locator('form[data-target="/api/v1/otp?action=buy_number"]');
  await form.locator('xpath=..').locator('summary').click();
  await form.locator('[name=service_id]').fill("it's");
  const spelled = await form.locator('.curl').innerText();
  assert.ok(spelled.startsWith("curl -X POST '") && spelled.includes(`{"service_id": "it'\\''s"}`), spelled);
  await page.goto('/docs/changelog');
  assert.match(await page.locator('main').innerText(), /Unreleased/);
  await context.close();
  assert.deepEqual(faults, []);
});

test('the first page is light', async () => {
  const { context, page } = await visit(world);
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  let bytes = 0;
  session.on('Network.loadingFinished', (event) => { bytes += event.encodedDataLength; });
  await signIn(page, world.customer);
  await page.waitForLoadState('networkidle');
  await context.close();
  assert.ok(bytes > 1_000 && bytes < 100_000, `${bytes} bytes for sign-in and overview`);
});

test('the page with every flag is light too', async () => {
  const { context, page } = await visit(world);
  await signIn(page, world.customer);
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  session.on('Network.loadingFinished', (event) => { bytes += event.encodedDataLength; });
  await page.goto('/numbers');
  // the list of waiting numbers is a stream: the network is never idle
  await page.waitForFunction(() => performance.getEntriesByType('resource').some((one) => one.name.includes('flags.png')));
  await context.close();
  assert.ok(bytes > 40_000 && bytes < 100_000, `${bytes} bytes for the countries`);
});

test('a service that is typed shows where it is sold', async () => {
  const { context, page } = await visit(world);
  await signIn(page, world.customer);
  await page.goto('/numbers');
  await page.getByLabel('Country or service').pressSequentially('disco');
  const sold = page.getByRole('list', { name: 'Countries that sell Discord' });
  await sold.getByRole('link').first().click();
  await page.waitForURL(/country=.*q=Discord/);
  assert.ok(await page.locator('details.offer summary', { hasText: 'Discord' }).count() > 0);
  await context.close();
});

test('a top-up by card is in the wallet and on a receipt, and what was spent of it is owed once it goes back', async () => {
  const email = 'payer@example.com';
  const { account_id: account } = world.command('account', 'create', '--email', email, '--password', PASSWORD);
  const { api_key: key } = world.command('key', 'create', '--account', `${account}`);
  const window = await visit(world, { viewport: narrow });
  const { page, faults } = window;
  await signIn(page, { email, password: PASSWORD });
  await page.goto('/wallet/top-up');
  await page.fill('form:has([value=stripe]) [name=amount]', '10');
  await page.click('form:has([value=stripe]) button');
  await page.waitForSelector('[data-state=created]');
  const own = page.url();
  const processor = new URL(await page.getAttribute('main a.button', 'href'));
  await page.click('main a.button');
  await page.waitForURL((url) => url.origin === processor.origin);
  await page.click('button:has-text("Pay by card")');
  await page.waitForURL(own);
  await page.waitForSelector('[data-state=credited]');
  assert.deepEqual([await overflow(page), await violations(page)], [0, []]);

  await page.click('a:text-is("Receipt")');
  assert.match(await page.locator('main').innerText(), /\$10\.00 USD/);
  assert.deepEqual([await overflow(page), await violations(page)], [0, []]);
  const pdf = await page.request.get(`${own}/receipt.pdf`);
  assert.equal((await pdf.body()).subarray(0, 5).toString(), '%PDF-');
  await page.goto('/wallet');
  assert.match(await page.locator('#statement').innerText(), /Top-up/);

  const buy = ['-s', '-X', 'POST', `${world.base_url}/api/v1/otp?action=buy_number`, '-H', `X-API-Key: ${key}`,
    '-H', 'Content-Type: application/json', '-d', '{"service_id":"306343","country_id":"61"}'];
  assert.equal(JSON.parse(execFileSync('curl', buy, { encoding: 'utf8' })).success, true);
  const session = processor.pathname.split('/').at(-1);
  const act = { processor: 'stripe', act: { id: session, do: 'refund' } };
  const told = await fetch(`${processor.origin}/_sandbox/payments`, { method: 'POST', body: JSON.stringify(act) });
  assert.deepEqual((await told.json()).events[0].answers, [200]);
  await page.goto('/wallet');
  assert.match(await page.locator('.notice').innerText(), /returned; \$0\.04 are due/);
  await page.goto(own);
  assert.match(await page.locator('main').innerText(), /Refunds/);
  const refused = JSON.parse(execFileSync('curl', buy, { encoding: 'utf8' }));
  assert.equal(refused.code, 'insufficient_balance');
  assert.deepEqual(faults, []);
  await window.context.close();
});
