'use strict';
(() => {
  const view = document.getElementById('view'), world = document.getElementById('world');
  const side = document.getElementById('side');
  let x = 0, y = 0, scale = 1;
  const show = () => { world.style.transform = `translate(${x}px,${y}px) scale(${scale})`; };
  // The point under the pointer stays where it is.
  const zoom = (by, at = [view.clientWidth / 2, view.clientHeight / 2]) => {
    const to = Math.max(.05, Math.min(6, scale * by));
    x = at[0] - (at[0] - x) * to / scale; y = at[1] - (at[1] - y) * to / scale; scale = to; show();
  };
  const whole = () => {
    scale = Math.min(view.clientWidth / world.offsetWidth, view.clientHeight / world.offsetHeight, 2);
    x = (view.clientWidth - world.offsetWidth * scale) / 2; y = 0; show();
  };
  const start = () => {
    scale = Math.max(.7, Math.min(1, view.clientWidth / world.offsetWidth));
    x = Math.max(0, (view.clientWidth - world.offsetWidth * scale) / 2); y = 0; show();
  };
  view.addEventListener('wheel', (event) => {
    event.preventDefault();
    const box = view.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY / 400), [event.clientX - box.left, event.clientY - box.top]);
  }, { passive: false });
  const touches = new Map();
  let moved = 0;
  view.addEventListener('pointerdown', (event) => { touches.set(event.pointerId, event); moved = 0; });
  addEventListener('pointermove', (event) => {
    const before = touches.get(event.pointerId);
    if (!before) return;
    const other = [...touches.values()].find((touch) => touch.pointerId !== event.pointerId);
    if (other) {
      const far = (touch) => Math.hypot(touch.clientX - other.clientX, touch.clientY - other.clientY);
      const box = view.getBoundingClientRect();
      if (far(before) > 0) zoom(far(event) / far(before), [other.clientX - box.left, other.clientY - box.top]);
    } else {
      x += event.clientX - before.clientX; y += event.clientY - before.clientY; show();
    }
    moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
    touches.set(event.pointerId, event);
  });
  for (const name of ['pointerup', 'pointercancel']) addEventListener(name, (event) => touches.delete(event.pointerId));
  view.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (by) { x += by[0]; y += by[1]; show(); event.preventDefault(); }
    if (event.key === '+' || event.key === '=') zoom(1.25);
    if (event.key === '-') zoom(.8);
    if (event.key === '0') whole();
  });
  addEventListener('keydown', (event) => { if (event.key === 'Escape') open(null); });
  const open = (card) => {
    document.querySelectorAll('.card').forEach((other) => other.classList.toggle('on', other === card));
    side.hidden = !card;
    document.querySelectorAll('aside section').forEach((part) => {
      part.hidden = !card || part.dataset.of !== card.dataset.at;
      if (!part.hidden && !part.querySelector('.large')) {
        // The heat maps are in the page once, and shown large here.
        const maps = card.querySelectorAll('img');
        part.querySelectorAll(':scope > h3').forEach((head, i) => {
          if (i >= maps.length) return;
          const large = document.createElement('span');
          large.className = 'large';
          large.append(maps[i].cloneNode());
          head.after(large);
        });
      }
    });
    side.scrollTop = 0;
  };
  document.querySelectorAll('.card').forEach((card) => card.addEventListener('click', () => { if (moved < 6) open(card); }));
  document.getElementById('close').addEventListener('click', () => open(null));
  document.getElementById('in').addEventListener('click', () => zoom(1.25));
  document.getElementById('out').addEventListener('click', () => zoom(.8));
  document.getElementById('fit').addEventListener('click', whole);
  start();
  const named = document.querySelector(`.card[data-at="${CSS.escape(location.hash.slice(1))}"]`);
  if (named) {
    open(named);
    x = Math.min(0, view.clientWidth / 2 - (named.offsetLeft + named.offsetWidth / 2) * scale);
    y = Math.min(0, view.clientHeight / 2 - (named.offsetTop + named.offsetHeight / 2) * scale);
    show();
  }
})();
