'use strict';
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const root = document.documentElement;

  // The theme: as the system has it, light, dark. It is kept where the browser lets pages of files keep things.
  const themes = ['auto', 'light', 'dark'];
  const theme = document.getElementById('theme');
  const keep = (name) => { try { localStorage.setItem('bratt-theme', name); } catch {} };
  const kept = () => { try { return localStorage.getItem('bratt-theme'); } catch { return null; } };
  const show = (name) => {
    if (name === 'auto') root.removeAttribute('data-theme'); else root.setAttribute('data-theme', name);
    theme.textContent = 'Theme: ' + name;
    theme.dataset.now = name;
  };
  const asked = new URLSearchParams(location.search).get('theme') || kept();
  show(themes.includes(asked) ? asked : 'auto');
  theme.hidden = false;
  theme.addEventListener('click', () => {
    const next = themes[(themes.indexOf(theme.dataset.now) + 1) % themes.length];
    show(next);
    keep(next);
  });

  // Charts: the arrow keys move the guide.
  for (const chart of all('.chart')) {
    const places = all('.at', chart);
    let now = places.length - 1;
    const choose = (at) => {
      places[now]?.classList.remove('on');
      now = Math.max(0, Math.min(places.length - 1, at));
      places[now]?.classList.add('on');
    };
    chart.addEventListener('focus', () => choose(now));
    chart.addEventListener('blur', () => places[now]?.classList.remove('on'));
    chart.addEventListener('keydown', (event) => {
      const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: places.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      choose(to);
    });
  }

  // Tables: a column's name sorts by it, numbers from the largest, names from A; again the other way round.
  for (const table of all('.sortable')) {
    const body = table.tBodies[0];
    for (const head of all('thead th', table)) {
      head.firstElementChild?.addEventListener('click', () => {
        let column = 0;
        for (let cell = head.previousElementSibling; cell; cell = cell.previousElementSibling) column += cell.colSpan;
        const number = body.rows[0]?.cells[column].dataset.value !== undefined;
        const before = head.getAttribute('aria-sort');
        const descending = before ? before === 'ascending' : number;
        const sign = descending ? -1 : 1;
        const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
        const compare = number ? (a, b) => value(a) - value(b)
          : (a, b) => value(a).localeCompare(value(b), undefined, { numeric: true });
        body.append(...[...body.rows].sort((a, b) => sign * compare(a, b)));
        all('th', table).forEach((other) => other.removeAttribute('aria-sort'));
        head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      });
    }
  }

  // The confusion matrix: a cell shows its images, without a jump; the arrow keys move to the next cell that has some.
  const cells = all('.matrix a');
  const panels = document.getElementById('cells');
  const place = (cell) => cell.getAttribute('href').split('-').slice(1).map(Number);
  const open = (cell) => {
    const panel = document.getElementById(cell.getAttribute('href').slice(1));
    all('.on', panels).forEach((other) => other.classList.remove('on'));
    cells.forEach((other) => other.classList.toggle('on', other === cell));
    panels.classList.add('chosen');
    panel.classList.add('on');
    try { history.replaceState(null, '', cell.getAttribute('href')); } catch {}
  };
  const focus = (cell) => {
    cells.forEach((other) => other.setAttribute('tabindex', other === cell ? 0 : -1));
    cell.focus();
  };
  for (const cell of cells) {
    cell.addEventListener('click', (event) => {
      event.preventDefault();
      open(cell);
      cells.forEach((other) => other.setAttribute('tabindex', other === cell ? 0 : -1));
    });
    cell.addEventListener('keydown', (event) => {
      const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (event.key === ' ' || event.key === 'Enter') { event.preventDefault(); open(cell); }
      if (!by) return;
      event.preventDefault();
      const [row, column] = place(cell);
      // The nearest one in that direction, in the same row or column if there is one.
      let best = null, least = Infinity;
      for (const other of cells) {
        const [r, c] = place(other);
        const along = (r - row) * by[0] + (c - column) * by[1];
        const across = Math.abs((r - row) * by[1]) + Math.abs((c - column) * by[0]);
        if (along > 0 && along + 100 * across < least) { least = along + 100 * across; best = other; }
      }
      if (best) focus(best);
    });
  }
  const chosen = cells.find((cell) => cell.getAttribute('href') === location.hash);
  if (chosen) open(chosen);

  // Error surfaces: the slider and the play button lead the paths from start to end; a name hides its path.
  const player = document.querySelector('.player');
  if (player) {
    const [play, slider, told] = ['button', 'input', 'output'].map((name) => player.querySelector(name));
    const steps = slider.dataset.steps.split(' ').map(Number);
    const ways = all('.surface g[data-way]').map((way) => {
      const line = way.querySelector('.way');
      const chip = way.closest('figure').querySelector(`.chip[data-way="${way.dataset.way}"]`);
      const points = line.getAttribute('points').split(' ').map((point) => point.split(','));
      return { way, line, chip, points, costs: way.dataset.costs.split(' '), dots: way.querySelector('.dots'), head: way.querySelector('.head') };
    });
    const go = (to) => {
      slider.value = to;
      slider.setAttribute('aria-valuetext', 'step ' + steps[to]);
      told.textContent = `step ${steps[to]} of ${steps[steps.length - 1]}`;
      for (const { line, chip, points, costs, dots, head } of ways) {
        const last = Math.min(to, points.length - 1);
        const seen = points.slice(0, last + 1);
        line.setAttribute('points', seen.map((point) => point.join(',')).join(' '));
        dots.setAttribute('d', seen.map((point) => `M${point.join(',')}h0`).join(''));
        head.setAttribute('cx', points[last][0]);
        head.setAttribute('cy', points[last][1]);
        chip.querySelector('b').textContent = costs[last];
      }
    };
    let timer = null;
    const stop = () => { clearInterval(timer); timer = null; play.textContent = 'Play'; };
    const tick = () => {
      if (Number(slider.value) >= steps.length - 1) stop(); else go(Number(slider.value) + 1);
    };
    play.addEventListener('click', () => {
      if (timer) { stop(); return; }
      if (Number(slider.value) >= steps.length - 1) go(0);
      // The first steps tell the most: about twelve seconds for a hundred.
      timer = setInterval(tick, Math.max(16, Math.min(400, 12000 / steps.length)));
      play.textContent = 'Pause';
    });
    slider.addEventListener('input', () => { stop(); go(Number(slider.value)); });
    for (const chip of all('.chip')) {
      chip.disabled = false;
      chip.addEventListener('click', () => {
        const name = chip.dataset.way;
        const shown = chip.getAttribute('aria-pressed') === 'false';
        all('.chip').filter((other) => other.dataset.way === name).forEach((other) => other.setAttribute('aria-pressed', shown));
        ways.filter(({ way }) => way.dataset.way === name).forEach(({ way }) => way.classList.toggle('off', !shown));
      });
    }
    player.hidden = false;
    const first = Number(new URLSearchParams(location.search).get('step') ?? steps.length - 1);
    go(Math.max(0, Math.min(steps.length - 1, first || 0)));
  }

  // The command can be copied where the browser allows it.
  for (const copy of all('.copy')) {
    if (!navigator.clipboard) break;
    copy.hidden = false;
    copy.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(copy.parentElement.querySelector('code').textContent);
        copy.textContent = 'Copied';
      } catch {
        copy.textContent = 'Not allowed';
      }
      setTimeout(() => { copy.textContent = 'Copy'; }, 1500);
    });
  }

  // The contents tell where one is.
  const links = all('nav a');
  if ('IntersectionObserver' in window) {
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        links.forEach((link) => link.classList.toggle('here', link.hash === '#' + entry.target.id));
      }
    }, { rootMargin: '0px 0px -70% 0px' });
    all('main > section').forEach((section) => seen.observe(section));
  }

  // Printed, everything is unfolded.
  addEventListener('beforeprint', () => all('details:not([open])').forEach((folded) => {
    folded.open = true;
    folded.dataset.unfolded = '';
  }));
  addEventListener('afterprint', () => all('details[data-unfolded]').forEach((folded) => {
    folded.open = false;
    delete folded.dataset.unfolded;
  }));
})();
