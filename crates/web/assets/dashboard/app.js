// Comfort on top of pages that work without it: copying, local times, countdowns.
(() => {
  'use strict';

  const localTimes = (root) => {
    for (const time of root.querySelectorAll('time[datetime]:not([data-local])')) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      time.title = `${time.dateTime}`;
      time.textContent = at.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: time.closest('.story') ? 'medium' : 'short' });
      time.dataset.local = '';
    }
  };

  const clock = (seconds) => {
    const rest = Math.max(0, Math.ceil(seconds));
    return `${Math.floor(rest / 60)}:${String(rest % 60).padStart(2, '0')}`;
  };

  // <span data-until="RFC 3339"> counts down; what carries data-enabled-from opens at its time
  const tick = () => {
    const now = Date.now();
    for (const element of document.querySelectorAll('[data-until]')) {
      element.textContent = `${clock((Date.parse(element.dataset.until) - now) / 1000)} left`;
    }
    for (const element of document.querySelectorAll('[data-wait]')) {
      const rest = (Date.parse(element.dataset.wait) - now) / 1000;
      element.textContent = rest > 0 ? `in ${clock(rest)}` : '';
    }
    for (const button of document.querySelectorAll('button[data-enabled-from]')) {
      button.disabled = Date.parse(button.dataset.enabledFrom) > now;
    }
  };

  document.documentElement.classList.add('scripted');
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy]');
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const before = button.innerHTML;
    button.textContent = 'Copied';
    setTimeout(() => { button.innerHTML = before; }, 1500);
  });

  // a button beside every example, only where there is a clipboard to copy to
  for (const block of navigator.clipboard ? document.querySelectorAll('[data-code]') : []) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(block.querySelector('code').textContent);
        button.textContent = 'Copied';
      } catch {
        button.textContent = 'Not copied';
      }
      setTimeout(() => { button.textContent = 'Copy'; }, 1600);
    });
    block.append(button);
  }

  // an open menu closes when the reader goes on elsewhere, or by Escape
  document.addEventListener('keydown', (event) => {
    const menu = event.key === 'Escape' && document.querySelector('details.who[open]');
    if (!menu) return;
    menu.open = false;
    menu.querySelector('summary').focus();
  });
  document.addEventListener('focusin', (event) => {
    for (const menu of document.querySelectorAll('details.who[open]')) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener('click', (event) => {
    for (const menu of document.querySelectorAll('details.who[open]')) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  // what a part has to say aloud; countdowns in it are not read out
  const sayings = (part) => [...part.querySelectorAll('[data-say]')].map((one) => one.dataset.say);

  // a part of the page that the server sends anew whenever it changes
  const follow = (part) => {
    const source = new EventSource(part.dataset.events);
    source.addEventListener('live', (event) => {
      const before = sayings(part);
      // who reads on with the keyboard stays at the same button, or at its order
      const at = part.contains(document.activeElement) ? document.activeElement.id : '';
      part.innerHTML = event.data;
      dress(part);
      const same = document.getElementById(at) ?? document.getElementById(at.replace(/^[a-z]+-/, 'order-'));
      same?.focus();
      const news = sayings(part).filter((one) => !before.includes(one));
      if (news.length) document.getElementById(part.dataset.news).textContent = news.join('. ');
    });
    addEventListener('pagehide', () => source.close());
  };

  const dress = (root) => { localTimes(root); tick(); };
  const start = () => {
    dress(document);
    // where the entries of the navigation lie in one line, the present one is in sight
    document.querySelector('.side [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
    document.querySelectorAll('[data-events]').forEach(follow);
    // a form that came back is open at the field that is wrong
    document.querySelector('main [aria-invalid]')?.focus();
  };
  document.addEventListener('htmx:after:swap', () => dress(document));
  start();
  setInterval(tick, 1000);
})();
