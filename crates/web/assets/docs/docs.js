// Comforts of the docs page; it is complete without them.

// Tabs: a language picked once is picked everywhere, and on the next visit.
const remembered = 'docs-language';

function pick(language) {
  for (const radio of document.querySelectorAll('[data-tabs] > input')) {
    if (radio.value === language) radio.checked = true;
  }
}

function recall() {
  try {
    return localStorage.getItem(remembered);
  } catch {
    return null; // storage is switched off
  }
}

function remember(language) {
  try {
    localStorage.setItem(remembered, language);
  } catch {
    // storage is switched off: picked for this visit only
  }
}

const known = recall();
if (known) pick(known);

document.addEventListener('change', (event) => {
  if (!event.target.matches('[data-tabs] > input')) return;
  const tabs = event.target.parentElement;
  const before = tabs.getBoundingClientRect().top;
  pick(event.target.value);
  remember(event.target.value);
  // Panes above may have changed height; keep the reader's place.
  window.scrollBy(0, tabs.getBoundingClientRect().top - before);
});

// The contents: folded on a small screen, with the section in view marked on a large one.
const menu = document.querySelector('.sections');
const wide = window.matchMedia('(min-width: 68rem)');
const fold = () => { menu.open = wide.matches; };
fold();
wide.addEventListener('change', fold);
menu.addEventListener('click', (event) => {
  if (!wide.matches && event.target.matches('a')) menu.open = false;
});

const links = new Map(
  [...menu.querySelectorAll('a')].map((link) => [link.hash.slice(1), link]),
);
const sections = [...document.querySelectorAll('main section[id]')];

// The search: what holds every word stays, the rest steps aside.
const seek = document.querySelector('.seek');
const [words, told] = [seek.querySelector('input'), seek.querySelector('p')];
const texts = new Map(sections.map((section) => [section, section.textContent.toLowerCase()]));

function look() {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const [section, text] of texts) {
    const fits = wanted.every((word) => text.includes(word));
    section.hidden = !fits;
    const link = links.get(section.id);
    if (link) link.parentElement.hidden = !fits;
    found += fits ? 1 : 0;
  }
  for (const group of document.querySelectorAll('.group, .group-links')) {
    group.hidden = [...group.querySelectorAll('section, li')].every((part) => part.hidden);
  }
  told.textContent = wanted.length ? `${found} of ${texts.size} sections` : '';
}

seek.hidden = false;
seek.addEventListener('submit', (event) => event.preventDefault());
words.addEventListener('input', look);

function mark() {
  let current = null;
  for (const section of sections) {
    if (links.has(section.id) && section.getBoundingClientRect().top < 140) current = section.id;
  }
  for (const [id, link] of links) {
    if (id !== current) {
      link.removeAttribute('aria-current');
    } else if (!link.hasAttribute('aria-current')) {
      link.setAttribute('aria-current', 'true');
      if (wide.matches) link.scrollIntoView({ block: 'nearest' });
    }
  }
}

let waiting = false;
document.addEventListener('scroll', () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; mark(); });
}, { passive: true });
mark();
