// Providers whose every word is hostile: what they call their services, what they write in messages, why they refuse.
// Each page that shows such words shows them as text, the customer's and the staff's.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { atWork, narrow, overflow, planted, providers, signIn, start, visit } from './world.mjs';

const HOSTILE = 'Telegram"><img src=x onerror="alert(1)"><script>alert(2)</script>';
const PANEL = 'Followers</option></select><svg onload=alert(3)>';

let practice;
let world;
let staff;
before(async () => {
  practice = await providers((text, inJson) => {
    const word = (hostile) => (inJson ? JSON.stringify(hostile).slice(1, -1) : hostile);
    return text.replaceAll('Telegram', word(HOSTILE)).replaceAll('Followers', word(PANEL)).replaceAll('Instagram', word(`Instagram ${PANEL}`));
  });
  world = await start(['--sandbox-url', practice.url]);
  // once: a code of the second step signs in once
  staff = await atWork(world);
});
after(async () => { await world?.stop(); practice?.stop(); });

async function ask(path, body) {
  const headers = { 'X-API-Key': world.api_key, 'Content-Type': 'application/json' };
  const how = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers };
  const answer = await (await fetch(world.base_url + path, how)).json();
  assert.equal(answer.success, true, JSON.stringify(answer));
  return answer.data;
}

/** Opens pages; nothing on them may have become an element, and each has to show one of the words. */
async function look({ page, faults }, paths, words) {
  for (const path of paths) {
    await page.goto(path);
    await page.waitForFunction(() => document.readyState === 'complete');
    await page.evaluate(() => document.querySelectorAll('details:not(.who)').forEach((one) => { one.open = true; }));
    const made = await planted(page);
    if (made) faults.push(`${path}: ${made} elements of a stranger`);
    const far = await overflow(page);
    if (far > 0) faults.push(`${path}: ${far} px too wide`);
    const text = await page.locator('main').innerText();
    if (words.length && !words.some((word) => text.includes(word))) faults.push(`${path} does not show what was written`);
  }
}

test('what providers write is text on every page', async () => {
  const { services } = await ask('/api/v1/otp?action=services&country_id=61&server=peter');
  const service = services.find((one) => one.name.includes('onerror'));
  assert.ok(service, 'a service has a hostile name');
  const number = await ask('/api/v1/otp?action=buy_number', { service_id: service.service_id, country_id: '61', provider_type: 1 });
  const smm = await ask('/api/v1/smm?action=place_order', { service_id: 1, link: 'https://instagram.com/user', quantity: 100 });
  for (let tries = 0; ; tries += 1) {
    const status = await ask(`/api/v1/otp?action=get_status&order_id=${number.order_id}`);
    if (status.status === 'received') break;
    assert.ok(tries < 80, 'a code comes');
    await new Promise((done) => setTimeout(done, 250));
  }
  const own = await visit(world, { viewport: narrow });
  await signIn(own.page, world.customer);
  await own.page.goto(`/orders/${number.order_id}`);
  const message = await own.page.locator('[role=status] .hint.break').innerText();
  assert.match(message, /<script>alert\(2\)<\/script> code is \d{6}/);
  const words = ['onerror', 'onload'];
  const pages = ['/', '/numbers', '/numbers?country=pakistan&q=telegram', '/orders', `/orders/${number.order_id}`, '/orders?kind=smm',
    `/orders/${smm.order_id}`, '/smm', '/smm?q=followers', '/smm/order?service=1', '/wallet', '/search?q=instagram.com/user'];
  await look(own, pages, words);
  await own.page.goto('/smm/mass');
  await own.page.fill('textarea', '1 | https://instagram.com/mass | 10');
  await own.page.click('main button:has-text("Check the lines")');
  assert.equal(await planted(own.page), 0);
  assert.deepEqual(own.faults, []);
  await own.context.close();

  await look(staff, ['/console/orders', `/console/orders/${number.order_id}`, `/console/orders/${smm.order_id}`, '/console/reports?by=service'], words);
  await look(staff, ['/console', '/console/accounts', `/console/accounts/${world.account_id}`, '/console/ledger?totals=yes', '/console/ledger/upstreams',
    '/console/audit', '/console/tickets?show=all', '/console/money', '/console/reports', '/console/upstreams', '/console/upstreams/peter1',
    '/console/servers', '/console/servers/peter', '/console/catalogue', '/console/catalogue/dead', '/console/catalogue/names',
    '/console/catalogue/history', '/console/prices', '/console/policy', '/console/cases?show=all', '/console/top-ups?show=all'], []);
  assert.deepEqual(staff.faults, []);
});

test('what customers and strangers write is text where staff read it', async () => {
  const text = '"><img src=x onerror="alert(4)"><script>alert(5)</script>';
  const stranger = await visit(world);
  await stranger.page.goto('/report-abuse');
  await stranger.page.fill('[name=subject]', `https://instagram.com/p/1?x=${encodeURIComponent(text)}`);
  for (const name of ['what', 'contact']) await stranger.page.fill(`[name=${name}]`, `${name} ${text}`);
  await stranger.page.click('main button:has-text("Send the report")');
  assert.match(await stranger.page.locator('main').innerText(), /receipt/);
  assert.deepEqual(stranger.faults, []);
  await stranger.context.close();

  const email = 'hostile@example.com';
  const password = 'violet anchor parade seven';
  const { account_id: account } = world.command('account', 'create', '--email', email, '--password', password, '--tier', '2');
  world.command('wallet', 'credit', '--account', `${account}`, '--usd', '1.00', '--note', `note ${text}`);
  const own = await visit(world, { userAgent: `Browser ${text}` });
  await signIn(own.page, { email, password });
  await own.page.goto('/account');
  await own.page.fill('[name=purpose]', `purpose ${text}`);
  await own.page.check('[name=agreed]');
  await own.page.click('main button:has-text("State it")');
  await own.page.goto('/keys');
  await own.page.fill('form[action="/keys"] [name=name]', text);
  await own.page.click('main button:has-text("Create key")');
  await own.page.goto('/wallet/top-up');
  await own.page.fill('form:has([value=manual]) [name=amount]', '10');
  await own.page.fill('form:has([value=manual]) [name=note]', `payer ${text}`);
  await own.page.click('main button:has-text("Announce the transfer")');
  await look(own, [own.page.url().replace(world.base_url, ''), '/keys'], ['onerror']);
  await look(own, ['/account', '/wallet', '/wallet/top-up', '/log'], []);
  assert.deepEqual(own.faults, []);
  await own.context.close();

  await look(staff, [`/console/accounts/${account}`, '/console/top-ups?show=all'], ['onerror']);
  await look(staff, ['/console', '/console/accounts?q=hostile', '/console/money', '/console/tickets?show=all', '/console/audit', '/console/ledger?totals=yes',
    '/console/announcements', '/console/staff', '/console/codes'], []);
  await staff.page.goto('/console/announcements');
  await staff.page.fill('main textarea, main [name=text]', `maintenance ${text}`);
  const reason = staff.page.locator('main form:has([name=text]) [name=reason]');
  if (await reason.count()) await reason.fill('a browser asked for it');
  await staff.page.locator('main form:has([name=text]) button').click();
  await look(staff, ['/console/announcements'], ['onerror']);
  assert.deepEqual(staff.faults, []);

  const reader = await visit(world);
  await signIn(reader.page, world.customer);
  await look(reader, ['/', '/numbers'], ['maintenance']);
  assert.deepEqual(reader.faults, []);
  await reader.context.close();
});
