// What staff do at the console, in a real browser. Run by scripts/test; screenshots are left in artifacts/browser.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { artifacts, atWork, narrow, overflow, signIn, start, violations, visit, wide } from './world.mjs';

let world;
let at;
before(async () => {
  world = await start();
  await furnish();
  at = await atWork(world);
  world.case = await raise();
});
after(async () => { await at?.context.close(); await world?.stop(); });

/** Orders of both kinds, so that lists have something in them. */
async function furnish() {
  const ask = async (path, body) => {
    const headers = { 'X-API-Key': world.api_key, 'Content-Type': 'application/json' };
    const answer = await fetch(world.base_url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    assert.equal(answer.status, 200, await answer.clone().text());
    return (await answer.json()).data;
  };
  world.number = (await ask('/api/v1/otp?action=buy_number', { service_id: '306343', country_id: '61' })).order_id;
  world.smm = (await ask('/api/v1/smm?action=place_order', { service_id: 1, link: 'https://instagram.com/desk', quantity: 100 })).order_id;
  const get = (path) => fetch(world.base_url + path, { headers: { 'X-API-Key': world.api_key } });
  for (let tries = 0; tries < 60; tries += 1) {
    const status = await (await get(`/api/v1/otp?action=get_status&order_id=${world.number}`)).json();
    if (status.data?.status === 'received') break;
    await new Promise((done) => setTimeout(done, 250));
  }
  world.command('redeem', 'create', '--usd', '5.00', '--note', 'a fair');
}

/** A case against the customer that holds; gives its page. */
async function raise() {
  const { page } = at;
  await page.goto('/console/cases');
  await page.click('summary:has-text("Open a case")');
  const open = page.locator('form[action$="/cases/open"]');
  await open.locator('[name=account]').fill(String(world.account_id));
  await open.locator('[name=reason]').fill('a browser asked for it');
  await open.locator('button').click();
  await page.goto('/console/cases');
  const path = await page.locator('tbody tr a').first().getAttribute('href');
  await page.goto(path);
  const decide = page.locator('form[action$="/decide"]');
  await decide.locator('[name=deed]').selectOption('throttle');
  await decide.locator('[name=reason]').fill('a browser asked for it');
  await decide.locator('button').click();
  return path;
}

const pages = () => [
  '/console',
  '/console/accounts',
  `/console/accounts/${world.account_id}`,
  '/console/orders',
  `/console/orders/${world.number}`,
  `/console/orders/${world.smm}`,
  '/console/tickets?show=all',
  '/console/upstreams',
  '/console/upstreams/peter1',
  '/console/new-upstream',
  '/console/servers',
  '/console/servers/peter',
  '/console/catalogue',
  '/console/catalogue/dead',
  '/console/catalogue/names',
  '/console/catalogue/history',
  '/console/prices',
  '/console/policy',
  '/console/cases',
  world.case,
  '/console/top-ups',
  '/console/top-ups?show=all',
  '/console/top-ups/import',
  '/console/top-ups/processors',
  '/console/money',
  '/console/codes',
  '/console/ledger?totals=yes',
  '/console/ledger/upstreams',
  '/console/reports',
  '/console/announcements',
  '/console/audit',
  '/console/staff',
];

for (const [size, viewport] of [['wide', wide], ['narrow', narrow]]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`every page of the console is in order, ${size} and ${colorScheme}`, async () => {
      const { page, faults } = at;
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      const wrong = [];
      for (const path of pages()) {
        const answer = await page.goto(path);
        if (answer.status() !== 200) wrong.push(`${path}: ${answer.status()}`);
        await page.evaluate(() => document.querySelectorAll('details:not(.who)').forEach((one) => { one.open = true; }));
        for (const found of await violations(page)) wrong.push(`${path}: ${found}`);
        const far = await overflow(page);
        if (far > 0) wrong.push(`${path}: ${far} px too wide`);
        const name = path.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
        await page.screenshot({ path: join(artifacts, `${name}-${size}-${colorScheme}.png`), fullPage: true });
      }
      assert.deepEqual(wrong, []);
      assert.deepEqual(faults, []);
    });
  }
}

