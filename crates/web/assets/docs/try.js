// Requests from the page itself, with a key that stays in it; the page is complete without them.
(() => {
  'use strict';

  const shown = 'your_api_key_here';
  const field = document.getElementById('own-key');
  const own = field.closest('form');
  own.hidden = false;
  own.addEventListener('submit', (event) => event.preventDefault());

  // examples carry the key that was typed, as text
  const places = [];
  for (const code of document.querySelectorAll('[data-code] code')) {
    if (code.textContent.includes(shown)) places.push([code, code.textContent]);
  }
  field.addEventListener('input', () => {
    const key = field.value.trim() || shown;
    for (const [code, text] of places) code.textContent = text.replaceAll(shown, key);
    forms.forEach(spell);
  });

  // numbers are sent as they are written: no digit of an amount is lost
  const json = (inputs) => {
    const members = inputs.map((input) => {
      const text = input.value.trim();
      const plain = ['integer', 'number'].includes(input.dataset.kind) && /^(0|[1-9]\d*)(\.\d+)?$/.test(text);
      return `${JSON.stringify(input.name)}: ${plain ? text : JSON.stringify(text)}`;
    });
    return `{${members.join(', ')}}`;
  };

  const request = (form) => {
    const filled = [...form.querySelectorAll('input')].filter((input) => input.value.trim());
    const at = (place) => filled.filter((input) => input.dataset.place === place);
    const headers = {};
    for (const input of at('header')) headers[input.name] = input.value.trim();
    if ('key' in form.dataset) headers['X-API-Key'] = field.value.trim();
    const target = new URL(form.dataset.target, location.origin);
    for (const input of at('query')) target.searchParams.set(input.name, input.value.trim());
    const write = form.dataset.method === 'POST';
    if (write) headers['Content-Type'] = 'application/json';
    const body = write ? json(at('body')) : undefined;
    return [target, { method: form.dataset.method, headers, body, credentials: 'omit' }];
  };

  // the same request for a shell
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const curl = (form) => {
    const [target, { method, headers, body }] = request(form);
    const lines = [`curl ${method === 'POST' ? '-X POST ' : ''}${quoted(target.href)}`];
    for (const [name, value] of Object.entries(headers)) {
      lines.push(`-H ${quoted(`${name}: ${value || (name === 'X-API-Key' ? shown : '')}`)}`);
    }
    if (body) lines.push(`-d ${quoted(body)}`);
    return lines.join(' \\\n  ');
  };
  const forms = [...document.querySelectorAll('.try form')];
  const spell = (form) => { form.querySelector('.curl').textContent = curl(form); };

  const send = async (form) => {
    const [status, answer] = [form.querySelector('.status-line'), form.querySelector('.answer')];
    if ('key' in form.dataset && !field.value.trim()) {
      status.textContent = 'Type your API key at the top of the page first.';
      field.focus();
      return;
    }
    if (form.dataset.method === 'POST' && !confirm('This is sent to your account for real and may spend money. Send it?')) return;
    status.textContent = 'Sending…';
    const since = performance.now();
    try {
      const response = await fetch(...request(form));
      const text = await response.text();
      status.textContent = `${response.status} in ${Math.round(performance.now() - since)} ms · request ${response.headers.get('x-request-id')}`;
      let pretty = text;
      try {
        // only for reading: what is copied from here keeps every digit
        pretty = JSON.stringify(JSON.parse(text), null, 2);
        if (/\d{16}/.test(text)) pretty = text;
      } catch { /* not JSON: as it is */ }
      answer.hidden = false;
      answer.firstElementChild.textContent = pretty;
    } catch {
      status.textContent = 'There was no answer. Is the gateway within reach?';
    }
  };

  for (const form of forms) {
    form.closest('.try').hidden = false;
    form.addEventListener('input', () => spell(form));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      send(form);
    });
    spell(form);
  }
})();
