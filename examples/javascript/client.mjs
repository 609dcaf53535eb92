// A complete Tollgate client for Node 18 or newer, without dependencies.
//
// Buys a number and waits for its code, then places an SMM order and follows it.
// Settings come from the environment:
//
//   TOLLGATE_KEY   the API key (required)
//   TOLLGATE_URL   the API's address, up to and including /api/v1
//   TOLLGATE_SERVER, TOLLGATE_SERVICE, TOLLGATE_COUNTRY, TOLLGATE_PROVIDER_TYPE
//                  what number to buy
//   TOLLGATE_SMM_SERVICE, TOLLGATE_LINK, TOLLGATE_QUANTITY
//                  what SMM order to place

import { randomUUID } from 'node:crypto';

const setting = (name, fallback) => process.env[`TOLLGATE_${name}`] ?? fallback;
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

class Refused extends Error {
  constructor({ error, code }) {
    super(`${error} [${code}]`);
    this.code = code;
  }
}

class Tollgate {
  constructor(baseUrl, key) {
    this.baseUrl = baseUrl.replace(/\/+$/, '');
    this.key = key;
  }

  // One call; a body makes it a write. Resolves to the answer's data.
  async request(door, action, { query = {}, body } = {}) {
    const parameters = new URLSearchParams({ action, ...query });
    const headers = { 'X-API-Key': this.key };
    if (body) {
      headers['Content-Type'] = 'application/json';
      headers['Idempotency-Key'] = randomUUID();
    }
    const response = await fetch(`${this.baseUrl}/${door}?${parameters}`, {
      method: body ? 'POST' : 'GET',
      headers,
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
    const answer = await response.json(); // a refusal is JSON too
    if (!answer.success) throw new Refused(answer);
    return answer.data;
  }
}

async function receiveCode(api) {
  const number = await api.request('otp', 'buy_number', {
    body: {
      service_id: setting('SERVICE', '306343'),
      country_id: setting('COUNTRY', '61'),
      server: setting('SERVER', 'peter'),
      provider_type: Number(setting('PROVIDER_TYPE', '1')),
    },
  });
  console.log(`order ${number.order_id}: ${number.phone_number ?? 'number pending'}`);
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const query = { order_id: number.order_id };
    const status = await api.request('otp', 'get_status', { query });
    if (status.status === 'received') {
      console.log(`code: ${status.code}`);
      return;
    }
    if (status.status === 'cancelled') {
      throw new Error('the order was cancelled before a code came');
    }
    await sleep(Math.max(1, status.poll_after_s ?? 1));
  }
  throw new Error('no code came in time');
}

async function placeOrder(api) {
  const wanted = setting('SMM_SERVICE', '1');
  const { services } = await api.request('smm', 'services');
  const service = services.find((candidate) => candidate.service_id === wanted);
  if (!service) throw new Error(`no SMM service ${wanted} among ${services.length}`);
  const { category, name, rate_usd_per_1000: rate } = service;
  console.log(`${category} ${name}: $${rate} per 1000`);
  const order = await api.request('smm', 'place_order', {
    body: {
      service_id: wanted,
      link: setting('LINK', `https://instagram.com/user${randomUUID().slice(0, 8)}`),
      quantity: Number(setting('QUANTITY', '500')),
    },
  });
  console.log(`order ${order.order_id}: ${order.status}`);
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const query = { order_id: order.order_id };
    const status = await api.request('smm', 'order_status', { query });
    if (['Completed', 'Partial', 'Canceled'].includes(status.status)) {
      console.log(`order ${order.order_id}: ${status.status}, ${status.remains} remain`);
      return;
    }
    await sleep(1);
  }
  throw new Error('the order did not end in time');
}

try {
  const key = setting('KEY');
  if (!key) throw new Error('set TOLLGATE_KEY to your API key');
  const api = new Tollgate(setting('URL', 'http://127.0.0.1:8080/api/v1'), key);
  const { wallet_balance: balance } = await api.request('otp', 'balance');
  console.log(`balance: $${balance}`);
  await receiveCode(api);
  await placeOrder(api);
} catch (problem) {
  console.error(`failed: ${problem.message}`);
  process.exitCode = 1;
}