test('money by hand, the line it leaves, and a look as the customer', async () => {
  const { page, faults } = at;
  await page.setViewportSize(wide);
  await page.goto(`/console/accounts/${world.account_id}`);
  const money = page.locator('form[action$="/money"]');
  await page.click('summary:has-text("Credit or debit")');
  await money.locator('[name=usd]').fill('2.50');
  await money.locator('[name=reason]').fill('a browser asked for it');
  await money.locator('button').click();
  assert.match(await page.locator('.notice').innerText(), /The money has moved/);
  await page.goto('/console/audit');
  assert.match(await page.locator('tbody tr').first().innerText(), /move money/);
  assert.match(await page.locator('tbody tr').first().innerText(), /a browser asked for it/);
  await page.click('main button:has-text("Look at every line")');
  assert.match(await page.locator('.notice').last().innerText(), /are as they were written/);

  await page.goto(`/console/accounts/${world.account_id}`);
  await page.click('summary:has-text("Look at the dashboard")');
  const look = page.locator('form[action$="/look"]');
  await look.locator('[name=reason]').fill('a browser asked for it');
  await look.locator('button').click();
  // the dashboard may have an address of its own, so a link leads there
  await page.click('main a.button:has-text("Open the dashboard")');
  await page.waitForURL((url) => url.pathname === '/');
  assert.match(await page.locator('.problem').innerText(), /looks at the pages of/);
  await page.goto('/numbers');
  assert.match(await page.locator('main').innerText(), /stays closed while you look/);
  await page.goto('/look/end');
  assert.deepEqual(faults.filter((one) => !/403/.test(one)), []);
});

test('a case that holds, what its holder reads and says of it, and its end', async () => {
  for (const [viewport, colorScheme] of [[wide, 'light'], [wide, 'dark'], [narrow, 'light'], [narrow, 'dark']]) {
    const { context, page, faults } = await visit(world, { viewport, colorScheme });
    await signIn(page, world.customer);
    await page.goto('/account/standing');
    assert.match(await page.locator('main').innerText(), /bounds of a new account/);
    assert.deepEqual(await violations(page), []);
    assert.equal(await overflow(page), 0);
    await page.screenshot({ path: join(artifacts, `in-account-standing-${viewport.width}-${colorScheme}.png`), fullPage: true });
    assert.deepEqual(faults, []);
    await context.close();
  }
  const { context, page: hers, faults } = await visit(world);
  await signIn(hers, world.customer);
  await hers.goto('/account/standing');
  await hers.fill('[name=appeal]', 'It was I, and I need them all.');
  await hers.click('button:has-text("Send the appeal")');
  assert.match(await hers.locator('blockquote').innerText(), /It was I/);

  const { page } = at;
  await page.setViewportSize(wide);
  await page.goto(world.case);
  assert.match(await page.locator('blockquote').innerText(), /It was I/);
  assert.deepEqual(await violations(page), []);
  await page.screenshot({ path: join(artifacts, 'console-case-appeal.png'), fullPage: true });
  const decide = page.locator('form[action$="/decide"]');
  await decide.locator('[name=deed]').selectOption('dismiss');
  await decide.locator('[name=reason]').fill('she has said why');
  await decide.locator('button').click();
  await hers.goto('/account/standing');
  assert.match(await hers.locator('main').innerText(), /In good standing/);
  assert.deepEqual([...faults, ...at.faults.filter((one) => !/403/.test(one))], []);
  await context.close();
});

test('a bank statement is looked at before it is taken', async () => {
  const { page, faults } = at;
  const text = 'id,amount,currency,text\nb-1,25.00,USD,no reference of ours\n';
  for (const [size, viewport] of [['wide', wide], ['narrow', narrow]]) {
    await page.setViewportSize(viewport);
    await page.goto('/console/top-ups/import');
    await page.setInputFiles('[name=statement]', { name: 'july.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
    await page.click('button:has-text("Show what would be done")');
    assert.match(await page.locator('tbody tr').innerText(), /no reference of ours/);
    assert.deepEqual(await violations(page), []);
    assert.equal(await overflow(page), 0);
    await page.screenshot({ path: join(artifacts, `console-statement-${size}.png`), fullPage: true });
  }
  await page.setViewportSize(wide);
  assert.deepEqual(faults.filter((one) => !/403/.test(one)), []);
});

test('a top-up by card, its line, its refund at the console, and what is owed then', async () => {
  const ana = await visit(world);
  const { page: hers } = ana;
  await signIn(hers, world.customer);
  await hers.goto('/wallet/top-up');
  const card = hers.locator('form:has(input[name="method"][value="stripe"])');
  await card.locator('[name=amount]').fill('25.00');
  await card.locator('button').click();
  await hers.waitForURL((url) => /^\/wallet\/top-up\/\d+$/.test(url.pathname));
  const path = new URL(hers.url()).pathname;
  const id = path.split('/').pop();
  await hers.click('a.button:has-text("Pay")');
  await hers.locator('button').filter({ hasText: /^pay/i }).first().click();
  await hers.waitForURL((url) => url.pathname === path);
  for (let tries = 0; tries < 60; tries += 1) {
    if (await hers.locator('#top-up').getAttribute('data-state') === 'credited') break;
    await new Promise((done) => setTimeout(done, 250));
    await hers.reload();
  }
  assert.equal(await hers.locator('#top-up').getAttribute('data-state'), 'credited');
  await hers.goto('/wallet');
  assert.match(await hers.locator('main').innerText(), /Top-up/);

  // what the wallet has is spent, all but one dollar
  const { available } = world.command('wallet', 'show', '--account', String(world.account_id));
  const { page, faults } = at;
  await page.setViewportSize(wide);
  const left = Number(available) - 1;
  for (let spent = 0; spent < left; spent += Math.min(90, left - spent)) {
    await page.goto(`/console/accounts/${world.account_id}`);
    await page.click('summary:has-text("Credit or debit")');
    const money = page.locator('form[action$="/money"]');
    await money.locator('[name=direction]').selectOption('out');
    await money.locator('[name=usd]').fill(Math.min(90, left - spent).toFixed(6));
    await money.locator('[name=reason]').fill('it was spent');
    await money.locator('button').click();
    assert.match(await page.locator('.notice').innerText(), /The money has moved/);
  }

  await page.goto(`/console/top-ups/${id}`);
  const give = async (usd, owed) => {
    await page.click('summary:has-text("Return money")');
    const refund = page.locator('form[action$="/refund"]');
    await refund.locator('[name=usd]').fill(usd);
    if (owed) await refund.locator('[name=owe]').check();
    await refund.locator('[name=reason]').fill('a browser asked for it');
    await refund.locator('button').click();
  };
  await give('25.00', false);
  assert.match(await page.locator('[role=alert]').first().innerText(), /would go back/);
  await page.goto(`/console/top-ups/${id}`);
  await give('25.00', true);
  assert.match(await page.locator('.notice').first().innerText(), /left the wallet/);
  assert.match(await page.locator('#owed').innerText(), /24\.00/);
  assert.deepEqual(await violations(page), []);
  await page.screenshot({ path: join(artifacts, 'console-top-up.png'), fullPage: true });
  await page.setViewportSize(narrow);
  assert.equal(await overflow(page), 0);
  await page.screenshot({ path: join(artifacts, 'console-top-up-narrow.png'), fullPage: true });
  await page.setViewportSize(wide);

  await hers.goto('/wallet/top-up');
  assert.match(await hers.locator('.notice').first().innerText(), /24\.00 .*due/);
  assert.deepEqual([...faults, ...ana.faults], []);
  await ana.context.close();
});
